"""The entry: a spec, a size and a seed become a scene that can show any moment of itself."""

from collections.abc import Callable, Mapping
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from videogen.engines.procedural.abstract import Abstract
from videogen.engines.procedural.aurora import Aurora
from videogen.engines.procedural.bands import Bands
from videogen.engines.procedural.camera import Camera
from videogen.engines.procedural.city import City
from videogen.engines.procedural.frame import Frame, Painter
from videogen.engines.procedural.light import Developer
from videogen.engines.procedural.ocean import Ocean
from videogen.engines.procedural.spec import SceneSpec
from videogen.engines.procedural.weather import Weather

_PAINTERS: Mapping[str, Callable[[SceneSpec, tuple[int, int], Camera, np.random.Generator], Painter]] = {
    "ocean": Ocean,
    "city": City,
    "aurora": Aurora,
    "abstract": Abstract,
}


class Scene:
    """A built scene. Close it, or use it as a context manager, to let its threads go."""

    def __init__(self, spec: SceneSpec, size: tuple[int, int], seed: int, duration: float, threads: int) -> None:
        width, height = size
        if width < 16 or height < 16 or width % 2 or height % 2:
            raise ValueError(f"size: expected even numbers of at least 16, got {width}x{height}")
        self.size = size
        rng = np.random.default_rng([seed & 0xFFFF_FFFF_FFFF_FFFF, spec.variant])
        self._camera = Camera(spec, duration, rng)
        self._painter = _PAINTERS[spec.subject](spec, size, self._camera, rng)
        self._weather = Weather(spec, Frame(width, height, height // 2), rng)
        self._developer = Developer(size, self._painter.grade, rng)
        self._bands = Bands(threads)

    def frame(self, t: float) -> NDArray[np.uint8]:
        """The moment t (seconds) as uint8 (H, W, 3) RGB. The same t gives the same bytes, in any order of calls and
        on any number of threads."""
        width, height = self.size
        canvas = np.empty((3, height, width), np.float32)
        self._painter.paint(canvas, t, self._bands)
        self._weather.paint(canvas, t, self._bands)
        return self._camera.crop(self._developer.develop(canvas, t, self._bands), t)

    def close(self) -> None:
        """Let the threads go. Safe to call twice."""
        self._bands.close()

    def __enter__(self) -> "Scene":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def build_scene(spec: SceneSpec, size: tuple[int, int], seed: int, duration: float, threads: int = 2) -> Scene:
    """Build a scene of size (width, height) in pixels, both even, for a clip of `duration` seconds.

    Any integer is a seed; spec, size, seed and duration settle every byte."""
    return Scene(spec, size, seed, duration, threads)
