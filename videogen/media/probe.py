"""Reads the header of a video file, and checks that the file is complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av

from videogen.core.errors import VideogenError

_FORMATS: Final = {".mp4": "mp4", ".webm": "webm"}


class BrokenMediaError(VideogenError, code="broken_media", title="Broken video file"):
    """The file is not a whole video or picture."""


@dataclass(frozen=True, slots=True)
class Probe:
    """`width` and `height` in pixels, `fps` in frames per second."""

    width: int
    height: int
    fps: float
    num_frames: int
    duration_seconds: float
    codec: str
    pix_fmt: str
    metadata: Mapping[str, str]


def probe(path: Path) -> Probe:
    """Read the header of an MP4 or a WebM, as its suffix says; no frame is decoded.

    Raises:
        BrokenMediaError: the file is missing, is not a video, or is not complete.
    """
    if path.suffix not in _FORMATS:
        raise broken(path, f"a name that ends with {path.suffix!r} instead of .mp4 or .webm")
    try:
        if path.stat().st_size == 0:
            raise broken(path, "an empty file")
        read_boxes(path)
        # Without the format, FFmpeg would choose it by the content. Playlists, for example, name other files to read.
        with av.open(str(path), format=_FORMATS[path.suffix], options={"protocol_whitelist": "file"}) as container:
            if not container.streams.video:
                raise broken(path, "a file without a video stream")
            stream = container.streams.video[0]
            context = stream.codec_context
            duration = (container.duration or 0) / av.time_base
            if stream.duration and stream.time_base:
                duration = float(stream.duration * stream.time_base)
            fps = float(stream.average_rate or 0)
            return Probe(
                width=context.width,
                height=context.height,
                fps=fps,
                num_frames=stream.frames or round(duration * fps),
                duration_seconds=duration,
                codec=context.name,
                pix_fmt=context.pix_fmt or "",
                metadata=dict(container.metadata),
            )
    except (av.FFmpegError, OSError) as problem:
        raise broken(path, str(problem)) from problem


def broken(path: Path, got: str) -> BrokenMediaError:
    """The error for a file that is `got` instead of a whole video."""
    return BrokenMediaError(f"{path.name}: expected a whole video, got {got}. Render it again.")


def read_boxes(path: Path) -> list[bytes]:
    """The types of the outermost boxes of an MP4, such as `moov`, in their order; none for another format.

    Raises:
        BrokenMediaError: they reach beyond its end. If the index comes first, FFmpeg does not notice that.
    """
    size = path.stat().st_size
    boxes: list[bytes] = []
    with path.open("rb") as file:
        head = file.read(8)
        if head[4:] != b"ftyp":
            return boxes
        position = 0
        while len(head) == 8:
            boxes.append(head[4:])
            length = int.from_bytes(head[:4])
            if length == 1:
                length = int.from_bytes(file.read(8))
            elif length == 0:
                return boxes  # the last box ends with the file
            position += max(length, 8)
            if position > size:
                raise broken(path, f"{size} of at least {position} bytes")
            file.seek(position)
            head = file.read(8)
        if head:
            raise broken(path, f"{len(head)} extra bytes at its end")
    return boxes
