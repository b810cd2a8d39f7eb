"""Words over the picture: they come, stay and go."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from videogen.engines.procedural.bands import Span
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import TITLE, Layer, World
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.palette import Rgb, column
from videogen.engines.procedural.strip import blit, strip_of

_WIDEST = 0.84  # of the picture's width


class Title(Layer):
    """A line or two in the middle of the picture, with a soft shadow so that it can be read on anything."""

    order = TITLE

    def __init__(self, world: World, text: str, color: Rgb) -> None:
        self._world = world
        cover = letters(text, world.frame.width, world.frame.unit)
        image = Image.fromarray((cover * 255).astype(np.uint8))
        shadow = np.asarray(image.filter(ImageFilter.GaussianBlur(world.frame.unit * 0.016)), np.float32) / 255
        shade = np.clip(shadow * np.float32(1.7), 0, 0.78)
        together = cover + shade * (1 - cover)
        self._strip = strip_of((column(color) * cover).astype(np.float32), together.astype(np.float32))

    def _strength(self, moment: Moment) -> float:
        """In over the first fifth of the shot, out over its last."""
        length = self._world.camera.length
        if self._world.camera.loop:
            return 1.0
        share = moment.t / length
        ramp = min(1.0, (share + 0.02) / 0.18, (1.02 - share) / 0.14)
        shown: float = min(max(ramp, 0.0), 1.0) ** 1.5
        return shown

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        frame = self._world.frame
        rows, columns = self._strip.size
        rise = 0.012 * (moment.t / self._world.camera.length) * frame.unit * (not self._world.camera.loop)
        place = ((frame.width - columns) / 2, frame.height * 0.47 - rows / 2 - rise)
        blit(canvas, span, self._strip, place, self._strength(moment))


def letters(text: str, width: int, unit: float) -> F32:
    """The text as cover, float32 (rows, columns), 0..1, broken into lines that fit, with room for its shadow."""
    text = "".join(letter if letter.isprintable() else " " for letter in text).strip() or " "
    size = max(9, int(unit * 0.13))
    while True:
        font = ImageFont.load_default(size)
        lines = _broken(text, font, int(width * _WIDEST))
        tall = int(size * 1.25) * len(lines)
        if (tall <= unit * 0.62 and all(font.getlength(line) <= width * _WIDEST for line in lines)) or size <= 9:
            break
        size = max(9, int(size * 0.88))
    pad = int(unit * 0.05)
    wide = int(max(font.getlength(line) for line in lines)) + 2 * pad + 4
    image = Image.new("L", (min(wide, 2 * width), tall + 2 * pad), 0)
    pen = ImageDraw.Draw(image)
    for index, line in enumerate(lines):
        pen.text((image.width / 2, pad + (index + 0.5) * int(size * 1.25)), line, font=font, fill=255, anchor="mm")
    return np.asarray(image, np.float32) / np.float32(255)


def _broken(text: str, font: Any, width: int) -> list[str]:
    """The words on as many lines as they need."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
