"""A scene spec is pure data: it can be converted to JSON and back, and rejects unknown values."""

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


def test_a_scene_spec_survives_json():
    assert from_json(json.loads(json.dumps(to_json(SCENE)))) == SCENE


def test_scene_specs_are_hashable():
    assert hash(from_json(to_json(SCENE))) == hash(SCENE)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shots": [{"subjects": [{"kind": "dragon"}]}]}, "'dragon'"),
        ({"shots": [], "sound": "loud"}, "sound"),
        ({"shots": [{"subjects": [], "camera": "sideways"}]}, "'sideways'"),
    ],
)
def test_unknown_members_and_values_are_rejected_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        from_json(values)


def test_find_and_amount_of_a_subject():
    assert SHOT.find("moon") is MOON
    assert (SHOT.amount("moon"), SHOT.amount("rain")) == (0.5, 0.0)
