"""Draws trees: rows of conifers and leafy trees in the colours of the season, and single trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from videogen.engines.procedural.layer import STANDING, WATER_GROUNDS, WOODS, World
from videogen.engines.procedural.layers.light_beams import Mist, MistBank
from videogen.engines.procedural.noise import FloatArray, noise_1d
from videogen.engines.procedural.palette import Rgb, mix, scale
from videogen.engines.procedural.sprite import ParallaxLayer, Sprite, encode_color, sprite_from_image

_SUPERSAMPLING = 2
_PEAK = 2.0
_LEAVES: dict[str, tuple[Rgb, ...]] = {
    "autumn": ((0.62, 0.20, 0.035), (0.70, 0.36, 0.05), (0.50, 0.11, 0.03), (0.36, 0.24, 0.05)),
    "spring": ((0.22, 0.36, 0.07), (0.30, 0.42, 0.10), (0.62, 0.36, 0.42)),
    "": ((0.085, 0.17, 0.040), (0.12, 0.20, 0.045), (0.065, 0.14, 0.045)),
}


@dataclass(frozen=True)
class TreeRow:
    """One row of trees. `tallest`: picture units. `depth`: 0 (far) .. 1 (near). `leafy`: fraction that is not conifers.
    `crowd`: density."""

    tallest: float
    depth: float
    leafy: float
    crowd: float = 1.0


def tree_rows(
    world: World, rows: tuple[TreeRow, ...], colors: tuple[Rgb, ...], mist: float
) -> list[ParallaxLayer | Mist]:
    """Rows from far to near with mist between them."""
    layers: list[ParallaxLayer | Mist] = []
    for index, row in enumerate(rows):
        sprite = draw_tree_row(world, row, colors, world.rng(f"trees {index}"))
        foot = world.viewport.horizon + int(0.075 * row.depth**2 * world.viewport.unit)
        foot = min(foot, world.viewport.height)
        # Near rows stand on land. At a water, all rows stand on the far bank, so that the water reflects them.
        ashore = world.ground not in WATER_GROUNDS and row.depth >= 0.5
        order = (STANDING - 8 if ashore else WOODS) + row.depth
        foot = foot if ashore else world.viewport.horizon
        layers.append(ParallaxLayer(world, sprite, foot, 0.15 + 0.8 * row.depth, order))
        if mist > 0 and row.depth < 1:
            color = mix(world.lighting.haze, world.lighting.hour.near, 0.4)
            bank = MistBank(0.05 - 0.03 * row.depth, 0.075, mist * (0.75 - 0.4 * row.depth), color)
            layers.append(Mist(world, bank, f"mist {index}", order + 0.05))
    return layers


def draw_tree_row(world: World, row: TreeRow, colors: tuple[Rgb, ...], rng: np.random.Generator) -> Sprite:
    """One row of trees with the world's margins, behind its haze."""
    viewport = world.viewport
    unit = viewport.unit * _SUPERSAMPLING
    columns = world.layer_width
    rows = min(int(row.tallest * viewport.unit * 1.06) + 4, viewport.height)
    image = Image.new("RGBA", (columns * _SUPERSAMPLING, rows * _SUPERSAMPLING), (0, 0, 0, 0))
    pen = _TreePainter(world, row, image, colors, rng)
    grove = noise_1d(512, 2.4, rng, (3, 24))
    x = -0.1 * unit
    while x < columns * _SUPERSAMPLING + 0.1 * unit:
        density = float(grove[int(x / unit * 70) % 512])
        height = row.tallest * unit * min(1.0, 0.42 + 0.30 * max(0.0, density + 0.3) + 0.32 * rng.random() ** 1.6)
        pen.tree(x, rows * _SUPERSAMPLING, height)
        gap = 0.055 + 0.12 * rng.random() + (0.10 * rng.random() if density < -0.2 else 0.0)
        x += row.tallest * unit * gap / row.crowd * (1.6 if row.leafy > 0.5 else 1.0)
    pen.undergrowth(columns * _SUPERSAMPLING, rows * _SUPERSAMPLING, unit)
    return sprite_from_image(image, _SUPERSAMPLING, _PEAK)


def draw_tree(world: World, height: float, colors: tuple[Rgb, ...], rng: np.random.Generator) -> Sprite:
    """A single leafy tree, `height` pixels tall, without leaves in winter."""
    size = int(height)
    image = Image.new("RGBA", (size * _SUPERSAMPLING, size * _SUPERSAMPLING), (0, 0, 0, 0))
    pen = _TreePainter(world, TreeRow(height / world.viewport.unit, 1.0, 1.0), image, colors, rng)
    pen.great(size * _SUPERSAMPLING / 2, size * _SUPERSAMPLING, size * _SUPERSAMPLING * 0.98)
    return sprite_from_image(image, _SUPERSAMPLING, _PEAK)


def season_colors(world: World, colours: tuple[Rgb, ...]) -> tuple[Rgb, ...]:
    """Colours of the leaves: the requested ones, or those of the season."""
    return colours or _LEAVES.get(world.lighting.season, _LEAVES[""])


def _leaf_positions(rng: np.random.Generator, count: int) -> FloatArray:
    """Positions of the leaves in a crown, float (count, 2), about -1..1 across and down, in clusters."""
    clumps = rng.uniform(-1, 1, (26, 2))
    clumps *= 0.72 / np.maximum(1.0, np.hypot(*clumps.T))[:, None]
    positions = clumps[rng.integers(len(clumps), size=count)] + rng.normal(0, 0.14, (count, 2))
    return np.asarray(positions.clip(-1.1, 1.1))


class _TreePainter:
    """Draws the trees of one row. Lengths are in supersampled pixels."""

    def __init__(
        self, world: World, row: TreeRow, image: Image.Image, colors: tuple[Rgb, ...], rng: np.random.Generator
    ) -> None:
        self._world, self._row, self._colors, self._rng = world, row, colors, rng
        self._pen = ImageDraw.Draw(image)
        self._veil = min(0.92, 0.78 * (1 - row.depth) ** 1.1 + 0.02 + 0.35 * world.lighting.fog * (1 - 0.5 * row.depth))
        self._bark = self._ink((0.10, 0.075, 0.055), 0.25)
        self._snowy = world.is_snowy
        self._sunny = 1 if world.lighting.sun[0] > 0 else -1

    def _ink(self, albedo: Rgb, sunlit: float) -> tuple[int, int, int, int]:
        return encode_color(self._world.lighting.hazed(self._world.lighting.lit(albedo, sunlit), self._veil), _PEAK)

    def tree(self, x: float, ground: float, height: float) -> None:
        """Draw a tree of a random kind with its bottom at (x, ground)."""
        if self._rng.random() >= self._row.leafy:
            self._conifer(x, ground, height)
        elif self._world.lighting.season == "winter":
            self._bare(x, ground, height * 0.8)
        else:
            self._leafy(x, ground, height * 0.86)

    def _conifer(self, x: float, ground: float, height: float) -> None:
        rng = self._rng
        half, lean = height * rng.uniform(0.12, 0.19), height * rng.uniform(-0.02, 0.02)
        green = scale(mix((0.036, 0.080, 0.044), (0.055, 0.095, 0.032), rng.random()), rng.uniform(0.75, 1.2))
        dark, side = self._ink(green, 0.06), self._ink(green, 0.42)
        snow = self._ink((0.70, 0.77, 0.86), 0.35) if self._snowy else None
        trunk = max(1.0, height * 0.011)
        self._pen.rectangle((x - trunk, ground - height * 0.12, x + trunk, ground), fill=self._bark)
        boughs = max(5, min(int(rng.integers(15, 22)), int(height / 5)))
        for bough in range(boughs, 0, -1):
            fraction = (bough + rng.uniform(-0.3, 0.3)) / boughs
            reach, y = half * max(fraction, 0.02) ** 0.85, ground - height * (1 - fraction) * 0.95 - height * 0.03
            middle, deep = x + lean * (1 - fraction), height * 0.085
            for direction in (-1, 1):
                tip = (middle + direction * reach * rng.uniform(0.6, 1.1), y + deep * rng.uniform(0.25, 0.55))
                root = [(middle, y - deep), (middle, y + deep * 0.35)]
                self._pen.polygon(
                    [root[0], tip, (tip[0] - direction * reach * 0.35, tip[1] - deep * 0.04), root[1]], fill=dark
                )
                if direction == self._sunny:
                    edge = (middle + direction * reach * 0.5, y - deep * 0.22)
                    self._pen.polygon([(middle, y - deep * 0.9), edge, tip, (middle, y - deep * 0.3)], fill=side)
                if snow:
                    edge = (middle + direction * reach * 0.55, y - deep * 0.35)
                    self._pen.polygon(
                        [(middle, y - deep), edge, (tip[0], tip[1] - deep * 0.1), (middle, y - deep * 0.4)], fill=snow
                    )

    def undergrowth(self, columns: int, ground: int, unit: float) -> None:
        """Bushes and grass at the bottom of the trees."""
        rng, max_height = self._rng, unit * (0.010 + 0.030 * self._row.depth)
        albedo: Rgb = (0.60, 0.66, 0.74) if self._snowy else (0.060, 0.080, 0.030)
        for x in np.arange(0, columns, max_height * 0.35):
            tone = self._ink(scale(albedo, rng.uniform(0.6, 1.2)), rng.uniform(0.05, 0.3))
            width, height = max_height * rng.uniform(0.3, 0.8), max_height * rng.uniform(0.25, 1.0)
            self._pen.ellipse((x - width, ground - height, x + width, ground + height), fill=tone)

    def _trunk(self, x: float, ground: float, height: float, width: float) -> None:
        foot, top = width * 1.5, width * 0.7
        shape = [(x - foot, ground), (x - width, ground - height * 0.12), (x - top, ground - height)]
        shape += [(x + top, ground - height), (x + width, ground - height * 0.12), (x + foot, ground)]
        self._pen.polygon(shape, fill=self._bark)

    def _leafy(self, x: float, ground: float, height: float) -> None:
        rng = self._rng
        self._trunk(x, ground, height * 0.6, height * 0.017)
        color = self._colors[int(rng.integers(len(self._colors)))]
        width, crown_height = height * rng.uniform(0.20, 0.28), height * rng.uniform(0.30, 0.36)
        middle = ground - height * 0.66
        count = int(min(90 + 330 * self._row.depth, 24 + 1.2 * height))
        positions = _leaf_positions(rng, count)
        # Lower and darker leaves first, brighter ones in front of them.
        for px, py in positions[np.argsort(-positions[:, 1] + rng.normal(0, 0.25, count))]:
            size = (height * rng.uniform(0.013, 0.027) + 0.6) * (1.25 - 0.5 * abs(px))
            cx, cy = x + px * width * (1.1 - 0.3 * abs(py)), middle + py * crown_height
            tone = self._ink(
                scale(color, rng.uniform(0.75, 1.2)),
                max(0.0, 0.28 - 0.36 * py + 0.2 * px * self._sunny) * rng.uniform(0.5, 1.2),
            )
            self._pen.ellipse((cx - size, cy - size * 0.8, cx + size, cy + size * 0.8), fill=tone)

    def great(self, x: float, ground: float, height: float) -> None:
        """A large, broad tree."""
        if self._world.lighting.season == "winter":
            self._branch((x, ground), -np.pi / 2, height * 0.27, height * 0.034)
            return
        rng = self._rng
        self._trunk(x, ground, height * 0.46, height * 0.026)
        for turn in (-0.75, -0.35, 0.3, 0.7):
            tip = (x + np.sin(turn) * height * 0.30, ground - height * (0.40 + 0.26 * np.cos(turn)))
            self._pen.line((x, ground - height * 0.34, *tip), fill=self._bark, width=max(1, int(height * 0.017)))
        # Clusters of leaves from back to front, lit from above and from the side of the sun.
        for _ in range(46):
            angle, away = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random())
            px, py = np.cos(angle) * away, np.sin(angle) * away
            if py > 0.62:
                continue
            cx, cy = x + px * height * 0.36, ground - height * 0.64 + py * height * 0.27
            color = self._colors[int(rng.integers(len(self._colors)))]
            self._clump((cx, cy), height * rng.uniform(0.075, 0.12), color, 0.34 - 0.34 * py + 0.16 * px * self._sunny)

    def _clump(self, middle: tuple[float, float], radius: float, color: Rgb, light: float) -> None:
        """A round cluster of leaves. `light`: how much light reaches it, 0..1."""
        rng = self._rng
        positions = rng.normal(0, 0.5, (90, 2)).clip(-1.2, 1.2)
        for px, py in positions[np.argsort(-positions[:, 1])]:
            size = radius * rng.uniform(0.10, 0.20)
            tone = self._ink(scale(color, rng.uniform(0.7, 1.2)), max(0.0, light - 0.30 * py + 0.12 * px * self._sunny))
            cx, cy = middle[0] + px * radius, middle[1] + py * radius * 0.8
            self._pen.ellipse((cx - size, cy - size * 0.7, cx + size, cy + size * 0.7), fill=tone)

    def _bare(self, x: float, ground: float, height: float) -> None:
        self._branch((x, ground), -np.pi / 2, height * 0.36, height * 0.020)

    def _branch(self, foot: tuple[float, float], angle: float, length: float, width: float) -> None:
        tip = (foot[0] + length * np.cos(angle), foot[1] + length * np.sin(angle))
        self._pen.line((*foot, *tip), fill=self._bark, width=max(1, round(width)))
        if width > 0.9:
            for turn in self._rng.uniform(0.15, 0.75, 2) * (-1, 1):
                self._branch(tip, angle + turn, length * self._rng.uniform(0.62, 0.85), width * 0.64)
