"""The length that people may choose where the model takes a number of frames."""

import pytest
from annotated_types import Ge, Le

from videogen.engines.remote.inputs import Rows
from videogen.engines.remote.options import InputRow

FRAMES = {
    "bounds, at the usual rate": ({"minimum": 81, "maximum": 120}, {"default": 16}, (5.06, 7.5), 5.06),
    "choices": ({"choices": (129, 85)}, {"default": 24}, (3.54, 5.38), 4.0),
    "no rate": ({"maximum": 48}, None, (0.5, 2.0), 2.0),
}


@pytest.mark.parametrize(("frames", "fps", "bounds", "default"), FRAMES.values(), ids=FRAMES.keys())
def test_it_follows_from_the_number_of_frames(frames, fps, bounds, default):
    rows = {"num_frames": InputRow(source="num_frames", **frames)}
    rows |= {"fps": InputRow(source="fps", **fps)} if fps else {}
    field = Rows(rows).settings_model().model_fields["duration_seconds"]
    low = [part.ge for part in field.metadata if isinstance(part, Ge)]
    high = [part.le for part in field.metadata if isinstance(part, Le)]
    assert (low, high) == ([bounds[0]], [bounds[1]])
    assert field.default == default
