"""Encodes frames as H.264 in MP4: one segment for each second, then one file of all segments."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from videogen.core.atomic_files import replacing
from videogen.media.sound import Sound, SoundTrack

# The same frames must give the same bytes, or a resumed render would differ from an uninterrupted one. The bytes of
# x264 depend on its number of threads. Its macroblock tree reads uninitialised memory when there are B-frames.
OPTIONS: Final = {"preset": "veryfast", "crf": "20", "threads": "2", "mbtree": "0"}
ENCODER: Final = f"av {av.__version__}, {' '.join(f'{key}={value}' for key, value in OPTIONS.items())}"
"""Identifies the encoder: segments of different encoders must not be joined."""
_EXACT: Final = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


@dataclass(frozen=True, slots=True)
class VideoShape:
    """`width` and `height` in pixels, both even; `fps` in frames per second."""

    width: int
    height: int
    fps: int


class SegmentEncoder:
    """Writes one closed group of pictures to an MP4 file: H.264, 4:2:0, BT.709, limited range.

    A context manager: the file is complete when the block ends without an error. It is durable only if `path` comes
    from `core.atomic_files.replacing`.
    """

    def __init__(self, path: Path, shape: VideoShape) -> None:
        self._container: OutputContainer = av.open(str(path), "w", format="mp4")
        self._rate = Fraction(shape.fps)
        self._reformatter = VideoReformatter()
        self._frames = 0
        # A segment has one second of frames, so its first frame is its only key frame.
        options = {**OPTIONS, "g": str(shape.fps), "flags": "+cgop"}
        self._stream: VideoStream = self._container.add_stream("libx264", rate=self._rate, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = shape.width, shape.height, "yuv420p"
        context = self._stream.codec_context
        context.color_range = ColorRange.MPEG
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Add one frame: uint8 of shape (height, width, 3), RGB, full range 0..255."""
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

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


def join_segments(segments: Sequence[Path], out: Path, metadata: Mapping[str, str], sound: Sound | None = None) -> None:
    """Join segments into one MP4 that can be played while it loads. Frames are copied, not encoded again.

    `out` is durable on return, and unchanged if an error is raised.

    Args:
        segments: files of `SegmentEncoder`, in order, at least one, all of the same `VideoShape`.
        out: the path of the MP4.
        metadata: container tags that MP4 supports, such as `title` and `comment`.
        sound: becomes AAC; what is longer than the video is cut off.

    Raises:
        ValueError: a segment has no frame rate.
        av.FFmpegError: a segment is missing or broken.
    """
    options = {"movflags": "+faststart"}
    with replacing(out) as part, av.open(str(part), "w", format="mp4", options=options) as whole:
        whole.metadata.update(metadata)
        joiner = SegmentJoiner(whole, sound)
        for path in segments:
            with av.open(str(path)) as segment:
                joiner.append(segment)


class SegmentJoiner:
    """Copies the packets of one segment after the other into one stream, with evenly spaced timestamps. Sound goes
    between them.
    """

    def __init__(self, whole: OutputContainer, sound: Sound | None) -> None:
        self._whole, self._sound = whole, sound
        self._packets: deque[Packet[Any]] = deque()
        """Of the sound, those that are not written yet."""
        self._stream: VideoStream | None = None
        self._frames = 0
        self._first_dts = 0

    def append(self, segment: InputContainer, first: int = 0, count: int | None = None) -> None:
        """Add frames of a segment, which has the same shape and frame rate as the first one.

        Args:
            segment: in which frame `first` is a key frame, and what comes after the last one begins with one.
            first: the first frame.
            count: how many; None: all after that.
        """
        source = segment.streams.video[0]
        rate = source.guessed_rate
        if source.time_base is None or rate is None:
            raise ValueError(f"{segment.name}: expected a video segment with a frame rate, got none")
        if self._stream is None:
            self._stream = self._whole.add_stream_from_template(source)
            self._encode_sound()
        tick = int(1 / (rate * source.time_base))
        start, position = self._frames - first, -1
        for packet in segment.demux(source):
            if packet.dts is None or packet.pts is None:
                continue  # the demuxer's end of the stream
            position += 1
            if position < first or (count is not None and position >= first + count):
                continue
            if self._frames == 0:
                self._first_dts = packet.dts + start * tick
            packet.pts += start * tick
            # Not the segment's own decoding time: a very short segment has no reordering delay, which would leave a
            # gap in the decoding times, and the frame rate would not be constant.
            packet.dts = self._first_dts + self._frames * tick
            packet.duration = tick
            packet.stream = self._stream
            self._whole.mux(packet)
            self._frames += 1
            while self._packets and (self._packets[0].pts or 0) * self._packets[0].time_base < self._frames / rate:
                self._whole.mux(self._packets.popleft())

    def _encode_sound(self) -> None:
        if self._sound is not None:
            track = SoundTrack(self._whole, self._sound.rate, len(self._sound.samples))
            self._packets.extend(track.encode(self._sound.frame()))
            self._packets.extend(track.encode(None))
