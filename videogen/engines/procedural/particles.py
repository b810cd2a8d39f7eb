"""Draws small soft dots and streaks at sub-pixel positions, so that they do not flicker when they move."""

import numpy as np

from videogen.engines.procedural.noise import F32


def add_dots(plane: F32, x: F32, y: F32, radius: float, amount: F32) -> None:
    """Add Gaussian dots to `plane`, float32 (H, W), C-contiguous. x, y: centres in pixels; `radius`: in pixels, the
    same for all; `amount`: peak of each. Dots outside are skipped, dots at the edge are clipped."""
    height, width = plane.shape
    reach = int(np.ceil(radius * 2.2))
    inside = (x > -reach) & (x < width + reach) & (y > -reach) & (y < height + reach) & (amount > 0)
    x, y, amount = x[inside], y[inside], amount[inside]
    steps = np.arange(-reach, reach + 1)
    columns = np.floor(x).astype(np.intp)[:, None] + steps
    rows = np.floor(y).astype(np.intp)[:, None] + steps
    across = np.exp(-(((columns + np.float32(0.5)) - x[:, None]) ** 2) / (radius * radius))
    down = np.exp(-(((rows + np.float32(0.5)) - y[:, None]) ** 2) / (radius * radius))
    across[(columns < 0) | (columns >= width)] = 0
    down[(rows < 0) | (rows >= height)] = 0
    np.clip(columns, 0, width - 1, out=columns)
    np.clip(rows, 0, height - 1, out=rows)
    values = (down * amount[:, None])[:, :, None] * across[:, None, :]
    index = rows[:, :, None] * width + columns[:, None, :]
    np.add.at(plane.reshape(-1), index.ravel(), values.ravel().astype(np.float32))


def add_streaks(plane: F32, x: F32, y: F32, step: tuple[float, float], samples: int, amount: F32) -> None:
    """Add motion-blurred streaks: from (x, y) in pixels, `samples` points, each `step` pixels from the last. Each point
    is spread over four pixels; the streak fades towards both ends."""
    height, width = plane.shape
    along = np.arange(samples, dtype=np.float32)
    fade = np.sin(np.pi * (along + 0.5) / samples).astype(np.float32)
    px = (x[:, None] + along * np.float32(step[0])).ravel()
    py = (y[:, None] + along * np.float32(step[1])).ravel()
    value = (amount[:, None] * fade).ravel()
    inside = (px >= 0) & (px < width - 1) & (py >= 0) & (py < height - 1)
    px, py, value = px[inside], py[inside], value[inside]
    x0, y0 = px.astype(np.intp), py.astype(np.intp)
    fx, fy = px - x0.astype(np.float32), py - y0.astype(np.float32)
    index = y0 * width + x0
    flat = plane.reshape(-1)
    left, right = value * (1 - fx), value * fx
    np.add.at(flat, index, left * (1 - fy))
    np.add.at(flat, index + 1, right * (1 - fy))
    np.add.at(flat, index + width, left * fy)
    np.add.at(flat, index + width + 1, right * fy)
