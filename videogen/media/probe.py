"""What a video file says about itself, and whether all of it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import av

from videogen.core.errors import VideogenError


class BrokenMediaError(VideogenError):
    """The file is not a whole video."""

    code = "broken_media"
    title = "Broken video file"


@dataclass(frozen=True, slots=True)
class Probe:
    """Sizes in pixels, frames in one second, length in seconds."""

    width: int
    height: int
    fps: float
    num_frames: int
    duration_seconds: float
    codec: str
    pix_fmt: str
    metadata: Mapping[str, str]


def probe(path: Path) -> Probe:
    """Read a video file's header, without decoding it.

    Raises:
        BrokenMediaError: the file is missing, no video, or cut short.
    """
    try:
        if path.stat().st_size == 0:
            raise _broken(path, "an empty file")
        _check_boxes(path)
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise _broken(path, "a file without a video stream")
            stream = container.streams.video[0]
            context = stream.codec_context
            length = (container.duration or 0) / av.time_base
            if stream.duration and stream.time_base:
                length = float(stream.duration * stream.time_base)
            fps = float(stream.average_rate or 0)
            return Probe(
                width=context.width,
                height=context.height,
                fps=fps,
                num_frames=stream.frames or round(length * fps),
                duration_seconds=length,
                codec=context.name,
                pix_fmt=context.pix_fmt or "",
                metadata=dict(container.metadata),
            )
    except (av.FFmpegError, OSError) as problem:
        raise _broken(path, str(problem)) from problem


def _broken(path: Path, got: str) -> BrokenMediaError:
    return BrokenMediaError(f"{path.name}: expected a whole video, got {got}. Render it again.")


def _check_boxes(path: Path) -> None:
    """Refuse an MP4 whose boxes reach beyond its end: the index is in front, so FFmpeg would not notice."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        if head[4:] != b"ftyp":
            return
        position = 0
        while len(head) == 8:
            length = int.from_bytes(head[:4])
            if length == 1:
                length = int.from_bytes(file.read(8))
            elif length == 0:
                return  # the last box, which ends where the file does
            position += max(length, 8)
            if position > size:
                raise _broken(path, f"{size} of at least {position} bytes")
            file.seek(position)
            head = file.read(8)
        if head:
            raise _broken(path, f"{len(head)} stray bytes at its end")
