"""A title over the picture, which fades in and out."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import TITLE, Layer, World
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.palette import Rgb, as_planes
from videogen.engines.procedural.row_bands import Span
from videogen.engines.procedural.sprite import blit, premultiplied_sprite

_MAX_WIDTH = 0.84  # fraction of the picture's width


class Title(Layer):
    """One or more lines of text in the middle of the picture, with a soft shadow so that they are readable on any
    background."""

    order = TITLE

    def __init__(self, world: World, text: str, color: Rgb) -> None:
        self._world = world
        cover = text_alpha(text, world.viewport.width, world.viewport.unit)
        image = Image.fromarray((cover * 255).astype(np.uint8))
        shadow = np.asarray(image.filter(ImageFilter.GaussianBlur(world.viewport.unit * 0.016)), np.float32) / 255
        shade = np.clip(shadow * np.float32(1.7), 0, 0.78)
        together = cover + shade * (1 - cover)
        self._sprite = premultiplied_sprite((as_planes(color) * cover).astype(np.float32), together.astype(np.float32))

    def _strength(self, state: FrameState) -> float:
        """Opacity, 0..1: fades in at the start of the shot and out at its end."""
        length = self._world.camera.scene_seconds
        if self._world.camera.loop:
            return 1.0
        fraction = state.t / length
        ramp = min(1.0, (fraction + 0.02) / 0.18, (1.02 - fraction) / 0.14)
        shown: float = min(max(ramp, 0.0), 1.0) ** 1.5
        return shown

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport = self._world.viewport
        rows, columns = self._sprite.size
        rise = 0.012 * (state.t / self._world.camera.scene_seconds) * viewport.unit * (not self._world.camera.loop)
        position = ((viewport.width - columns) / 2, viewport.height * 0.47 - rows / 2 - rise)
        blit(canvas, span, self._sprite, position, self._strength(state))


def text_alpha(text: str, width: int, unit: float) -> F32:
    """The text as alpha, float32 (rows, columns), 0..1, wrapped into lines, with a margin for its shadow."""
    text = "".join(letter if letter.isprintable() else " " for letter in text).strip() or " "
    size = max(9, int(unit * 0.13))
    while True:
        font = ImageFont.load_default(size)
        lines = _wrap(text, font, int(width * _MAX_WIDTH))
        height = int(size * 1.25) * len(lines)
        if (height <= unit * 0.62 and all(font.getlength(line) <= width * _MAX_WIDTH for line in lines)) or size <= 9:
            break
        size = max(9, int(size * 0.88))
    pad = int(unit * 0.05)
    wide = int(max(font.getlength(line) for line in lines)) + 2 * pad + 4
    image = Image.new("L", (min(wide, 2 * width), height + 2 * pad), 0)
    pen = ImageDraw.Draw(image)
    for index, line in enumerate(lines):
        pen.text((image.width / 2, pad + (index + 0.5) * int(size * 1.25)), line, font=font, fill=255, anchor="mm")
    return np.asarray(image, np.float32) / np.float32(255)


def _wrap(text: str, font: Any, width: int) -> list[str]:
    """Wrap the words into lines of at most `width` pixels, where possible."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
