"""Small videos that a stand-in can give as its result."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import cache

import av
import numpy as np
from av.video.frame import VideoFrame


@cache
def clip(width: int, height: int, fps: int, num_frames: int) -> bytes:
    """An MP4 of moving bars that every browser plays: H.264, 4:2:0."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        video = file.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        for index in range(num_frames):
            columns = (np.arange(width) * 4 + 8 * index) % 256
            pixels = np.broadcast_to(columns[None, :, None], (height, width, 3)).astype(np.uint8)
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
    return buffer.getvalue()
