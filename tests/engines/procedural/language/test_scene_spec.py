"""The spec is pure data: it goes to JSON and back, and refuses what it does not know."""

import json

import pytest

from videogen.engines.procedural.language import (
    Interpretation,
    Relation,
    SceneSpec,
    ShotSpec,
    Subject,
    from_json,
    to_json,
)

MOON = Subject("moon", colours=("red",), size="huge", relations=(Relation("over", 1),))
SHOT = ShotSpec((MOON, Subject("mountains", count=2)), time="night", title="Hello", without=("clouds",), camera="orbit")
SCENE = SceneSpec(
    (SHOT, ShotSpec((Subject("ocean"),))), loop=True, understood=(Interpretation("red moon", "moon, red"),)
)


def test_a_spec_survives_json():
    assert from_json(json.loads(json.dumps(to_json(SCENE)))) == SCENE


def test_specs_are_values():
    assert hash(from_json(to_json(SCENE))) == hash(SCENE)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"shots": [{"subjects": [{"kind": "dragon"}]}]}, "'dragon'"),
        ({"shots": [], "sound": "loud"}, "sound"),
        ({"shots": [{"subjects": [], "camera": "sideways"}]}, "'sideways'"),
    ],
)
def test_what_no_spec_has_is_refused_by_name(values, told):
    with pytest.raises(ValueError, match=told):
        from_json(values)


def test_a_shot_tells_of_its_subjects():
    assert SHOT.find("moon") is MOON
    assert (SHOT.amount("moon"), SHOT.amount("rain")) == (0.5, 0.0)
