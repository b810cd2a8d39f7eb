"""Sound as AAC, beside the pictures of a video."""

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

_RATES: Final = (44_100, 48_000)
_BITS: Final = 192_000
_FRAME: Final = 1024
"""Samples in a frame of AAC."""


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


class AacTrack:
    """Encodes sound for a new stream of a file. Mono stays mono, more channels become stereo; a rate that AAC does not
    have everywhere becomes 48 kHz.
    """

    def __init__(self, new: OutputContainer, rate: int, channels: int) -> None:
        self._rate = rate if rate in _RATES else _RATES[-1]
        layout = "mono" if channels == 1 else "stereo"
        self._stream: AudioStream = new.add_stream("aac", rate=self._rate, layout=layout)
        self._stream.bit_rate = _BITS
        self._resampler = AudioResampler("fltp", layout, self._rate, frame_size=_FRAME)
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
