"""Properties of every scene: reproducible, well exposed, continuous motion, closed loops."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from videogen.engines.procedural.language import KINDS, LIVING, SceneSpec, ShotSpec, Subject
from videogen.engines.procedural.scene import build_scene, crossfade
from videogen.engines.procedural.subjects import SUBJECTS

SIZE = (128, 72)


def spec(*kinds: str, loop: bool = False, variant: int = 0, **shot) -> SceneSpec:
    """One shot of plain subjects."""
    return SceneSpec((ShotSpec(tuple(map(Subject, kinds)), **shot),), loop, variant)


def frames(spec: SceneSpec, *times: float, size=SIZE, seed: int = 7, duration: float = 2.0) -> NDArray[np.uint8]:
    """Frames of a clip, uint8 (times, H, W, 3)."""
    scene = build_scene(spec, size, seed, duration)
    return np.stack([scene.frame(t) for t in times])


def distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Mean difference of two pictures, 0..255."""
    return float(np.abs(a.astype(np.int16) - b).mean())


TIMES = tuple(0.4 + i / 24 for i in range(7))


@cache
def shown(kind: str) -> NDArray[np.uint8]:
    """A quarter of a second of a plain subject."""
    return frames(spec(kind), *TIMES)


@pytest.mark.parametrize("kind", SUBJECTS)
def test_a_frame_does_not_depend_on_call_order_or_threads(kind: str) -> None:
    forward = shown(kind)
    again = build_scene(spec(kind), SIZE, 7, 2.0)
    with ThreadPoolExecutor(3) as threads:
        backward = list(threads.map(again.frame, (TIMES[6], TIMES[3], TIMES[0], TIMES[3])))
    assert forward.shape == (7, 72, 128, 3)
    assert forward.dtype == np.uint8
    np.testing.assert_array_equal(forward[[6, 3, 0, 3]], backward)


@pytest.mark.parametrize("kind", SUBJECTS)
def test_frames_are_well_exposed(kind: str) -> None:
    check_exposure(shown(kind)[3])


@pytest.mark.parametrize("kind", ["ocean", "forest", "city", "river", "underwater", "fire", "flowers", "horse"])
def test_portrait_frames_are_well_exposed(kind: str) -> None:
    check_exposure(frames(spec(kind), 1.0, size=(72, 128))[0])


def check_exposure(picture: NDArray[np.uint8]) -> None:
    assert 8 < picture.mean() < 225
    assert picture.std() > 9
    assert (picture.min(axis=2) >= 254).mean() < 0.08


@pytest.mark.parametrize("kind", [kind for kind in SUBJECTS if kind != "lightning"])
def test_motion_is_visible_and_continuous(kind: str) -> None:
    steps = [distance(a, b) for a, b in pairwise(shown(kind))]
    assert min(steps) > 0.05
    assert max(steps) < 14
    assert max(steps) < 2.2 * min(steps)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - LIVING | {"bird", "cat"}))
def test_the_last_frame_of_a_loop_leads_into_the_first(kind: str) -> None:
    shown = frames(spec(kind, loop=True), 0.0, 1 / 24, 2.0 - 1 / 24, 2.0)
    np.testing.assert_allclose(shown[0].astype(int), shown[3], atol=1)
    if kind != "lightning":
        # The difference between last and first frame is as small as any other.
        assert distance(shown[2], shown[0]) < 2.5 * distance(shown[0], shown[1]) + 1


def test_every_kind_of_the_language_can_be_drawn() -> None:
    assert set(KINDS) <= set(SUBJECTS)


def test_another_seed_gives_another_picture() -> None:
    for kind in ("ocean", "mountains", "city", "aurora", "abstract"):
        first, second = (frames(spec(kind), 1.0, seed=seed)[0] for seed in (1, 2))
        assert distance(first, second) > 4


def test_every_subject_looks_different() -> None:
    # Water contains fish by default, and a sea at night has a moon by default.
    kinds = [kind for kind in KINDS if kind not in ("fish", "sun")]
    pictures = {kind: shown(kind)[3] for kind in kinds}
    for i, kind in enumerate(kinds):
        for other in kinds[:i]:
            difference = np.abs(pictures[kind].astype(np.int16) - pictures[other])
            assert difference.max() > 30, (kind, other)


def test_every_subject_of_a_shot_is_visible() -> None:
    kinds = ("ocean", "mountains", "aurora", "rain")
    (whole,) = frames(spec(*kinds, time="night"), 1.0)
    for left_out in kinds:
        (other,) = frames(spec(*(kind for kind in kinds if kind != left_out), time="night"), 1.0)
        assert distance(whole, other) > 0.7


def test_transitions_crossfade_fade_to_black_or_cut() -> None:
    shots = (ShotSpec((Subject("ocean"),)), ShotSpec((Subject("city"),)))
    before, middle, after = frames(SceneSpec(shots), 0.5, 1.0, 1.5)
    assert distance(before, after) > 15
    assert distance(before, middle) < distance(before, after) > distance(after, middle)
    cut = (shots[0], ShotSpec(shots[1].subjects, transition="cut"))
    last, first = frames(SceneSpec(cut), 1 - 1 / 24, 1 + 1 / 24)
    assert distance(last, first) > 15
    black = (shots[0], ShotSpec(shots[1].subjects, transition="fade"))
    assert frames(SceneSpec(black), 1.0).mean() < 2


def test_crossfade_mixes_light() -> None:
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert crossfade(black, white, 0).max() == 0
    assert crossfade(black, white, 1).min() == 255
    assert crossfade(black, white, 0.5).mean() == pytest.approx(180, abs=1)


def test_a_clear_sky_has_no_visible_banding() -> None:
    # Dithering avoids long runs of equal values in a row of clear sky.
    shot = ShotSpec((Subject("ocean"),), time="day", without=("clouds",))
    row = frames(SceneSpec((shot,)), 0.0, size=(1280, 720))[0][60, :, 2].astype(int)
    changes = np.flatnonzero(np.diff(row))
    assert np.diff(changes).max() < 40


@pytest.mark.parametrize("seed", [0, 2**63, -5])
def test_any_integer_is_a_valid_seed(seed: int) -> None:
    assert frames(spec("abstract"), 0.0, seed=seed).any()


@pytest.mark.parametrize("size", [(255, 144), (256, 0), (8, 8)])
def test_an_odd_or_too_small_size_is_rejected(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected even numbers"):
        build_scene(spec("ocean"), size, 1, 2.0)
