"""What a scene promises: the same bytes for the same moment, and pictures worth looking at."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from videogen.engines.procedural.camera import Camera
from videogen.engines.procedural.scene import build_scene
from videogen.engines.procedural.spec import parse_prompt

SIZE = (256, 144)
PROMPTS = (
    "ocean at sunset, clouds",
    "neon city in the rain",
    "aurora over a lake, snow",
    "qwerty",
    "calm sea by moonlight, fog, zoom in",
)


def shot(
    prompt: str, *moments: float, size: tuple[int, int] = SIZE, seed: int = 7, threads: int = 1
) -> NDArray[np.uint8]:
    """Frames of a two-second clip, uint8 (moments, H, W, 3)."""
    with build_scene(parse_prompt(prompt), size, seed, 2.0, threads) as scene:
        return np.stack([scene.frame(t) for t in moments])


def distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Mean difference of two pictures, 0..255."""
    return float(np.abs(a.astype(np.int16) - b).mean())


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_moment_has_one_picture_whatever_the_order_and_the_threads(prompt: str) -> None:
    forward = shot(prompt, 0.0, 0.5, 1.9, threads=1)
    backward = shot(prompt, 1.9, 0.5, 0.0, 0.5, threads=3)
    assert forward.shape == (3, 144, 256, 3)
    assert forward.dtype == np.uint8
    np.testing.assert_array_equal(forward, backward[[2, 1, 0]])
    np.testing.assert_array_equal(backward[1], backward[3])


def test_threads_agree_where_a_picture_has_many_bands() -> None:
    one, three = (shot("neon city in the rain, snow, fog", 1.0, size=(1280, 720), threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_another_seed_is_another_composition(prompt: str) -> None:
    first, second = (shot(prompt, 1.0, seed=seed)[0] for seed in (1, 2))
    assert distance(first, second) > 4


def test_every_prompt_has_its_own_picture() -> None:
    prompts = (*PROMPTS, "ocean at noon", "city at dusk", "violet aurora over a lake, snow", "asdf", "red silk")
    pictures = [shot(prompt, 1.0)[0] for prompt in prompts]
    nearest = min(distance(a, b) for i, a in enumerate(pictures) for b in pictures[:i])
    assert nearest > 4


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("size", [(256, 256), (144, 256), (320, 180)], ids=["square", "portrait", "landscape"])
def test_pictures_are_neither_black_nor_flat_nor_burnt_out(prompt: str, size: tuple[int, int]) -> None:
    picture = shot(prompt, 1.0, size=size)[0]
    assert picture.shape == (size[1], size[0], 3)
    assert 12 < picture.mean() < 215
    assert picture.std() > 12
    assert (picture.min(axis=2) >= 254).mean() < 0.05
    # Something happens in every third of the picture, not in one corner.
    assert all(part.std() > 4 for part in np.array_split(picture, 3, axis=0))


@pytest.mark.parametrize("prompt", ["ocean at sunset", "neon city", "northern lights", "qwerty", "ocean, zoom out"])
def test_motion_is_there_and_never_jumps(prompt: str) -> None:
    frames = shot(prompt, *(0.4 + i / 24 for i in range(9)))
    steps = [distance(a, b) for a, b in pairwise(frames)]
    assert min(steps) > 0.15
    assert max(steps) < 9
    assert max(steps) < 2.0 * min(steps)
    assert distance(frames[0], frames[-1]) > max(steps)


def test_falling_rain_is_seen() -> None:
    dry, wet = shot("city", 1.0)[0], shot("city, no snow", 1.0)[0]
    np.testing.assert_array_equal(dry, wet)
    assert distance(dry, shot("city in heavy rain", 1.0)[0]) > 2


def test_no_seam_shows_between_bands_or_enlarged_parts() -> None:
    # A fogless abstract flow is smooth: no row may differ from its neighbours much more than rows do anyway.
    picture = shot("pastel silk", 1.0, size=(1280, 720))[0].astype(np.float32)
    steps = np.abs(np.diff(picture.mean(axis=(1, 2))))
    assert steps.max() < 3


def test_smooth_skies_do_not_band() -> None:
    # Dither leaves no long run of equal values along a row of clear sky.
    row = shot("clear ocean at noon", 0.0, size=(1280, 720))[0][60, :, 2].astype(int)
    changes = np.flatnonzero(np.diff(row))
    assert np.diff(changes).max() < 40


@pytest.mark.parametrize("seed", [0, 2**63, -5])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    assert shot("qwerty", 0.0, seed=seed).any()


def test_the_camera_travels_during_the_clip_and_rests_outside_it() -> None:
    left, still = (
        Camera(parse_prompt(prompt), 2.0, np.random.default_rng(1)) for prompt in ("city, pan left", "city, static")
    )
    assert left.pan(-1.0) == left.pan(0.0) > left.pan(1.0) > left.pan(2.0) == left.pan(50.0)
    assert still.pan(0.0) == still.pan(2.0) == 0


@pytest.mark.parametrize("size", [(255, 144), (256, 0), (8, 8)])
def test_a_size_that_cannot_be_drawn_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected even numbers"):
        build_scene(parse_prompt("ocean"), size, 1, 2.0)


def test_closing_twice_is_fine() -> None:
    scene = build_scene(parse_prompt("ocean"), SIZE, 1, 2.0)
    scene.close()
    scene.close()
