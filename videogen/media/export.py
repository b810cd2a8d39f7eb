"""Makes a WebM, a GIF or a zip of PNG files of a video, in a child process with limits on time, memory and size.

The child is `python -m videogen.media.export`: it reads an `ExportTask` from standard input, prints its progress, and
holds a few frames in memory, however long the video is.
"""

from __future__ import annotations

import itertools
import json
import os
import zipfile
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Final

import av
from av.container import InputContainer, OutputContainer
from av.filter import Graph
from av.filter.context import FilterContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from videogen.media.convert import INPUT_OPTIONS, WrittenFrames, run_writer
from videogen.media.limited_process import follow_writer
from videogen.media.sound import OPUS, SoundTrack

GIF_WIDTH: Final = 480
"""Pixels; a narrower video keeps its width."""
GIF_FPS: Final = 15
GIF_DELAY: Final = Fraction(7, 100)
"""Seconds between two frames of a GIF where the video has more than `GIF_FPS`: a GIF counts in hundredths, so that a
whole number of them moves evenly."""
LONGEST_SECONDS: Final = 900
"""How long one export may take."""
MOST_BYTES: Final = 4_000_000_000
"""How large it may become."""
_VP9: Final = {"crf": "31", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}
_NICE: Final = 5
"""Renderers and the server come first."""


@dataclass(frozen=True, slots=True)
class ExportTask:
    """What to make: paths of an MP4 and of the new file, and the format: `webm`, `gif` or `png`."""

    source: str
    target: str
    format: str


def follow_export(task: ExportTask) -> Generator[str | None]:
    """Make an export, and yield the child's lines; see `limited_process.follow_writer` and `convert.outcome`."""
    return follow_writer(__name__, json.dumps(asdict(task)).encode(), LONGEST_SECONDS, MOST_BYTES)


def _make(job: dict[str, Any]) -> None:
    os.nice(_NICE)
    task = ExportTask(**job)
    with av.open(task.source, format="mp4", options=INPUT_OPTIONS) as video:
        stream = video.streams.video[0]
        stream.thread_type = "AUTO"
        frames = stream.frames or round((video.duration or 0) / av.time_base * float(stream.average_rate or 0))
        if task.format == "webm":
            _webm(video, task.target, WrittenFrames(frames))
        elif task.format == "gif":
            _gif(video, task.target, WrittenFrames(2 * frames))
        else:
            _pictures(video, task.target, WrittenFrames(frames))


def _webm(video: InputContainer, target: str, progress: WrittenFrames) -> None:
    source, sounds = video.streams.video[0], video.streams.audio[:1]
    with av.open(target, "w", format="webm") as new:
        new.metadata.update({name: value for name, value in video.metadata.items() if name in ("title", "comment")})
        pictures = _vp9_stream(new, source)
        track = SoundTrack(new, sounds[0].rate, sounds[0].channels, OPUS) if sounds else None
        for packet in video.demux(source, *sounds):
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    frame.pict_type = 0  # the encoder decides which are key frames
                    new.mux(pictures.encode(frame))
                    progress.add()
                elif track is not None:
                    for made in track.encode(frame):  # type: ignore[arg-type]
                        new.mux(made)
        new.mux(pictures.encode(None))
        if track is not None:
            for made in track.encode(None):
                new.mux(made)


def _vp9_stream(new: OutputContainer, source: VideoStream) -> VideoStream:
    rate = source.average_rate or Fraction(24)
    stream: VideoStream = new.add_stream("libvpx-vp9", rate=rate, options={**_VP9, "g": str(4 * round(rate))})
    stream.width, stream.height, stream.pix_fmt = source.width, source.height, "yuv420p"
    context, old = stream.codec_context, source.codec_context
    context.thread_count = min(4, os.cpu_count() or 1)
    if source.time_base is not None:
        context.time_base = source.time_base
    context.color_range, context.colorspace = old.color_range, old.colorspace
    context.color_primaries, context.color_trc = old.color_primaries, old.color_trc
    return stream


def _gif(video: InputContainer, target: str, progress: WrittenFrames) -> None:
    """In two passes: the 256 colours that fit this clip best, and then its frames in them."""
    source = video.streams.video[0]
    fitted = Graph()
    _chain(fitted, _fitted(fitted, source), ("palettegen", "stats_mode=diff"), ("buffersink", None)).configure()
    for frame in video.decode(source):
        fitted.vpush(frame)
        progress.add()
    fitted.vpush(None)
    palette = fitted.vpull()
    video.seek(0)
    graph = Graph()
    colours = graph.add_buffer(
        width=palette.width, height=palette.height, format=palette.format, time_base=Fraction(1, 100)
    )
    use = graph.add("paletteuse", "dither=sierra2_4a:diff_mode=rectangle")
    pictures, last = _fitted(graph, source)
    last.link_to(use, 0, 0)
    colours.link_to(use, 0, 1)
    sink = graph.add("buffersink")
    use.link_to(sink)
    graph.configure()
    colours.push(palette)
    colours.push(None)
    _encode_gif(target, _pushed(video, pictures, sink, progress))


def _fitted(graph: Graph, source: VideoStream) -> tuple[FilterContext, FilterContext]:
    """The first and the last filter of those that give frames their size and their rate."""
    first = graph.add_buffer(template=source)
    rate, width = source.average_rate or Fraction(24), min(GIF_WIDTH, source.width)
    fps = graph.add("fps", f"fps={1 / GIF_DELAY if rate > GIF_FPS else rate}")
    scale = graph.add("scale", f"{width}:-1:flags=lanczos")
    first.link_to(fps)
    fps.link_to(scale)
    return first, scale


def _chain(graph: Graph, ends: tuple[FilterContext, FilterContext], *filters: tuple[str, str | None]) -> Graph:
    last = ends[1]
    for name, options in filters:
        following = graph.add(name, options)
        last.link_to(following)
        last = following
    return graph


def _pushed(
    video: InputContainer, first: FilterContext, sink: FilterContext, progress: WrittenFrames
) -> Iterator[VideoFrame]:
    """What comes out of a graph, while the frames of a video go in."""
    for frame in (one for part in (video.decode(video=0), (None,)) for one in part):
        first.push(frame)
        if frame is not None:
            progress.add()
        yield from _ready(sink)


def _ready(sink: FilterContext) -> Iterator[VideoFrame]:
    while True:
        try:
            frame = sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, VideoFrame)
        yield frame


def _encode_gif(target: str, frames: Iterator[VideoFrame]) -> None:
    with av.open(target, "w", format="gif") as new:
        stream: VideoStream | None = None
        for frame in frames:
            if stream is None:
                stream = new.add_stream("gif", rate=100)
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "pal8"
                stream.codec_context.time_base = Fraction(1, 100)
            at = round((frame.pts or 0) * (frame.time_base or Fraction(1)) * 100)
            frame.pts, frame.time_base = at, Fraction(1, 100)
            new.mux(stream.encode(frame))
        if stream is not None:
            new.mux(stream.encode(None))


def _pictures(video: InputContainer, target: str, progress: WrittenFrames) -> None:
    """Each frame goes into the zip at once: nothing else is on the disk. PNG files do not get smaller in a zip."""
    source = video.streams.video[0]
    png: VideoCodecContext = av.CodecContext.create("png", "w")
    png.width, png.height, png.pix_fmt = source.width, source.height, "rgb24"
    png.time_base, png.thread_count = Fraction(1, 24), min(4, os.cpu_count() or 1)
    png.options = {"pred": "mixed", "compression_level": "3"}
    numbers = itertools.count(1)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:

        def store(packets: Iterable[Packet[Any]]) -> None:
            for packet in packets:
                archive.writestr(f"frame_{next(numbers):04d}.png", bytes(packet))
                progress.add()

        for frame in video.decode(source):
            store(png.encode(frame.reformat(format="rgb24")))
        store(png.encode(None))


if __name__ == "__main__":
    run_writer(_make)
