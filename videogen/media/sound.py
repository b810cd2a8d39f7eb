"""Sound as AAC or Opus, beside the pictures of a video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SoundCodec:
    """How sound is encoded: FFmpeg's encoder, its sample format and its samples in a frame, bits a second, rates."""

    name: str
    samples: str
    frame: int
    bits: int
    rates: tuple[int, ...]


AAC: Final = SoundCodec("aac", "fltp", 1024, 192_000, (44_100, 48_000))
OPUS: Final = SoundCodec("libopus", "flt", 960, 128_000, (48_000,))


@dataclass(frozen=True, slots=True)
class Sound:
    """`samples`: float32 in -1..1, shape (channels, samples), one channel or two; `rate`: of them in a second."""

    samples: NDArray[np.float32]
    rate: int

    def frame(self) -> AudioFrame:
        """All of it in one frame, for an encoder."""
        layout = "mono" if len(self.samples) == 1 else "stereo"
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(self.samples[:2]), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = self.rate, 0, Fraction(1, self.rate)
        return frame


class SoundTrack:
    """Encodes sound for a new stream of a file. Mono stays mono, more channels become stereo; a rate that the codec
    does not have everywhere becomes 48 kHz.
    """

    def __init__(self, new: OutputContainer, rate: int, channels: int, codec: SoundCodec = AAC) -> None:
        self._rate = rate if rate in codec.rates else codec.rates[-1]
        layout = "mono" if channels == 1 else "stereo"
        stream = new.add_stream(codec.name, rate=self._rate, layout=layout)
        assert isinstance(stream, AudioStream)
        self._stream = stream
        self._stream.bit_rate = codec.bits
        self._resampler = AudioResampler(codec.samples, layout, self._rate, frame_size=codec.frame)
        self._position: int | None = None
        """Of the next sample. Counted, because the times of parts that are cut anew are not those of the source."""

    def encode(self, frame: AudioFrame | None) -> Iterator[Packet[Any]]:
        """The packets that a frame makes whole; None: the sound has ended."""
        if self._position is None:
            self._position = max(0, round((frame.time or 0.0) * self._rate)) if frame else 0
        for part in self._resampler.resample(frame):
            part.pts, part.time_base = self._position, Fraction(1, self._rate)
            self._position += part.samples
            yield from self._stream.encode(part)
        if frame is None:
            yield from self._stream.encode(None)
