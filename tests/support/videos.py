"""Videos as engines may make them: any codec and container, with or without sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

FPS = 8


def write_video(
    path: Path,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    *,
    size: tuple[int, int] = (64, 48),
    seconds: float = 1.0,
    sound: str = "",
    container: str = "mp4",
    movflags: str = "",
    **options: str,
) -> Path:
    """A video of moving bars, at `FPS`. `sound` is a codec for a second stream, a tone; without it there is none."""
    with av.open(str(path), "w", format=container, options={"movflags": movflags} if movflags else {}) as file:
        video = file.add_stream(codec, rate=FPS, options=options)
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        audio = file.add_stream(sound, rate=48_000, layout="stereo") if sound else None
        for index in range(round(seconds * FPS)):
            columns = (np.arange(size[0]) * 4 + 8 * index) % 256
            pixels = np.broadcast_to(columns[None, :, None], (size[1], size[0], 3)).astype(np.uint8)
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            file.mux(video.encode(frame))
        file.start_encoding()
        if seconds:
            file.mux(video.encode(None))
        if audio is not None:
            samples = int(seconds * 48_000) // 1024 * 1024
            tone = np.sin(np.arange(samples) / 48_000 * 440 * 2 * np.pi) / 4
            for start in range(0, samples, 960):
                part = tone[start : start + 960]
                stereo = np.repeat((part * 32767).astype(np.int16), 2)[None]
                chunk = AudioFrame.from_ndarray(stereo, format="s16", layout="stereo")
                chunk.sample_rate, chunk.pts, chunk.time_base = 48_000, start, Fraction(1, 48_000)
                file.mux(audio.encode(chunk))
            file.mux(audio.encode(None))
    return path
