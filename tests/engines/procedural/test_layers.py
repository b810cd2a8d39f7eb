"""Layers: sprites at sub-pixel positions, painting order, periodic loops, camera motion, main subject, styles."""

import numpy as np
import pytest

from videogen.engines.procedural.camera import Camera
from videogen.engines.procedural.compositor import Compositor
from videogen.engines.procedural.figures import CYCLE_FRAMES, draw_cycle
from videogen.engines.procedural.language import Relation, ShotSpec, Subject, parse_prompt
from videogen.engines.procedural.layer import Layer
from videogen.engines.procedural.layers.title import text_alpha
from videogen.engines.procedural.shot_builder import build_layers, build_world, main_subject
from videogen.engines.procedural.sprite import Sprite, blit, premultiplied_sprite, straight_sprite
from videogen.engines.procedural.styles import build_style
from videogen.engines.procedural.subjects.placement import distribute
from videogen.engines.procedural.viewport import Viewport

SIZE = (96, 54)


def shot(*kinds, **more):
    return ShotSpec(tuple(map(Subject, kinds)), **more)


def world_of(shot, seed=3, loop=False, seconds=2.0):
    camera = Camera(shot, seconds, loop, np.random.default_rng(seed))
    return build_world(shot, SIZE, camera, (seed, 0, 0))


class Wash(Layer):
    """Fills the canvas with one value, and records what `prepare` returned."""

    def __init__(self, order, value, reads=False):
        self.order, self.value, self.reads_canvas, self.prepared = order, value, reads, []

    def prepare(self, state, canvas):
        return float(canvas.mean()) if self.reads_canvas else None

    def paint(self, canvas, span, state, prepared):
        self.prepared.append(prepared)
        canvas[:, slice(*span)] = self.value


def test_layers_are_painted_in_order_and_readers_get_the_canvas_behind_them():
    near, far, mirror = Wash(90, 3.0), Wash(0, 1.0), Wash(50, 2.0, reads=True)
    canvas = Compositor(Viewport(64, 36, 20), [near, mirror, far]).paint(
        Camera(shot("ocean"), 1, False, rng()).state_at(0)
    )
    assert canvas.min() == canvas.max() == 3.0
    assert set(mirror.prepared) == {1.0}


def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("position", [(4.0, 3.0), (4.25, 3.5), (-2.5, 3.0), (11.75, -1.25)])
def test_a_sprite_keeps_its_light_at_any_position(position):
    sprite = straight_sprite(np.full((3, 4, 4), 2.0, np.float32), np.ones((4, 4), np.float32))
    whole = np.zeros((3, 12, 16), np.float32)
    blit(whole, (0, 12), sprite, position)
    inside = (min(position[0] + 4, 16) - max(position[0], 0)) * (min(position[1] + 4, 12) - max(position[1], 0))
    assert whole[0].sum() == pytest.approx(2.0 * inside, rel=0.02)
    in_bands = np.zeros_like(whole)
    for span in ((0, 4), (4, 6), (6, 12)):
        blit(in_bands, span, sprite, position)
    np.testing.assert_array_equal(in_bands, whole)


def test_the_alpha_of_a_sprite_hides_the_background():
    sprite = premultiplied_sprite(np.zeros((3, 2, 2), np.float32), np.full((2, 2), 0.25, np.float32))
    canvas = np.ones((3, 2, 2), np.float32)
    blit(canvas, (0, 2), sprite, (0.0, 0.0))
    np.testing.assert_allclose(canvas, 0.75)


@pytest.mark.parametrize("motion", ["pan left", "orbit", "dolly in", "zoom out", "tilt up", "handheld", "still", ""])
def test_a_looping_camera_returns_to_its_start(motion):
    camera = Camera(shot("ocean", camera=motion), 3.0, True, rng())
    start, end = camera.state_at(0.0), camera.state_at(3.0)
    assert (start.pan, start.orbit, start.travel) == pytest.approx((end.pan, end.orbit, end.travel), abs=1e-9)
    assert camera._crop_window(0.0) == pytest.approx(camera._crop_window(3.0), abs=1e-9)


@pytest.mark.parametrize("motion", ["pan left", "pan right", "orbit", "dolly in", "zoom in", "tilt up", "handheld"])
def test_camera_motion_stays_within_its_limits(motion):
    camera = Camera(shot("ocean", camera=motion), 4.0, False, rng())
    seen = [(camera.state_at(t), camera._crop_window(t)) for t in np.linspace(0, 4, 9)]
    assert len(set(map(repr, seen))) == 9
    for state, (keep, left, top) in seen:
        assert abs(state.parallax(1.0)) <= camera.max_offset + 1e-6
        assert abs(state.parallax(0.0)) <= camera.max_offset + 1e-6
        assert 0 <= left <= left + keep <= 1 + 1e-9
        assert 0 <= top <= top + keep <= 1 + 1e-9


def test_near_layers_have_more_parallax_than_far_layers():
    state = Camera(shot("city", camera="pan right"), 4.0, False, rng()).state_at(4.0)
    assert state.parallax(1.0) > state.parallax(0.0) > 0
    around = Camera(shot("city", camera="orbit"), 4.0, False, rng()).state_at(4.0)
    assert around.parallax(1.0) * around.parallax(0.0) < 0


def test_rates_in_a_loop_are_whole_cycles():
    looped, free = world_of(shot("ocean"), loop=True), world_of(shot("ocean"))
    assert free.rate(0.33) == 0.33
    for hertz in (0.01, 0.33, 2.6, -1.2):
        turns = looped.rate(hertz) * looped.camera.scene_seconds
        assert turns == pytest.approx(round(turns))
        assert abs(turns) >= 1


def test_each_name_has_its_own_random_generator():
    world = world_of(shot("ocean"))
    assert world.rng("a").random() == world.rng("a").random() != world.rng("b").random()


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [
        (("rain", "cat", "ocean"), "ocean"),
        (("moon", "mountains"), "mountains"),
        (("aurora", "space"), "space"),
        (("fish",), "underwater"),
        (("whale", "ocean"), "underwater"),
        (("whale", "lighthouse"), "lighthouse"),
        (("fish", "boat", "lake"), "lake"),
        (("bird", "snow"), "snow"),
    ],
)
def test_environments_have_priority_as_main_subject(kinds, kind):
    assert main_subject(shot(*kinds))[1] == kind


def test_the_default_hour_suits_the_subjects_and_a_requested_hour_is_kept():
    assert world_of(shot("desert", "aurora")).lighting.is_night
    assert not world_of(shot("desert")).lighting.is_night
    assert world_of(shot("aurora", time="sunset")).lighting.name == "sunset"
    assert world_of(shot("ocean", time="night", without=("moon",))).lighting.hour.halo == 0


def test_rain_makes_the_sky_overcast():
    clear, wet = (world_of(spec).lighting for spec in (shot("lake", time="day"), shot("lake", "rain", time="day")))
    assert wet.overcast > 0.5 > clear.overcast
    assert wet.hour.zenith[2] - wet.hour.zenith[0] < clear.hour.zenith[2] - clear.hour.zenith[0]


def test_a_mood_changes_the_lighting():
    plain = world_of(shot("forest", time="day")).lighting
    assert world_of(shot("forest", time="day", mood="gloomy")).lighting.overcast > plain.overcast
    assert world_of(shot("forest", time="day", mood="mysterious")).lighting.fog > plain.fog
    pink = world_of(shot("forest", time="day", mood="romantic")).lighting.hour.middle
    assert pink[0] / pink[2] > plain.hour.middle[0] / plain.hour.middle[2]


def test_excluded_kinds_have_no_layers():
    assert len(build_layers(world_of(shot("ocean", time="night")))[0]) > len(
        build_layers(world_of(shot("ocean", time="night", without=("stars", "moon", "mountains"))))[0]
    )


@pytest.mark.parametrize("kind", ["bird", "fish", "whale", "cat", "dog", "horse", "deer", "person"])
def test_a_figure_has_a_cycle_of_different_sprites(kind):
    frames = draw_cycle(kind, 30, (0.1, 0.1, 0.1))
    assert len(frames) == CYCLE_FRAMES
    assert len({sprite.planes.tobytes() for sprite in frames}) > CYCLE_FRAMES // 2
    for sprite in frames:
        assert 0.02 < sprite.alpha.mean() < 0.6
        # Nothing is cut off at the sides or at the top.
        assert max(sprite.alpha[:, 0].max(), sprite.alpha[:, -1].max(), sprite.alpha[0].max()) < 0.5
    left = draw_cycle(kind, 30, (0.1, 0.1, 0.1), 0.0, faces_left=True)
    right = draw_cycle(kind, 30, (0.1, 0.1, 0.1), 0.0)
    np.testing.assert_allclose(left[0].alpha[:, ::-1], right[0].alpha, atol=0.35)


def test_a_requested_side_is_respected():
    world = world_of(shot("ocean"))
    for position, sign in (("left of", -1), ("right of", 1)):
        subject = Subject("cat", relations=(Relation(position),))
        assert all(x * sign > 0 for count in (1, 4) for x in distribute(world, subject, count, "x"))
    assert abs(distribute(world, Subject("cat"), 1, "x")[0]) < 0.3


def test_an_unknown_figure_is_a_key_error():
    with pytest.raises(KeyError):
        draw_cycle("dragon", 30, (0.1, 0.1, 0.1))


@pytest.mark.parametrize(
    "text", ["Hello", "x" * 80, "many words " * 7, "\u202e\u0627\u0644", "日本語 🎬", "\x00\n", ""]
)
def test_any_title_fits_into_the_picture(text):
    cover = text_alpha(text, 320, 180)
    assert cover.shape[1] <= 320 + 40
    assert cover.shape[0] <= 180
    assert 0 <= cover.min() <= cover.max() <= 1


STYLES = ["neon", "watercolour", "oil", "pixel art", "film noir", "anime", "vintage"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", [(64, 36), (50, 66)])
def test_a_style_filter_changes_the_picture_and_keeps_its_shape(style, size):
    picture = np.random.default_rng(2).integers(0, 255, (size[1], size[0], 3), np.uint8)
    picture[: size[1] // 2] = (200, 120, 40)
    apply = build_style(style, size, rng())
    first, again = apply(picture.copy(), 0.5), apply(picture.copy(), 0.5)
    assert (first.shape, first.dtype) == (picture.shape, np.uint8)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(int) - picture).mean() > 4
    if style == "film noir":
        assert np.ptp(first, axis=2).max() == 0


def test_an_empty_style_has_no_filter():
    assert build_style("", (64, 36), rng()) is None
    assert build_style("photographic", (64, 36), rng()) is None


PROMPTS = (
    "",
    "🎬🌊🔥",
    "qwzx " * 2_000,
    "مدينة في الليل \u202e",
    "<script>alert(1)</script> ignore all previous instructions",
    "a; then b; then c; then d; then e; then f; then g",
    "99 cats and 99 birds and 99 balloons under 99 moons over 99 planets in the rain, snow, fog, lightning",
    "\x00\ufffd\n\t",
)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_any_prompt_can_be_rendered(prompt):
    from videogen.engines.procedural.scene import build_scene

    picture = build_scene(parse_prompt(prompt, prompt), SIZE, 5, 2.0).frame(0.7)
    assert picture.shape == (54, 96, 3)
    assert picture.std() > 3


def test_sprite_properties_match_its_planes():
    sprite = Sprite(np.zeros((4, 3, 5), np.float32))
    assert sprite.size == (3, 5)
    assert sprite.light.shape == (3, 3, 5)
    assert sprite.alpha.shape == (3, 5)
