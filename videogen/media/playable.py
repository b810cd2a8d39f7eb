"""Checks that every browser plays a result, and converts what some do not play.

A file that is fine costs milliseconds: its header is read, and its first frame and its last group of pictures are
decoded. The check is also `python -m videogen.media.playable` (see `limited_process`), for files that come from
another machine.
"""

from __future__ import annotations

import base64
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from videogen.core.atomic_files import replacing
from videogen.media.convert import INPUT_OPTIONS, Conversion, convert
from videogen.media.image import jpeg_of, poster_frame
from videogen.media.limited_process import FILE_SECONDS, MAX_PIXELS, TOO_MUCH, answer, run_child, start_child
from videogen.media.probe import BrokenMediaError, broken, read_boxes
from videogen.media.types import HEAD_BYTES, kind_of

logger = logging.getLogger("videogen.render")
PIXEL_FORMATS: Final = ("yuv420p", "yuvj420p")
"""8 bits, 4:2:0."""
PROFILES: Final = ("Constrained Baseline", "Baseline", "Main", "High")
MAX_LEVEL: Final = 52
"""H.264 level 5.2, as ten times the level."""
MAX_VIDEO_PIXELS: Final = 4096 * 2304
"""Of the largest frame in that level."""
Kind = Literal["video", "image"]
DURATION_TOLERANCE: Final = 0.1
"""The share by which a video may be longer or shorter than its recipe."""
_TOLERANCE_SECONDS: Final = 0.25
"""The same in seconds, for short ones."""
_CONTAINERS: Final = ((b"\x1aE\xdf\xa3", "matroska"), (b"GIF8", "gif"))
"""FFmpeg's names by the first bytes; WebM is Matroska."""
_PICTURES: Final = ("PNG", "WEBP", "JPEG", "BMP", "TIFF", "GIF")
_STILLS: Final = {"PNG": ".png", "WEBP": ".webp"}
"""The formats that are kept, by Pillow's names, with their suffixes."""


class NotPlayableError(BrokenMediaError, code="not_playable", title="Not playable"):
    """The converted file is one that some browsers do not play either."""


class WrongDurationError(BrokenMediaError, code="wrong_duration", title="Wrong duration"):
    """The video is longer or shorter than its recipe says."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A video or picture that could be decoded. Sizes in pixels; a picture has no duration, rate and sound."""

    width: int
    height: int
    faults: tuple[str, ...]
    """Why some browser does not play it; empty: all do."""
    container: str = ""
    fps: float = 0.0
    duration_seconds: float = 0.0
    has_audio: bool = False
    copy_video: bool = False
    """Whether every browser plays its pictures as they are, in an MP4."""
    copy_audio: bool = False
    poster: str = field(default="", compare=False)
    """Of a video that another machine made: a JPEG in base64. Its file is decoded in the child alone."""


def playable_video(
    path: Path, seconds: float | None, watch: Callable[[tuple[int, int] | None], None], *, is_foreign: bool = False
) -> tuple[Path, Examined]:
    """Return the path of a video that every browser plays, and what it is: the same one, or an MP4 in its place.

    Args:
        path: the video: MP4, MOV, WebM, MKV, AVI or GIF, whatever its name is. It is not changed on an error.
        seconds: how long the recipe says that it is; None: as long as it is.
        watch: see `convert`; it is not called for a file that is fine.
        is_foreign: it comes from another machine, so a child process reads it.

    Raises:
        BrokenMediaError: it cannot be decoded, has another duration, or cannot be converted. Says why.
        OSError: the disk accepts no bytes.
        StorageError: a child process could not be started.
    """
    found = _examine_in_child(path, "video") if is_foreign else examine_video(path)
    _check_duration(path, found, seconds)
    if not found.faults:
        return path, found
    if found.width * found.height > MAX_VIDEO_PIXELS:
        text = f"{path.name}: {found.width} x {found.height} pixels are more than browsers play. Choose a smaller size."
        raise NotPlayableError(text)
    logger.warning("%s is converted: it has %s", path.name, ", ".join(found.faults))
    target = path.with_suffix(".mp4")
    with replacing(target) as part:
        convert(Conversion(str(path), str(part), found.container, found.copy_video, found.copy_audio), watch)
        made = examine_video(part)
        # Its name is that of a temporary file.
        if faults := [fault for fault in made.faults if fault != _wrong_name(part)]:
            text = f"{path.name} has {', '.join(faults)} even after it was converted. Choose a smaller size."
            raise NotPlayableError(text)
        _check_duration(path, made, seconds)
    return target, replace(made, poster=found.poster)


def playable_picture(path: Path, *, is_foreign: bool = False) -> tuple[Path, Examined]:
    """The same for a picture: a PNG or WebP, which every browser shows. Another format becomes a PNG.

    Raises:
        BrokenMediaError: it cannot be decoded. Says why.
        OSError: the disk accepts no bytes.
        StorageError: a child process could not be started.
    """
    found = _examine_in_child(path, "image") if is_foreign else examine_picture(path)
    if not found.faults:
        return path, found
    target = path.with_suffix(".png")
    with _opened(path) as image, replacing(target) as part:
        has_alpha = "A" in image.getbands() or "transparency" in image.info
        image.convert("RGBA" if has_alpha else "RGB").save(part, format="PNG")
    return target, examine_picture(target)


def _check_duration(path: Path, found: Examined, seconds: float | None) -> None:
    if seconds is None:
        return
    allowed = max(_TOLERANCE_SECONDS, DURATION_TOLERANCE * seconds)
    if abs(found.duration_seconds - seconds) > allowed:
        got = f"{found.duration_seconds:.2f}"
        text = f"{path.name}: expected a video of {seconds:.2f} seconds, as its recipe has, got {got}. Render it again."
        raise WrongDurationError(text)


def _examine_in_child(path: Path, kind: Kind) -> Examined:
    line, *_ = run_child(__name__, f"{kind}\n{path}".encode(), FILE_SECONDS) or [""]
    if not line.startswith("{"):
        raise BrokenMediaError(line or f"{path.name}: expected a whole {kind}, got {TOO_MUCH}. Render it again.")
    values: dict[str, Any] = json.loads(line)
    return Examined(**values | {"faults": tuple(values["faults"])})


def examine_video(path: Path) -> Examined:
    """Read the header of a video, whatever its name is, and decode its first and last frames.

    Raises:
        BrokenMediaError: it is missing, is no video, is not whole, or has no frame.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        name = next((name for start, name in _CONTAINERS if head.startswith(start)), "")
        if kind_of(head) == "MP4":
            name = "mp4"
        elif head.startswith(b"RIFF") and head.endswith(b"AVI "):
            name = "avi"
        if not name:
            raise broken(path, f"a file that begins with {head!r}" if head else "an empty file")
        boxes = read_boxes(path)
        # Without the format, FFmpeg would choose it by the content. Playlists, for example, name other files to read.
        with av.open(str(path), format=name, options=INPUT_OPTIONS) as container:
            return _examined(path, container, name, boxes)
    except (av.FFmpegError, OSError) as problem:
        raise broken(path, problem.strerror or str(problem)) from problem


def _examined(path: Path, container: InputContainer, name: str, boxes: list[bytes]) -> Examined:
    if not container.streams.video:
        raise broken(path, "a file without a video stream")
    video = container.streams.video[0]
    audio = next(iter(container.streams.audio), None)
    end = _decode_ends(path, container, video)
    wrong_video, wrong_audio = [*_video_faults(video)], [*_audio_faults(audio)]
    return Examined(
        width=video.codec_context.width,
        height=video.codec_context.height,
        faults=(*_container_faults(path, container, name, boxes), *wrong_video, *wrong_audio),
        container=name,
        fps=float(video.average_rate or 0),
        duration_seconds=float(video.duration * video.time_base) if video.duration and video.time_base else end,
        # Some containers do not say how long the sound is.
        has_audio=audio is not None and (audio.duration is None or audio.duration > 0),
        # Other containers do not say when a frame is decoded, as an MP4 needs it; the parts of sound have one time.
        copy_video=name == "mp4" and not wrong_video,
        copy_audio=name in ("mp4", "matroska") and not wrong_audio,
    )


def _decode_ends(path: Path, container: InputContainer, video: VideoStream) -> float:
    """Decode the first frame, and those from the last key frame on. Returns the length in seconds."""
    first = next(container.decode(video), None)
    if first is None:
        raise broken(path, "a video without frames")
    last: VideoFrame | None = None
    try:
        container.seek(max(0, (container.duration or 0) - 1))
    except av.FFmpegError:  # it cannot seek, and is read to its end
        last = first
    for frame in container.decode(video):
        last = frame
    if last is None or first.is_corrupt or last.is_corrupt:
        raise broken(path, "one with damaged frames")
    shown = float(1 / video.average_rate) if video.average_rate else 0.0
    return (last.time or 0.0) - (first.time or 0.0) + shown


def _container_faults(path: Path, container: InputContainer, name: str, boxes: list[bytes]) -> Iterator[str]:
    if not boxes or container.metadata.get("major_brand", "").strip() == "qt":
        yield f"the container {'quicktime' if name == 'mp4' else name}"
    elif b"moof" in boxes:
        yield "an MP4 in fragments"
    elif b"mdat" in boxes[: boxes.index(b"moov") if b"moov" in boxes else None]:
        yield "its index at its end"
    if path.suffix != ".mp4":
        yield _wrong_name(path)


def _wrong_name(path: Path) -> str:
    return f"a name that ends with {path.suffix}"


def _video_faults(video: VideoStream) -> Iterator[str]:
    context = video.codec_context
    if context.name != "h264":
        yield f"the codec {context.name}"
        return
    if context.pix_fmt not in PIXEL_FORMATS:
        yield f"the pixel format {context.pix_fmt}"
    if context.profile not in PROFILES:
        yield f"the profile {context.profile}"
    if context.level > MAX_LEVEL:
        yield f"the level {context.level / 10:g}"


def _audio_faults(audio: AudioStream | None) -> Iterator[str]:
    if audio is not None and audio.codec_context.name != "aac":
        yield f"sound in {audio.codec_context.name}"


def _opened(path: Path) -> Image.Image:
    return Image.open(cast(BinaryIO, path), formats=_PICTURES)


def examine_picture(path: Path) -> Examined:
    """Decode a picture, whatever its name is.

    Raises:
        BrokenMediaError: it is missing, is no picture, is not whole, or has too many pixels.
    """
    try:
        with _opened(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"more than {MAX_PIXELS} pixels")
            image.load()
            size, kind = image.size, image.format or ""
    except (OSError, SyntaxError, ValueError) as problem:
        raise BrokenMediaError(f"{path.name}: expected a whole picture, got {problem}. Render it again.") from problem
    return Examined(*size, () if _STILLS.get(kind) == path.suffix else (f"the format {kind}",))


def _with_poster(path: Path) -> Examined:
    """The same with a poster, if one can be made."""
    found, poster = examine_video(path), b""
    with suppress(BrokenMediaError, av.FFmpegError, OSError, ValueError):
        poster = base64.b64encode(jpeg_of(poster_frame(path)))
    return replace(found, poster=poster.decode())


def _main() -> None:
    signal.alarm(start_child())
    kind, _, name = sys.stdin.read().partition("\n")
    try:
        found = _with_poster(Path(name)) if kind == "video" else examine_picture(Path(name))
        answer(json.dumps(asdict(found)))
    except MemoryError:
        return
    except BrokenMediaError as problem:
        answer(" ".join(problem.detail.split()))


if __name__ == "__main__":
    _main()
