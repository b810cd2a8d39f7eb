"""Pictures out of frames: previews while it renders, a poster when it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, PngImagePlugin

from videogen.core.atomic_files import replacing
from videogen.media.probe import BrokenMediaError

PREVIEW_WIDTH: Final = 480
_DARK: Final = 16.0
"""Mean of 0..255 under which a frame looks black in a list of posters."""
_FLAT: Final = 4.0
"""Deviation of 0..255 under which a frame looks empty."""


def write_preview(frame: NDArray[np.uint8], path: Path) -> None:
    """Replace `path` with a JPEG of at most `PREVIEW_WIDTH` pixels width, in one step.

    Args:
        frame: uint8, shape (H, W, 3), RGB.
        path: where the picture goes. Not synced to the disk: a preview may be lost.
    """
    image = Image.fromarray(frame)
    if image.width > PREVIEW_WIDTH:
        height = max(1, round(image.height * PREVIEW_WIDTH / image.width))
        image = image.resize((PREVIEW_WIDTH, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    with replacing(path, durable=False) as part:
        image.save(part, format="JPEG", quality=80)


def write_still(frame: NDArray[np.uint8], path: Path, metadata: Mapping[str, str]) -> None:
    """Write a picture that carries `metadata`; durable on return.

    A PNG has it as international text, each key with a capital; a WebP, which is without loss, has the `comment` as
    the description of its EXIF.

    Args:
        frame: uint8, shape (H, W, 3), RGB.
        path: where the picture goes; its ending, `.png` or `.webp`, says as what.
        metadata: such as `title` and `comment`; the words of PNG for these are `Title` and `Comment`.
    """
    picture = Image.fromarray(frame)
    with replacing(path) as part:
        if path.suffix == ".webp":
            notes = Image.Exif()
            notes[ExifTags.Base.ImageDescription] = metadata.get("comment", "").encode()
            picture.save(part, format="WEBP", lossless=True, exif=notes)
            return
        told = PngImagePlugin.PngInfo()
        for key, value in metadata.items():
            told.add_itxt(key.capitalize(), value)
        picture.save(part, format="PNG", pnginfo=told, compress_level=6)


def write_jpeg(frame: NDArray[np.uint8], path: Path) -> None:
    """Write a JPEG poster of a frame, uint8 of shape (H, W, 3), RGB; durable on return."""
    with replacing(path) as part:
        Image.fromarray(frame).save(part, format="JPEG", quality=88, optimize=True)


def probe_image(path: Path) -> tuple[int, int]:
    """Decode a whole picture; its width and height in pixels.

    Raises:
        BrokenMediaError: it is missing, no picture, or cut short.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return image.size
    except (OSError, SyntaxError, ValueError) as problem:
        raise BrokenMediaError(f"{path.name}: expected a whole picture, got {problem}. Render it again.") from problem


def write_poster(video: Path, path: Path) -> None:
    """Make a JPEG from a telling frame of a whole video: the one at a third, unless that is dark or empty.

    `path` is durable on return.

    Raises:
        BrokenMediaError: no frame can be read.
    """
    best: NDArray[np.uint8] | None = None
    best_spread = -1.0
    for frame in _candidates(video):
        luma = frame.mean(axis=2)
        spread = float(luma.std())
        if spread > best_spread:
            best, best_spread = frame, spread
        if luma.mean() >= _DARK and spread >= _FLAT:
            best = frame
            break
    if best is None:
        raise BrokenMediaError(f"{video.name}: expected a frame to make a poster of, got none. Render it again.")
    write_jpeg(best, path)


def _candidates(video: Path) -> Iterator[NDArray[np.uint8]]:
    """Frames at 1/3, 1/2, 2/3, 5/6 and the beginning: uint8, shape (H, W, 3), RGB."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        if stream.time_base is None:
            return
        total = stream.duration or 0
        for part in (1 / 3, 1 / 2, 2 / 3, 5 / 6, 0.0):
            wanted = int(total * part)
            container.seek(wanted, stream=stream)
            for frame in container.decode(stream):
                if frame.pts is not None and frame.pts >= wanted:
                    yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                    break
