"""Frames of an animated picture."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from videogen.engines.procedural.language import ShotSpec, Subject, parse_prompt
from videogen.engines.procedural.photo.camera_path import CameraPath
from videogen.engines.procedural.photo.depth import guess_depth
from videogen.engines.procedural.photo.prompt import describe_photo, restrict_to_photo
from videogen.engines.procedural.photo.scene import PhotoScene
from videogen.engines.procedural.photo.warp import Warp, crop_to_fill, required_margin

SIZE = (256, 144)
MOTIONS = ("zoom in", "zoom out", "pan left", "pan right", "tilt up", "tilt down", "dolly in", "dolly out", "orbit")


def landscape(width: int = 480, height: int = 300) -> NDArray[np.uint8]:
    """A bright sky above a dark, detailed ground, with a bright post in the centre: uint8 (H, W, 3)."""
    rng = np.random.default_rng(5)
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = (150, 190, 230)
    ground = height // 2
    picture[ground:] = rng.integers(30, 120, (height - ground, width, 3), np.uint8)
    picture[height // 4 : height * 3 // 4, width // 2 - 8 : width // 2 + 8] = (230, 200, 40)
    return picture


def shot(prompt: str) -> ShotSpec:
    return restrict_to_photo(parse_prompt(prompt)).shots[0]


def frames(prompt: str, *times: float, size: tuple[int, int] = SIZE, seed: int = 7) -> NDArray[np.uint8]:
    """Frames of a four-second shot of the landscape: uint8 (times, H, W, 3)."""
    scene = PhotoScene(landscape(), shot(prompt), size, seed, 4.0)
    return np.stack([scene.frame(t) for t in times])


def distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Mean difference of two pictures, 0..255."""
    return float(np.abs(a.astype(np.int16) - b).mean())


@pytest.mark.parametrize("prompt", ["", "orbit in the rain at dusk", "snow, fog, night, handheld"])
def test_a_frame_does_not_depend_on_call_order(prompt: str) -> None:
    forward, backward = frames(prompt, 0.0, 1.5, 3.9), frames(prompt, 3.9, 1.5, 0.0)
    np.testing.assert_array_equal(forward, backward[::-1])
    assert forward.shape == (3, 144, 256, 3)
    assert forward.dtype == np.uint8


@pytest.mark.parametrize("motion", [*MOTIONS, "handheld"])
@pytest.mark.parametrize("size", [SIZE, (144, 256), (160, 160)], ids=["wide", "tall", "square"])
def test_camera_motion_is_smooth_and_stays_inside_the_picture(motion: str, size: tuple[int, int]) -> None:
    scene = PhotoScene(np.full((200, 300, 3), 128, np.uint8), shot(motion), size, 7, 4.0)
    # A grey picture is grey up to its corners, at every camera position.
    for t in (0.0, 2.0, 4.0, 9.0):
        assert np.abs(scene.frame(t).astype(int) - 128).max() <= 1
    moving = frames(motion, *(1 + i / 12 for i in range(6)), size=size)
    steps = [distance(a, b) for a, b in pairwise(moving)]
    assert min(steps) > 0.02
    assert max(steps) < 4 * min(steps) + 1


def test_a_still_camera_shows_the_same_frame_and_rain_still_falls() -> None:
    first, last = frames("tripod", 0.0, 3.0)
    np.testing.assert_array_equal(first, last)
    first, last = frames("tripod, rain", 0.0, 3.0)
    assert distance(first, last) > 0.5


def centre(picture: NDArray[np.uint8]) -> tuple[float, float]:
    """Position of the yellow post, in pixels from the left and from the top."""
    rows, columns = np.nonzero((picture[..., 0] > 180) & (picture[..., 2] < 110))
    return float(columns.mean()), float(rows.mean())


@pytest.mark.parametrize(
    ("motion", "axis", "sign"), [("pan left", 0, 1), ("pan right", 0, -1), ("tilt up", 1, 1), ("tilt down", 1, -1)]
)
def test_the_camera_moves_in_the_requested_direction(motion: str, axis: int, sign: int) -> None:
    before, after = (centre(picture)[axis] for picture in frames(motion, 0.0, 4.0))
    assert sign * (after - before) > 5


@pytest.mark.parametrize(("motion", "larger"), [("", True), ("dolly in", True), ("zoom out", False)])
def test_zoom_in_enlarges_and_is_the_default(motion: str, larger: bool) -> None:
    def width(picture: NDArray[np.uint8]) -> int:
        return int(((picture[..., 0] > 180) & (picture[..., 2] < 110)).any(axis=0).sum())

    before, after = (width(picture) for picture in frames(motion, 0.0, 4.0))
    assert (after > before) is larger


def test_orbit_moves_near_and_far_parts_in_opposite_directions() -> None:
    picture = landscape()
    depth = guess_depth(crop_to_fill(picture, SIZE))
    warp = Warp(crop_to_fill(picture, SIZE), depth, SIZE, 0.1)
    path = CameraPath(shot("orbit"), 4.0, np.random.default_rng(1))
    shift = warp._corners(path.view_at(4.0)) - warp._corners(path.view_at(0.0))
    sky, ground = shift[1, :, 0].mean(), shift[-2, :, 0].mean()
    assert sky * ground < 0, "round the middle, they go opposite ways"
    # No folds: the order of neighbouring points does not change.
    for t in (0.0, 1.0, 4.0):
        corners = warp._corners(path.view_at(t))
        assert np.diff(corners[..., 0], axis=1).min() > 0
        assert np.diff(corners[..., 1], axis=0).min() > 0


@pytest.mark.parametrize("seed", range(3))
def test_the_warp_of_any_picture_has_no_folds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (5, 9, 3), np.uint8)).resize((300, 200), Image.Resampling.NEAREST)
    for picture in (np.asarray(coarse), rng.integers(0, 255, (90, 400, 3), np.uint8)):
        depth = guess_depth(picture)
        assert depth.dtype == np.float32
        assert 0 <= depth.min() <= depth.max() <= 1
        assert max(np.abs(np.diff(depth, axis=axis)).max() for axis in (0, 1)) < 0.08
        for motion in MOTIONS:
            path = CameraPath(shot(motion + ", fast"), 20.0, rng)
            views = [path.view_at(t) for t in (0.0, 10.0, 20.0)]
            warp = Warp(crop_to_fill(picture, SIZE), depth, SIZE, required_margin(views))
            for view in views:
                corners = warp._corners(view)
                assert np.diff(corners[..., 0], axis=1).min() > 0
                assert np.diff(corners[..., 1], axis=0).min() > 0


def test_the_sky_is_estimated_farther_than_the_ground() -> None:
    depth = guess_depth(landscape())
    assert depth[: len(depth) // 4].mean() + 0.3 < depth[-len(depth) // 4 :].mean()


@pytest.mark.parametrize(("size", "kept"), [((256, 144), (333, 187)), ((144, 256), (187, 333))])
def test_a_picture_is_cropped_to_any_aspect_ratio(size: tuple[int, int], kept: tuple[int, int]) -> None:
    for shape in ((300, 480), (480, 300), (40, 600), (16, 16)):
        covering = crop_to_fill(np.full((*shape, 3), 200, np.uint8), size)
        assert covering.shape == (kept[1], kept[0], 3)
        assert (covering == 200).all()


@pytest.mark.parametrize(("hour", "darker"), [("night", 0.5), ("dusk", 0.75), ("rain", 0.95)])
def test_hour_and_weather_change_the_light(hour: str, darker: float) -> None:
    plain, other = frames("tripod", 0.0)[0], frames(f"tripod, {hour}", 0.0)[0]
    assert other.mean() < darker * plain.mean()


def test_sunset_is_warm_and_noir_has_no_colour() -> None:
    plain, warm, noir = (frames(f"tripod, {word}", 0.0)[0].astype(float) for word in ("", "sunset", "film noir"))
    assert (warm[..., 0] - warm[..., 2]).mean() > (plain[..., 0] - plain[..., 2]).mean() + 20
    assert (noir.max(axis=2) - noir.min(axis=2)).max() <= 1


def test_an_unrelated_prompt_does_not_change_the_colours() -> None:
    flat = np.full((144, 256, 3), (200, 120, 40), np.uint8)
    scene = PhotoScene(flat, shot("my cat"), SIZE, 7, 4.0)
    np.testing.assert_array_equal(scene.frame(2.0), flat)


def test_seeds_differ_without_a_requested_motion() -> None:
    one, two = (frames("", 4.0, seed=seed)[0] for seed in (1, 2))
    assert distance(one, two) > 0.5


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("", "Your picture: slow zoom in."),
        ("slow orbit at night in heavy rain", "Your picture: very slow orbit, at night, heavy rain."),
        ("no rain, light snow, PAN to the LEFT", "Your picture: slow pan left, light snow."),
        ("my dog at golden hour, film noir", "Your picture: slow zoom in, golden hour, film noir. Not used: dog."),
        ("<b>fog</b> & <script>", "Your picture: slow zoom in, fog. Not understood: b, script."),
        ("ignore all previous instructions", "Your picture: slow zoom in. Not understood: ignore, previous, instr"),
        ("🌧 ☃ مطر", "Your picture: slow zoom in, rain, snow. Not understood: مطر."),
        ("x" * 10_000, "Your picture: slow zoom in. Not understood: xxxxxxxxxxxxxxxxxxxxxxx…."),
    ],
)
def test_the_description_lists_what_is_used_and_what_is_not(prompt: str, text: str) -> None:
    spec = restrict_to_photo(parse_prompt(prompt))
    assert describe_photo(spec.shots[0], spec).startswith(text)


def test_phrases_that_need_drawing_are_not_used() -> None:
    spec = restrict_to_photo(parse_prompt("two red boats over the sea, eerie watercolour, slow pan left, snowstorm"))
    assert [subject.kind for subject in spec.shots[0].subjects] == ["abstract", "snow"]
    became = [reading.became for reading in spec.understood]
    assert became == ["mood: eerie", "pace: calm", "camera: pan left", "snow, heavy"]
    assert (spec.ignored, spec.unused) == ((), ("two red boats", "over", "sea", "watercolour"))
    assert (spec.shots[0].style, spec.is_guess) == ("", False)


def test_a_negative_prompt_removes_weather() -> None:
    (spec,) = restrict_to_photo(parse_prompt("rain and snow", "snow")).shots
    assert [subject.kind for subject in spec.subjects] == ["abstract", "rain"]
    assert isinstance(spec.subjects[1], Subject)


@pytest.mark.parametrize("size", [(255, 144), (8, 8)])
def test_an_odd_or_too_small_size_is_rejected(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected even numbers"):
        PhotoScene(landscape(), shot(""), size, 1, 2.0)
