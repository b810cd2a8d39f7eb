"""Makes pictures from frames: previews during a render, stills, and posters of finished videos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
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
"""A frame with a lower mean brightness (0..255) looks black in a list of posters."""
_FLAT: Final = 4.0
"""A frame with a lower standard deviation of brightness (0..255) looks empty."""


def write_preview(frame: NDArray[np.uint8], path: Path) -> None:
    """Write a JPEG that is at most `PREVIEW_WIDTH` pixels wide. It is whole but not durable: a preview may be lost.

    Args:
        frame: uint8 of shape (height, width, 3), RGB, 0..255.
        path: the file to replace.
    """
    image = Image.fromarray(frame)
    if image.width > PREVIEW_WIDTH:
        height = max(1, round(image.height * PREVIEW_WIDTH / image.width))
        image = image.resize((PREVIEW_WIDTH, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    with replacing(path, durable=False) as part:
        image.save(part, format="JPEG", quality=80)


def write_still(frame: NDArray[np.uint8], path: Path, metadata: Mapping[str, str]) -> None:
    """Write a lossless picture with metadata; it is durable on return.

    A PNG has all metadata as international text. A WebP has only the `comment`, as the image description in its EXIF.

    Args:
        frame: uint8 of shape (height, width, 3), RGB, 0..255.
        path: the file to replace; its suffix, `.png` or `.webp`, is the format.
        metadata: such as `title` and `comment`; a PNG has them as `Title` and `Comment`.
    """
    picture = Image.fromarray(frame)
    with replacing(path) as part:
        if path.suffix == ".webp":
            exif = Image.Exif()
            exif[ExifTags.Base.ImageDescription] = metadata.get("comment", "").encode()
            picture.save(part, format="WEBP", lossless=True, exif=exif)
            return
        text = PngImagePlugin.PngInfo()
        for key, value in metadata.items():
            text.add_itxt(key.capitalize(), value)
        picture.save(part, format="PNG", pnginfo=text, compress_level=6)


def write_jpeg(frame: NDArray[np.uint8], path: Path) -> None:
    """Write a JPEG of a frame (uint8 of shape (height, width, 3), RGB, 0..255); it is durable on return."""
    with replacing(path) as part:
        part.write_bytes(jpeg_of(frame))


def jpeg_of(frame: NDArray[np.uint8]) -> bytes:
    """A JPEG of a frame: uint8 of shape (height, width, 3), RGB, 0..255."""
    data = BytesIO()
    Image.fromarray(frame).save(data, format="JPEG", quality=88, optimize=True)
    return data.getvalue()


def probe_image(path: Path) -> tuple[int, int]:
    """Decode a whole picture and return its width and height in pixels.

    Raises:
        BrokenMediaError: the file is missing, is not a picture, or is not complete.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return image.size
    except (OSError, SyntaxError, ValueError) as problem:
        raise BrokenMediaError(f"{path.name}: expected a whole picture, got {problem}. Render it again.") from problem


def write_poster(video: Path, path: Path) -> None:
    """Write a JPEG of the frame that `poster_frame` chooses; it is durable on return.

    Raises:
        BrokenMediaError: the video has no frame that can be read.
    """
    write_jpeg(poster_frame(video), path)


def poster_frame(video: Path) -> NDArray[np.uint8]:
    """A video's frame at one third of its length, or another one if that is dark or empty.

    Returns:
        uint8 of shape (height, width, 3), RGB, 0..255.

    Raises:
        BrokenMediaError: the video has no frame that can be read.
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
    return best


def _candidates(video: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames at 1/3, 1/2, 2/3, 5/6 and 0 of the length: uint8 of shape (height, width, 3), RGB, 0..255."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        if stream.time_base is None:
            return
        total = stream.duration or 0
        for fraction in (1 / 3, 1 / 2, 2 / 3, 5 / 6, 0.0):
            target = int(total * fraction)
            container.seek(target, stream=stream)
            for frame in container.decode(stream):
                if frame.pts is not None and frame.pts >= target:
                    yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                    break
