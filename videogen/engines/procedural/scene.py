"""Builds a scene from a description, a size and a seed. A scene can render any of its frames."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from videogen.engines.procedural.camera import Camera
from videogen.engines.procedural.compositor import Compositor
from videogen.engines.procedural.language import SceneSpec
from videogen.engines.procedural.shot_builder import build_layers, build_world
from videogen.engines.procedural.styles import build_style
from videogen.engines.procedural.tone_mapping import ToneMapper
from videogen.engines.procedural.viewport import checked_size

FADE_SECONDS: Final = 0.8
"""Longest transition between shots. The end of a loop fades into its start for twice this time at most."""
_MAX_BUILT_SHOTS: Final = 2


class Shot:
    """One built shot."""

    def __init__(
        self, spec: SceneSpec, index: int, size: tuple[int, int], seed: tuple[int, ...], seconds: float
    ) -> None:
        shot = spec.shots[index]
        shot_seed = (*seed, index)
        # Shots of a loop fade into each other. Only a single shot must be periodic by itself.
        loop = spec.loop and len(spec.shots) == 1
        self._camera = Camera(shot, seconds, loop, np.random.default_rng([*shot_seed, 1]), 1 / size[1])
        world = build_world(shot, size, self._camera, shot_seed)
        layers, grade = build_layers(world)
        self._compositor = Compositor(world.viewport, layers)
        self._tone_mapper = ToneMapper(size, grade, world.rng("grain"))
        # A city has enough neon lamps already.
        style = "" if shot.style == "neon" and shot.find("city") else shot.style
        self._style_filter = build_style(style, size, world.rng("style"))

    def render(self, t: float) -> NDArray[np.uint8]:
        """The frame at t (seconds of the shot), uint8 (H, W, 3), RGB. t may be before its start or after its end."""
        state = self._camera.state_at(t)
        picture = self._camera.crop(self._tone_mapper.apply(self._compositor.paint(state), t), t)
        return self._style_filter(picture, t) if self._style_filter else picture


class Scene:
    """A built scene. Shots are built when they are first needed. Thread-safe."""

    def __init__(self, spec: SceneSpec, size: tuple[int, int], seed: int, duration: float) -> None:
        self.size = checked_size(size)
        self._spec, self._seed, self._duration = spec, (seed & 0xFFFF_FFFF_FFFF_FFFF, spec.variant), duration
        self._length = duration / len(spec.shots)
        self._fade = min(FADE_SECONDS, 0.4 * self._length)
        self._shots: OrderedDict[int, Shot] = OrderedDict()
        self._build_lock = threading.Lock()

    def frame(self, t: float) -> NDArray[np.uint8]:
        """The frame at t (seconds), uint8 (H, W, 3), RGB. The same t gives the same bytes, in any order of calls and on
        any number of threads. After its end, the last shot goes on; a loop begins again."""
        if self._spec.loop and t >= self._duration:
            t %= self._duration
        count = len(self._spec.shots)
        boundary = round(t / self._length)
        fraction = (t - boundary * self._length) / self._fade + 0.5
        if 0 < boundary < count and 0 < fraction < 1:
            transition = self._spec.shots[boundary].transition
            if transition != "cut":
                return self._transition(transition, (boundary - 1, boundary), t, fraction)
        ending = 1 - (self._duration - t) / self._loop_fade_seconds
        if self._spec.loop and ending > 0:
            last, first = self._render(count - 1, t), self._render(0, t - self._duration)
            return crossfade(last, first, ending)
        return self._render(min(max(int(t / self._length), 0), count - 1), t)

    @property
    def _loop_fade_seconds(self) -> float:
        """Seconds over which the end of a loop fades into its start."""
        return min(0.35 * self._length, 2 * FADE_SECONDS)

    def _transition(self, transition: str, indices: tuple[int, int], t: float, fraction: float) -> NDArray[np.uint8]:
        """A frame in a transition between two shots. `fraction`: progress, 0..1."""
        if transition == "crossfade":
            return crossfade(self._render(indices[0], t), self._render(indices[1], t), fraction)
        shown = self._render(indices[int(fraction >= 0.5)], t)
        return crossfade(np.zeros_like(shown), shown, abs(2 * fraction - 1))

    def _render(self, index: int, t: float) -> NDArray[np.uint8]:
        # A shot starts to be visible half a fade before its start.
        return self._shot(index).render(t - index * self._length + self._fade / 2)

    def _shot(self, index: int) -> Shot:
        with self._build_lock:
            if index not in self._shots:
                while len(self._shots) >= _MAX_BUILT_SHOTS:
                    self._shots.popitem(last=False)
                seconds = self._length if len(self._spec.shots) == 1 else self._length + self._fade
                self._shots[index] = Shot(self._spec, index, self.size, self._seed, seconds)
            self._shots.move_to_end(index)
            return self._shots[index]


def crossfade(a: NDArray[np.uint8], b: NDArray[np.uint8], fraction: float) -> NDArray[np.uint8]:
    """Mix picture a (fraction 0) with b (fraction 1), approximately in linear light: the squares of the values are
    mixed."""
    weight = np.float32(fraction * fraction * (3 - 2 * fraction))
    mixed = np.square(a, dtype=np.float32)
    mixed *= 1 - weight
    mixed += np.square(b, dtype=np.float32) * weight
    np.sqrt(mixed, out=mixed)
    mixed += np.float32(0.5)
    return mixed.astype(np.uint8)


def build_scene(spec: SceneSpec, size: tuple[int, int], seed: int, duration: float) -> Scene:
    """Build a scene of size (width, height) in pixels, both even, for a clip of `duration` seconds.

    Any integer is a seed. spec, size, seed and duration determine every byte."""
    return Scene(spec, size, seed, duration)
