"""The entry: a spec, a size and a seed become a scene that can show any moment of itself."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from videogen.engines.procedural.camera import Camera
from videogen.engines.procedural.compose import build_world, compose
from videogen.engines.procedural.language import SceneSpec
from videogen.engines.procedural.light import Developer
from videogen.engines.procedural.stage import Stage
from videogen.engines.procedural.styles import build_style

FADE_SECONDS: Final = 0.8
"""How long one shot turns into the next, and the end of a loop into its beginning, at most."""
_KEPT_SHOTS: Final = 2


class Shot:
    """One built shot."""

    def __init__(
        self, spec: SceneSpec, index: int, size: tuple[int, int], seed: tuple[int, ...], seconds: float
    ) -> None:
        shot = spec.shots[index]
        chances = (*seed, index)
        # Shots of a loop fade into each other; only a single one must come round by itself.
        loop = spec.loop and len(spec.shots) == 1
        self._camera = Camera(shot, seconds, loop, np.random.default_rng([*chances, 1]))
        world = build_world(shot, size, self._camera, chances)
        layers, grade = compose(world)
        self._stage = Stage(world.frame, layers)
        self._developer = Developer(size, grade, world.rng("grain"))
        # A city's own lamps are neon enough.
        style = "" if shot.style == "neon" and shot.find("city") else shot.style
        self._manner = build_style(style, size, world.rng("style"))

    def picture(self, t: float) -> NDArray[np.uint8]:
        """The moment t, in seconds of the shot, as uint8 (H, W, 3), RGB. Before its start and after its end, too."""
        moment = self._camera.at(t)
        picture = self._camera.crop(self._developer.develop(self._stage.paint(moment), t), t)
        return self._manner(picture, t) if self._manner else picture


class Scene:
    """A built scene. Shots are built when they are first needed; any number of threads may ask for frames."""

    def __init__(self, spec: SceneSpec, size: tuple[int, int], seed: int, duration: float) -> None:
        width, height = size
        if width < 16 or height < 16 or width % 2 or height % 2:
            raise ValueError(f"size: expected even numbers of at least 16, got {width}x{height}")
        self.size = size
        self._spec, self._seed, self._duration = spec, (seed & 0xFFFF_FFFF_FFFF_FFFF, spec.variant), duration
        self._length = duration / len(spec.shots)
        self._fade = min(FADE_SECONDS, 0.4 * self._length)
        self._shots: OrderedDict[int, Shot] = OrderedDict()
        self._building = threading.Lock()

    def frame(self, t: float) -> NDArray[np.uint8]:
        """The moment t (seconds) as uint8 (H, W, 3), RGB. The same t gives the same bytes, in any order of calls and
        on any number of threads."""
        count = len(self._spec.shots)
        boundary = round(t / self._length)
        share = (t - boundary * self._length) / self._fade + 0.5
        if 0 < boundary < count and 0 < share < 1:
            how = self._spec.shots[boundary].transition
            if how != "cut":
                return self._turn(how, (boundary - 1, boundary), t, share)
        ending = 1 - (self._duration - t) / self._coming_round
        if self._spec.loop and ending > 0:
            last, first = self._picture(count - 1, t), self._picture(0, t - self._duration)
            return blend(last, first, ending)
        return self._picture(min(max(int(t / self._length), 0), count - 1), t)

    @property
    def _coming_round(self) -> float:
        """Seconds over which a loop's end turns into its beginning."""
        return min(0.35 * self._length, 2 * FADE_SECONDS)

    def _turn(self, how: str, between: tuple[int, int], t: float, share: float) -> NDArray[np.uint8]:
        """One shot turning into the next: `share`, 0..1, tells how far."""
        if how == "crossfade":
            return blend(self._picture(between[0], t), self._picture(between[1], t), share)
        shown = self._picture(between[int(share >= 0.5)], t)
        return blend(np.zeros_like(shown), shown, abs(2 * share - 1))

    def _picture(self, index: int, t: float) -> NDArray[np.uint8]:
        # A shot is in sight half a fade before it begins by itself.
        return self._shot(index).picture(t - index * self._length + self._fade / 2)

    def _shot(self, index: int) -> Shot:
        with self._building:
            if index not in self._shots:
                while len(self._shots) >= _KEPT_SHOTS:
                    self._shots.popitem(last=False)
                seconds = self._length if len(self._spec.shots) == 1 else self._length + self._fade
                self._shots[index] = Shot(self._spec, index, self.size, self._seed, seconds)
            self._shots.move_to_end(index)
            return self._shots[index]


def blend(a: NDArray[np.uint8], b: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """From picture a (share 0) to b (share 1), softly and about as light would: squares of the values are mixed."""
    weight = np.float32(share * share * (3 - 2 * share))
    mixed = np.square(a, dtype=np.float32)
    mixed *= 1 - weight
    mixed += np.square(b, dtype=np.float32) * weight
    np.sqrt(mixed, out=mixed)
    mixed += np.float32(0.5)
    return mixed.astype(np.uint8)


def build_scene(spec: SceneSpec, size: tuple[int, int], seed: int, duration: float) -> Scene:
    """Build a scene of size (width, height) in pixels, both even, for a clip of `duration` seconds.

    Any integer is a seed; spec, size, seed and duration settle every byte."""
    return Scene(spec, size, seed, duration)
