"""Rings that run over water."""

import numpy as np

import videogen
from videogen.engines import Preset

CALM = Preset(id="calm", title="Calm", prompt="one drop", settings={"durationSeconds": 2.0})


@videogen.engine("ripples", title="Ripples", presets=(CALM,))
def ripples(recipe):
    """Rings around a point that the seed chooses."""
    centre = np.random.default_rng(recipe.seed).uniform(0.2, 0.8, size=2)
    y, x = np.mgrid[0 : recipe.height, 0 : recipe.width]
    distance = np.hypot(y / recipe.height - centre[0], (x / recipe.width - centre[1]) * recipe.width / recipe.height)
    for index in range(recipe.num_frames):
        waves = np.sin(40 * distance - 2 * np.pi * index / recipe.fps) * np.exp(-3 * distance)
        yield (np.array([40, 110, 160]) + 60 * waves[..., None]).clip(0, 255).astype(np.uint8)
