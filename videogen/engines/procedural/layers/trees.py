"""A line of conifers: uneven groves and gaps, drawn once as a silhouette."""

import numpy as np
from PIL import Image, ImageDraw

from videogen.engines.procedural.frame import Frame
from videogen.engines.procedural.noise import F32, profile

_FINE = 3


def draw_trees(frame: Frame, columns: int, tallest: float, rng: np.random.Generator) -> F32:
    """Cover, float32 (rows, columns) 0..1, top row first, of trees up to `tallest` picture units."""
    unit = frame.unit * _FINE
    rows = int(tallest * frame.unit * 1.08) + 2
    image = Image.new("L", (columns * _FINE, rows * _FINE), 0)
    pen = ImageDraw.Draw(image)
    grove = profile(512, 2.4, rng, (3, 24))
    x = -0.02 * unit
    while x < columns * _FINE:
        at = grove[int(x / unit * 90) % 512]
        tall = tallest * unit * (0.24 + 0.42 * max(0.0, float(at) + 0.2) + 0.36 * rng.random() ** 2.6)
        _draw_tree(pen, x, rows * _FINE, min(tall, tallest * unit), rng)
        x += tallest * unit * (0.07 + 0.16 * rng.random() + (1.5 * rng.random() if at < -0.15 else 0.0))
    bank = (0.009 + 0.004 * profile(512, 1.6, rng, (4, 200))) * unit
    steps = np.linspace(0, columns * _FINE, 512)
    shore = [(float(step), rows * _FINE - float(high)) for step, high in zip(steps, bank, strict=True)]
    pen.polygon([(0.0, float(rows * _FINE)), *shore, (float(columns * _FINE), float(rows * _FINE))], fill=255)
    return np.asarray(image.reduce(_FINE), np.float32) * np.float32(1 / 255)


def _draw_tree(pen: ImageDraw.ImageDraw, x: float, ground: float, tall: float, rng: np.random.Generator) -> None:
    """One tree: boughs that droop, ragged, no two sides alike."""
    boughs = int(rng.integers(9, 15))
    half = tall * rng.uniform(0.14, 0.21)
    lean = tall * rng.uniform(-0.02, 0.02)
    outline: dict[int, list[tuple[float, float]]] = {-1: [], 1: []}
    for side, points in outline.items():
        for bough in range(boughs):
            share = (bough + 1) / boughs
            reach = half * share**0.8 * rng.uniform(0.68, 1.12)
            y = ground - tall * (1 - share) * 0.94 - tall * 0.02
            middle = x + lean * (1 - share)
            points.append((middle + side * reach, y + tall * 0.018))
            points.append((middle + side * reach * rng.uniform(0.40, 0.62), y - tall * 0.022))
    pen.polygon([(x + lean, ground - tall), *outline[1], *reversed(outline[-1])], fill=255)
    trunk = max(1.0, tall * 0.012)
    pen.rectangle((x - trunk, ground - tall * 0.1, x + trunk, ground), fill=255)
