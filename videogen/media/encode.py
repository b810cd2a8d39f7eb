"""Frames to H.264 in MP4: one segment per second, then one whole file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from av.video.stream import VideoStream
from numpy.typing import NDArray

from videogen.core.atomic_files import replacing

# The same frames must give the same bytes, or a resumed render would differ from an unbroken one. x264's bytes
# depend on its thread count; and its macroblock tree reads memory that it never wrote when there are B-frames,
# so that its choices change with what lay there before.
OPTIONS: Final = {"preset": "veryfast", "crf": "20", "threads": "2", "mbtree": "0"}
ENCODER: Final = f"av {av.__version__}, {' '.join(f'{key}={value}' for key, value in OPTIONS.items())}"
"""What else the bytes depend on: segments of another encoder must not be joined with this one's."""
_EXACT: Final = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


@dataclass(frozen=True, slots=True)
class VideoShape:
    """Width and height in pixels (even), frames in one second."""

    width: int
    height: int
    fps: int


class SegmentEncoder:
    """Writes one closed group of pictures as an MP4 of its own: H.264, 4:2:0, BT.709, limited range.

    A context manager; the file is complete once the block has ended well. Not durable by itself: write it
    inside `durable.replacing`.
    """

    def __init__(self, path: Path, shape: VideoShape) -> None:
        self._container: OutputContainer = av.open(str(path), "w", format="mp4")
        self._rate = Fraction(shape.fps)
        self._reformatter = VideoReformatter()
        self._frames = 0
        # No key frame is forced inside: a segment is one second long.
        options = {**OPTIONS, "g": str(shape.fps), "flags": "+cgop"}
        self._stream: VideoStream = self._container.add_stream("libx264", rate=self._rate, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = shape.width, shape.height, "yuv420p"
        context = self._stream.codec_context
        context.color_range = ColorRange.MPEG
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Add one frame: uint8, shape (height, width, 3), RGB, full range."""
        picture = self._reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=_EXACT,
            threads=1,
        )
        picture.pts, picture.time_base, picture.duration = self._frames, 1 / self._rate, 1
        self._frames += 1
        self._container.mux(self._stream.encode(picture))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


def join_segments(segments: Sequence[Path], out: Path, metadata: Mapping[str, str]) -> None:
    """Join segments of one shape into `out`, a whole MP4 that plays while it loads, without encoding again.

    `out` is durable on return, and untouched if anything raises.

    Args:
        segments: files of `SegmentEncoder`, in order, at least one.
        out: where the MP4 goes.
        metadata: container tags that MP4 knows, such as `title` and `comment`.
    """
    with replacing(out) as part:
        options = {"movflags": "+faststart"}
        with av.open(str(part), "w", format="mp4", options=options) as whole:
            whole.metadata.update(metadata)
            joint = _Joint(whole)
            for path in segments:
                with av.open(str(path)) as segment:
                    joint.append(segment)


class _Joint:
    """Copies the packets of one segment after the other into one stream, at an even pace."""

    def __init__(self, whole: OutputContainer) -> None:
        self._whole = whole
        self._stream: VideoStream | None = None
        self._frames = 0
        self._first_dts = 0

    def append(self, segment: InputContainer) -> None:
        """Add all frames of a segment, which has the shape and the frame rate of the first one."""
        source = segment.streams.video[0]
        rate = source.guessed_rate
        if source.time_base is None or rate is None:
            raise ValueError(f"{segment.name}: expected a video segment with a frame rate, got none")
        if self._stream is None:
            self._stream = self._whole.add_stream_from_template(source)
        tick = int(1 / (rate * source.time_base))
        start = self._frames
        for packet in segment.demux(source):
            if packet.dts is None or packet.pts is None:
                continue  # the demuxer's end mark
            if self._frames == 0:
                self._first_dts = packet.dts
            packet.pts += start * tick
            # Not the segment's own: a very short one has no reordering delay, which would leave a gap in the
            # decoding times of the whole, and a frame rate that is no longer even.
            packet.dts = self._first_dts + self._frames * tick
            packet.duration = tick
            packet.stream = self._stream
            self._whole.mux(packet)
            self._frames += 1
