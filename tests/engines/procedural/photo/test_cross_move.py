"""A move between two pictures: what it begins and ends with, and how it goes on between."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.engines.procedural.photo.test_photo import MOTIONS, SIZE, distance, landscape
from videogen.engines.procedural.language import parse_prompt
from videogen.engines.procedural.photo.cross_move import CrossMove
from videogen.engines.procedural.photo.prompt import describe_move, restrict_to_camera
from videogen.engines.procedural.photo.warp import crop_to_fill

LAST_TIME = 47 / 12
ALL_MOTIONS = [*MOTIONS, "handheld", "tripod"]


def night(width: int = 300, height: int = 420) -> NDArray[np.uint8]:
    """A dark picture, higher than wide, with a row of lights: uint8 (H, W, 3)."""
    picture = np.full((height, width, 3), (20, 24, 60), np.uint8)
    picture[height // 2 : height // 2 + 12, ::9] = (250, 220, 120)
    return picture


def move(prompt: str = "", pictures: tuple[NDArray[np.uint8], ...] = (), size: tuple[int, int] = SIZE) -> CrossMove:
    first, last = pictures or (landscape(), night())
    return CrossMove((first, last), restrict_to_camera(parse_prompt(prompt)).shots[0], size, 7, LAST_TIME)


def as_it_is(picture: NDArray[np.uint8], size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """The picture in the size of the video, without a camera."""
    return np.asarray(Image.fromarray(crop_to_fill(picture, size)).resize(size, Image.Resampling.LANCZOS))


@pytest.mark.parametrize("motion", ALL_MOTIONS)
@pytest.mark.parametrize("size", [SIZE, (144, 256)], ids=["wide", "tall"])
def test_it_begins_with_the_first_picture_and_ends_with_the_last(motion: str, size: tuple[int, int]) -> None:
    made = move(motion, size=size)
    np.testing.assert_array_equal(made.frame(0.0), as_it_is(landscape(), size))
    np.testing.assert_array_equal(made.frame(LAST_TIME), as_it_is(night(), size))
    # The middle is both, and neither.
    middle = made.frame(LAST_TIME / 2)
    for picture in (landscape(), night()):
        assert distance(middle, as_it_is(picture, size)) > 8


@pytest.mark.parametrize("motion", ALL_MOTIONS)
def test_no_frame_jumps(motion: str) -> None:
    made = move(motion)
    steps = [distance(a, b) for a, b in pairwise([made.frame(i / 12) for i in range(48)])]
    whole = distance(made.frame(0.0), made.frame(LAST_TIME))
    assert max(steps) < whole / 6, "a dissolve of a third of the frames changes a sixth at once at most"
    assert max(steps[:3] + steps[-3:]) < 5, "it rests at both ends"


@pytest.mark.parametrize("motion", ALL_MOTIONS)
def test_the_camera_never_shows_what_is_beyond_a_picture(motion: str) -> None:
    grey = np.full((200, 300, 3), 128, np.uint8)
    made = move(motion, (grey, grey))
    for t in np.linspace(0, LAST_TIME, 9):
        assert np.abs(made.frame(float(t)).astype(int) - 128).max() <= 1


def test_a_frame_does_not_depend_on_the_order_of_calls() -> None:
    times = (0.0, 1.0, 2.0, 3.9)
    forward, backward = ([made.frame(t) for t in order] for made, order in ((move(), times), (move(), times[::-1])))
    np.testing.assert_array_equal(forward, backward[::-1])


def test_the_far_parts_dissolve_first() -> None:
    white, black = np.full((144, 256, 3), 255, np.uint8), np.zeros((144, 256, 3), np.uint8)
    white[72:], black[72:] = 250, 5
    middle = move("tripod", (white, black)).frame(LAST_TIME / 2).mean(axis=(1, 2))
    assert middle[:20].mean() + 20 < middle[-20:].mean(), "the sky is ahead of the ground"


@pytest.mark.parametrize("shape", [(16, 16), (40, 900), (900, 40)])
def test_pictures_of_any_shape_do(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 90, np.uint8)
    assert move("zoom in", (picture, landscape())).frame(1.0).shape == (144, 256, 3)


def test_only_the_camera_of_a_prompt_is_used_and_the_rest_is_named() -> None:
    spec = restrict_to_camera(parse_prompt("slow pan left over a lake at dusk in the rain"))
    (shot,) = spec.shots
    assert (shot.camera, shot.time, shot.find("rain"), shot.find("lake")) == ("pan left", "", None, None)
    text = describe_move(shot, spec)
    assert text.startswith("Your pictures: very slow pan left, from the first to the last, with a dissolve. Not used: ")
    for word in ("lake", "dusk", "rain"):
        assert word in text.partition("Not used: ")[2]
