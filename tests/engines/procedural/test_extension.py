"""What comes after a drawn video: the difference at the join is that of any two frames."""

from itertools import pairwise

import numpy as np
import pytest

from videogen.engines.base import RenderRequest
from videogen.engines.procedural.engine import ProceduralEngine, pinned_scene
from videogen.engines.procedural.extension import TIMELINE, frames_of
from videogen.engines.procedural.scene import build_scene

SETTINGS = {"width": 128, "height": 72, "fps": 24, "durationSeconds": 1.5, "seed": 5}
PROMPTS = (
    "ocean at sunset, pan right",
    "mountains at dawn, zoom in",
    "aurora over a lake, orbit",
    "fields of tulips, tilt up",
    "a campfire at night, seamless loop",
    "a planet in space; then a desert at noon",
)


def asked(prompt, **settings):
    return RenderRequest(prompt=prompt, settings=SETTINGS | settings, input_digest="0" * 64)


def around(before, after):
    """The last six frames of a recipe and the first six of the next one, in order."""
    scene = build_scene(pinned_scene(before), (before.width, before.height), before.seed, before.duration_seconds)
    frame = frames_of(before, pinned_scene(before)) if TIMELINE in before.settings else None
    old = [
        frame(index) if frame else scene.frame(index / 24) for index in range(before.num_frames - 6, before.num_frames)
    ]
    made = frames_of(after, pinned_scene(after))
    return [picture.astype(int) for picture in (*old, *(made(index) for index in range(6)))]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_time_and_motion_go_on_in_the_same_and_into_another_scene(prompt):
    engine = ProceduralEngine()
    first = engine.normalise(RenderRequest(prompt=prompt, settings=SETTINGS))
    same = engine.extend(asked(prompt), first)
    again = engine.extend(asked(prompt), same)
    other = engine.extend(asked("a forest in fog"), again)
    for before, after in ((first, same), (same, again), (again, other)):
        assert after.input_digest is None, "it goes on natively"
        pictures = around(before, after)
        steps = [np.abs(a - b).mean() for a, b in pairwise(pictures)]
        join = steps.pop(5)
        assert join <= 1.5 * np.median(steps), (before.prompt, after.prompt)


@pytest.mark.parametrize("change", [{"width": 160}, {"fps": 12}])
def test_another_size_or_rate_goes_on_from_the_picture(change):
    engine = ProceduralEngine()
    first = engine.normalise(RenderRequest(prompt=PROMPTS[0], settings=SETTINGS))
    assert engine.extend(asked(PROMPTS[0], **change), first).input_digest == "0" * 64


def test_a_picture_that_was_lit_is_not_lit_again():
    engine = ProceduralEngine()
    first = engine.normalise(asked("night, rain, gloomy"))
    assert pinned_scene(first).shots[0].time == "night"
    after = engine.extend(asked("night, rain, gloomy"), first)
    assert (after.input_digest, pinned_scene(after).shots[0].time) == ("0" * 64, "")
    assert pinned_scene(after).shots[0].find("rain") is not None
    assert pinned_scene(engine.extend(asked("sunset"), first)).shots[0].time == "sunset"
