"""Makes an MP4 of pictures: one file for each frame, or one animated WebP, which FFmpeg cannot read.

The child is `python -m videogen.media.picture_sequence`, with limits on time and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from videogen.media.convert import WrittenFrames, run_writer, write_in_child
from videogen.media.encode import SegmentEncoder, VideoShape, join_segments
from videogen.media.limited_process import MAX_PIXELS
from videogen.media.types import HEAD_BYTES, kind_of

_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_ANIMATION_FLAG: Final = 0x02
"""In the flags of a WebP's VP8X chunk."""
_FLAGS_AT: Final = 20


def is_animated_webp(path: Path) -> bool:
    """Whether a file is a WebP of several frames, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(_FLAGS_AT + 1)
    is_extended = kind_of(head[:HEAD_BYTES]) == "WEBP" and head[HEAD_BYTES:].startswith(b"VP8X")
    return is_extended and len(head) > _FLAGS_AT and bool(head[_FLAGS_AT] & _ANIMATION_FLAG)


def join_pictures(
    sources: Sequence[Path], target: Path, fps: int, watch: Callable[[tuple[int, int] | None], None]
) -> None:
    """Write an MP4 that every browser plays. It is durable on return.

    Args:
        sources: the frames in order, PNG, JPEG or WebP, all of the size of the first one; or one animated WebP.
        target: the path of the MP4.
        fps: frames in one second; an animated WebP says itself how long its frames are shown.
        watch: see `convert.convert`.

    Raises:
        BrokenMediaError: a picture cannot be read, or has another size.
        OSError: the disk accepts no bytes.
        StorageError: the child could not be started.
    """
    job = {"sources": [str(path) for path in sources], "target": str(target), "fps": fps}
    write_in_child(__name__, job, watch, "made of its pictures")


def _join(job: dict[str, Any]) -> None:
    sources, target, fps = [Path(name) for name in job["sources"]], Path(job["target"]), int(job["fps"])
    with _opened(sources[0]) as first:
        size = first.size
        if is_animated_webp(sources[0]):
            first.load()
            fps = max(1, round(1000 / (first.info.get("duration") or 1000 / fps)))
        total = len(sources) if len(sources) > 1 else getattr(first, "n_frames", 1)
    width, height = (max(2, pixels // 2 * 2) for pixels in size)
    progress = WrittenFrames(total)
    part = target.with_suffix(".frames")
    try:
        with SegmentEncoder(part, VideoShape(width, height, fps)) as encoder:
            for frame in _frames(sources, size):
                encoder.write(frame[:height, :width])
                progress.add()
        join_segments([part], target, {})
    finally:
        part.unlink(missing_ok=True)


def _frames(sources: Sequence[Path], size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    for path in sources:
        with _opened(path) as image:
            if image.size != size or image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{path.name} has {image.width} x {image.height} pixels, not {size[0]} x {size[1]}")
            for frame in ImageSequence.Iterator(image):
                yield np.asarray(frame.convert("RGB"))


def _opened(path: Path) -> Image.Image:
    return Image.open(path, formats=_FORMATS)


if __name__ == "__main__":
    run_writer(_join)
