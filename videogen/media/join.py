"""Joins parts of videos to one MP4, and takes single frames out of videos.

Parts that this encoder has made in the same size and rate are copied as they are. Else all of it is encoded, once. For
files that come from another machine it is also `python -m videogen.media.join` (see `limited_process`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from numpy.typing import NDArray
from PIL import Image, ImageOps

from videogen.core.atomic_files import replacing
from videogen.media.convert import INPUT_OPTIONS, WrittenFrames, run_writer, write_in_child
from videogen.media.encode import SegmentEncoder, SegmentJoiner, VideoShape
from videogen.media.image import write_still
from videogen.media.probe import BrokenMediaError
from videogen.media.sound import Sound

RATE: Final = 48_000
"""Of the sound, in samples per second."""
FADE_SECONDS: Final = 0.4
"""In which sound ends or begins at a join with silence."""
_CLICK_SECONDS: Final = 0.01
"""The same where sound goes on: only the click is avoided."""
Watch = Callable[[tuple[int, int] | None], None]
"""Gets the number of frames that are done and of all frames; an exception that it raises ends the work."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames `first` to `first + count` of a video, counted at the rate of the whole."""

    path: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Join:
    """What to join: `segments` is a folder for what is encoded; `metadata`: see `encode.join_segments`."""

    pieces: tuple[Piece, ...]
    target: str
    shape: VideoShape
    segments: str
    metadata: Mapping[str, str]


def join(job: Join, watch: Watch, *, is_foreign: bool = False) -> None:
    """Write the target, which is durable on return.

    Args:
        job: what to do.
        watch: called while frames are encoded; not where they are copied.
        is_foreign: a piece comes from another machine, so a child process reads it.

    Raises:
        BrokenMediaError: a piece cannot be read, or has fewer frames.
        OSError: the disk accepts no bytes.
        StorageError: a child process could not be started.
    """
    if is_foreign:
        write_in_child(__name__, {"join": asdict(job)}, watch, "joined")
    else:
        _join(job, watch)


def write_frame(video: Path, number: int, fps: int, target: Path, *, is_foreign: bool = False) -> None:
    """Write one frame of a video, counted from 0 at `fps`, as PNG; the last one where there are fewer.

    Raises:
        BrokenMediaError: the video has no frame that can be read.
        OSError: the disk accepts no bytes.
        StorageError: a child process could not be started.
    """
    if is_foreign:
        job = {"frame": {"video": str(video), "number": number, "fps": fps, "target": str(target)}}
        write_in_child(__name__, job, lambda _done: None, "read")
    else:
        _write_frame(str(video), number, fps, str(target))


def _write_frame(video: str, number: int, fps: int, target: str) -> None:
    found: NDArray[np.uint8] | None = None
    with _opened(video) as container:
        stream = container.streams.video[0]
        time = number / fps
        container.seek(max(0, int((time - 1.0) * av.time_base)))
        for frame in container.decode(stream):
            if found is not None and (frame.time or 0.0) > time + 0.5 / fps:
                break
            found = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    if found is None:
        raise BrokenMediaError(f"{Path(video).name}: expected a video with frames, got none. Render it again.")
    write_still(found, Path(target), {})


def _opened(path: str) -> InputContainer:
    try:
        return av.open(path, options=INPUT_OPTIONS, format="mp4")
    except av.FFmpegError as problem:
        raise BrokenMediaError(f"{Path(path).name}: expected a whole video, got {problem.strerror}.") from problem


def _join(job: Join, watch: Watch) -> None:
    try:
        segments = list(job.pieces) if _can_be_copied(job) else list(_encoded(job, watch))
        sound = _sound(job)
        options = {"movflags": "+faststart"}
        with replacing(Path(job.target)) as part, av.open(str(part), "w", format="mp4", options=options) as whole:
            whole.metadata.update(job.metadata)
            joiner = SegmentJoiner(whole, sound)
            for piece in segments:
                with _opened(piece.path) as source:
                    joiner.append(source, piece.first, piece.count)
    except av.FFmpegError as problem:
        raise BrokenMediaError(f"The parts could not be joined: {problem.strerror}. Render it again.") from problem


def _can_be_copied(job: Join) -> bool:
    """Whether all pieces have the same encoder settings, size and rate, and each begins and ends at a key frame."""
    seen = set()
    for piece in job.pieces:
        with _opened(piece.path) as source:
            stream = source.streams.video[0]
            context = stream.codec_context
            shape = VideoShape(context.width, context.height, int(stream.guessed_rate or 0))
            if context.name != "h264" or shape != job.shape or stream.guessed_rate != shape.fps:
                return False
            seen.add((bytes(context.extradata or b""), stream.time_base))
            if not _has_key_frames(source, piece):
                return False
    return len(seen) == 1


def _has_key_frames(source: InputContainer, piece: Piece) -> bool:
    keys = [packet.is_keyframe for packet in source.demux(source.streams.video[0]) if packet.size]
    end = piece.first + piece.count
    return end <= len(keys) and keys[piece.first] and (end == len(keys) or keys[end])


def _encoded(job: Join, watch: Watch) -> Iterator[Piece]:
    """Encode all pieces anew, in segments of a second that also end with each piece."""
    total, done = sum(piece.count for piece in job.pieces), 0
    number, rate = 0, job.shape.fps
    folder = Path(job.segments)
    folder.mkdir(parents=True, exist_ok=True)
    for piece in job.pieces:
        frames = _frames(job, piece)
        left = piece.count
        while left:
            count = min(left, rate)
            path = folder / f"{number:05}.mp4"
            with SegmentEncoder(path, job.shape) as encoder:
                for _ in range(count):
                    encoder.write(next(frames))
                    done += 1
                    watch((done, total))
            yield Piece(str(path), 0, count)
            number, left = number + 1, left - count


def _frames(job: Join, piece: Piece) -> Iterator[NDArray[np.uint8]]:
    """The frames of a piece at the rate and in the size of the whole; the last one again where they are too few."""
    wanted, rate = piece.first, job.shape.fps
    last: NDArray[np.uint8] | None = None
    with _opened(piece.path) as source:
        for frame in source.decode(source.streams.video[0]):
            shown_until = round(((frame.time or 0.0) + 1 / float(source.streams.video[0].guessed_rate or rate)) * rate)
            if shown_until <= wanted:
                continue
            last = _fitted(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), job.shape)
            while wanted < shown_until:
                yield last
                wanted += 1
    if last is None:
        name = Path(piece.path).name
        raise BrokenMediaError(f"{name}: expected {piece.first + piece.count} frames, got fewer. Render it again.")
    while True:
        yield last


def _fitted(frame: NDArray[np.uint8], shape: VideoShape) -> NDArray[np.uint8]:
    """The frame in the size of the whole; what is too wide or too high is cut off."""
    if frame.shape[:2] == (shape.height, shape.width):
        return frame
    fitted = ImageOps.fit(Image.fromarray(frame), (shape.width, shape.height), Image.Resampling.LANCZOS)
    return np.asarray(fitted, np.uint8)


def _sound(job: Join) -> Sound | None:
    """The sound of all pieces. Where one without sound is next to one with it, that fades."""
    parts = [_samples(piece, job.shape.fps) for piece in job.pieces]
    if all(part is None for part in parts):
        return None
    lengths = [round(piece.count * RATE / job.shape.fps) for piece in job.pieces]
    whole = []
    for index, (part, length) in enumerate(zip(parts, lengths, strict=True)):
        samples = np.zeros((2, length), np.float32)
        if part is not None:
            samples[:, : part.shape[1]] = part[:, :length]
            for neighbour, backwards in ((index - 1, False), (index + 1, True)):
                if 0 <= neighbour < len(parts):
                    seconds = FADE_SECONDS if parts[neighbour] is None else _CLICK_SECONDS
                    _fade(samples[:, ::-1] if backwards else samples, seconds)
        whole.append(samples)
    return Sound(np.concatenate(whole, axis=1), RATE)


def _fade(samples: NDArray[np.float32], seconds: float) -> None:
    """Let the samples, float32 (channels, samples), begin from silence, in place."""
    count = min(round(seconds * RATE), samples.shape[1])
    samples[:, :count] *= np.linspace(0, 1, count, dtype=np.float32)


def _samples(piece: Piece, fps: int) -> NDArray[np.float32] | None:
    """The sound of a piece, float32 (2, samples); None where it has none."""
    with _opened(piece.path) as source:
        if not source.streams.audio:
            return None
        resampler = AudioResampler("fltp", "stereo", RATE)
        parts: list[NDArray[Any]] = []
        start: float | None = None
        for frame in source.decode(source.streams.audio[0]):
            start = (frame.time or 0.0) if start is None else start
            parts += [part.to_ndarray() for part in resampler.resample(frame)]
        parts += [part.to_ndarray() for part in resampler.resample(None)]
    if not parts:
        return None
    samples = np.concatenate(parts, axis=1).astype(np.float32)
    first = round((piece.first / fps - (start or 0.0)) * RATE)
    if first < 0:
        samples = np.concatenate([np.zeros((2, -first), np.float32), samples], axis=1)
    return samples[:, max(0, first) : max(0, first) + round(piece.count * RATE / fps)]


def _run(job: dict[str, Any]) -> None:
    if (wanted := job.get("frame")) is not None:
        _write_frame(**wanted)
        return
    values = job["join"]
    pieces = tuple(Piece(**piece) for piece in values["pieces"])
    progress = WrittenFrames(sum(piece.count for piece in pieces))
    _join(Join(**values | {"pieces": pieces, "shape": VideoShape(**values["shape"])}), lambda _done: progress.add())


if __name__ == "__main__":
    run_writer(_run)
