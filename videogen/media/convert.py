"""Makes an MP4 that every browser plays of another video, in a child process with limits on time and memory.

What is fine is copied: only the container changes. Else pictures become H.264 and sound AAC. The child is
`python -m videogen.media.convert`: it reads a `Conversion` from standard input, and prints its progress.
"""

from __future__ import annotations

import errno
import json
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from videogen.core.errors import is_disk_fault
from videogen.media.encode import OPTIONS
from videogen.media.limited_process import TOO_MUCH, answer, follow_writer, start_child
from videogen.media.probe import BrokenMediaError
from videogen.media.sound import SoundTrack

INPUT_OPTIONS: Final = {"protocol_whitelist": "file"}
"""A file may name no other one to read."""
_PROGRESS_SECONDS: Final = 0.2
_TAGS: Final = ("title", "comment", "artist", "date")
_END: Final = "end"

Track: TypeAlias = "Callable[[Packet[Any] | None], Iterable[Packet[Any]]]"
"""Makes the packets of one stream of the new file from one packet of the old one, and from its end, which is None."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What to convert: `container` is FFmpeg's name of the source's; a stream that is copied is not encoded again."""

    source: str
    target: str
    container: str
    copy_video: bool
    copy_audio: bool


def convert(conversion: Conversion, watch: Callable[[tuple[int, int] | None], None]) -> None:
    """Write the target, which is whole but not durable on return.

    Args:
        conversion: what to do.
        watch: called several times a second, with the frames that are done and all of them if that is new. An
            exception that it raises ends the conversion.

    Raises:
        BrokenMediaError: the source cannot be read to its end.
        OSError: the disk accepts no bytes.
        StorageError: the child could not be started.
    """
    write_in_child(__name__, asdict(conversion), watch, "converted to H.264")


def write_in_child(
    module: str, job: dict[str, Any], watch: Callable[[tuple[int, int] | None], None], what: str
) -> None:
    """Run `python -m module`, whose main function calls `run_writer`; see `convert` for `watch` and what it raises.

    Args:
        module: of the child.
        job: what it shall do, as JSON.
        watch: see `convert`.
        what: what it does with the video, for messages.
    """
    last = ""
    with closing(follow_writer(module, json.dumps(job).encode())) as lines:
        for line in lines:
            done, _, total = (line or "").partition("/")
            watch((int(done), int(total)) if total.isdecimal() and done.isdecimal() else None)
            last = last if line is None else line
    check_outcome(last, what)


class WriterLostError(BrokenMediaError):
    """The process that wrote a file has ended without a word: it was killed, or has reached a limit."""


def check_outcome(last: str, what: str) -> None:
    """Raise what the last line of a writer's child reports; see `convert`. `what` it does is for messages."""
    if last == _END:
        return
    number, _, text = last.partition(" ")
    problem = OSError(int(number), text) if number.isdecimal() and text else None
    # Demuxers report EIO for a source that is cut short.
    if problem is not None and is_disk_fault(problem) and problem.errno != errno.EIO:
        raise problem
    kind = BrokenMediaError if text else WriterLostError
    raise kind(f"The video could not be {what}: it is {text or TOO_MUCH}. Render it again.")


def _convert(conversion: Conversion) -> None:
    with (
        av.open(conversion.source, format=conversion.container, options=INPUT_OPTIONS) as old,
        av.open(conversion.target, "w", format="mp4", options={"movflags": "+faststart"}) as new,
    ):
        new.metadata.update({name: value for name, value in old.metadata.items() if name in _TAGS})
        video = old.streams.video[0]
        tracks: dict[int, Track] = {video.index: _copied(new, video) if conversion.copy_video else _as_h264(new, video)}
        sources: list[VideoStream | AudioStream] = [video]
        if old.streams.audio:
            audio = old.streams.audio[0]
            sources.append(audio)
            tracks[audio.index] = _copied(new, audio) if conversion.copy_audio else _as_aac(new, audio)
        total = video.frames or round((old.duration or 0) / av.time_base * float(video.average_rate or 0))
        progress = WrittenFrames(total)
        for packet in old.demux(sources):
            if packet.size:
                for made in tracks[packet.stream_index](packet):
                    new.mux(made)
                if packet.stream_index == video.index:
                    progress.add()
        for track in tracks.values():
            for made in track(None):
                new.mux(made)


class WrittenFrames:
    """In the child: prints how many frames are done."""

    def __init__(self, total: int) -> None:
        self._done, self._total, self._printed = 0, total, time.monotonic()
        answer(f"0/{total}")

    def add(self) -> None:
        self._done += 1
        if time.monotonic() - self._printed >= _PROGRESS_SECONDS:
            self._printed = time.monotonic()
            answer(f"{self._done}/{max(self._done, self._total)}")


def _copied(new: OutputContainer, source: VideoStream | AudioStream) -> Track:
    target = new.add_stream_from_template(source)

    def copy(packet: Packet[Any] | None) -> Iterator[Packet[Any]]:
        if packet is not None:
            packet.stream = target
            yield packet

    return copy


def _as_h264(new: OutputContainer, source: VideoStream) -> Track:
    """Frames keep their times. An odd width or height loses one pixel."""
    rate, time_base = source.average_rate or 24, source.time_base
    # One key frame for each second, as in what is made here.
    target: VideoStream = new.add_stream("libx264", rate=rate, options={**OPTIONS, "g": str(max(1, round(rate)))})
    width, height = (max(2, size // 2 * 2) for size in (source.codec_context.width, source.codec_context.height))
    target.width, target.height, target.pix_fmt = width, height, "yuv420p"
    context = target.codec_context
    if time_base is not None:
        context.time_base = time_base
    context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    last = -1

    def encode(packet: Packet[Any] | None) -> Iterator[Packet[Any]]:
        nonlocal last
        for frame in source.decode(packet):
            picture = frame.reformat(
                width, height, "yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            last = max(last + 1, last + 1 if frame.pts is None else frame.pts)
            picture.pts, picture.time_base, picture.duration = last, frame.time_base or time_base, frame.duration
            yield from target.encode(picture)
        if packet is None:
            yield from target.encode(None)

    return encode


def _as_aac(new: OutputContainer, source: AudioStream) -> Track:
    track = SoundTrack(new, source.rate, source.channels)

    def encode(packet: Packet[Any] | None) -> Iterator[Packet[Any]]:
        for frame in source.decode(packet):
            yield from track.encode(frame)
        if packet is None:
            yield from track.encode(None)

    return encode


def run_writer(write: Callable[[dict[str, Any]], None]) -> None:
    """In the child: do the job that standard input describes, and print how it ended."""
    signal.alarm(start_child())
    job = json.loads(sys.stdin.read())
    try:
        write(job)
    except MemoryError:
        return
    except Exception as problem:  # whatever a broken file makes of it
        text = " ".join(str(getattr(problem, "strerror", None) or problem).split())[:200] or type(problem).__name__
        answer(f"{getattr(problem, 'errno', None) or 0} a file that cannot be read to its end ({text})")
        return
    answer(_END)


if __name__ == "__main__":
    run_writer(lambda job: _convert(Conversion(**job)))
