"""An image brings its own shape, and says what another one would cut off."""

import pytest

from tests.ui.conftest import ENGINE, engine
from videogen.ui.form import Limits, engine_form
from videogen.ui.start_image import Cut, cut_of, like_image

PLAIN = engine_form(engine(), Limits(max_pixels=1_000_000))


@pytest.mark.parametrize(
    ("image", "short", "size"),
    [
        ((1600, 900), 288, (512, 288)),
        ((900, 1600), 288, (288, 512)),
        ((640, 480), 480, (640, 480)),
        ((1000, 1000), 720, (720, 720)),
        ((3001, 2003), 288, (430, 288)),
        # Not wider than the engine makes, and not more pixels than the app allows.
        ((3000, 300), 288, (1920, 192)),
        ((1600, 900), 1080, (1332, 750)),
        # Never below the smallest side.
        ((1600, 100), 64, (1024, 64)),
        ((3072, 192), 64, (1024, 64)),
    ],
)
def test_the_size_of_an_image_s_own_shape(image, short, size):
    assert like_image(image, short, PLAIN) == size


def test_the_multiples_of_the_engine_come_before_the_exact_shape():
    properties = ENGINE["settingsSchema"]["properties"]
    schema = {"properties": properties | {name: properties[name] | {"multipleOf": 16} for name in ("width", "height")}}
    assert like_image((1000, 700), 480, engine_form(engine(settingsSchema=schema), Limits())) == (672, 480)


@pytest.mark.parametrize(
    ("image", "size", "cut"),
    [
        ((1600, 900), (512, 288), None),
        ((1600, 904), (512, 288), None),
        ((1000, 1000), (512, 288), Cut("ends", pytest.approx(0.4375))),
        ((1600, 900), (288, 288), Cut("sides", pytest.approx(0.4375))),
        ((1600, 900), (288, 512), Cut("sides", pytest.approx(0.684, abs=0.001))),
    ],
)
def test_what_another_shape_cuts_off(image, size, cut):
    assert cut_of(image, size) == cut
