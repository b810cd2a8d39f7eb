import pytest

from videogen.engines.base import RenderCancelled, RenderFailed
from videogen.engines.frames import render_at, render_sequence
from videogen.engines.registry import load_engine
from videogen.media import probe


class Stopped(Exception):
    """Stands for a death at a frame."""


@pytest.fixture
def frame_of(recipe_for):
    from importlib import import_module

    load = load_engine
    del import_module

    def make(recipe, seen=None, stop_at=None):
        paint = load(recipe_for.__globals__["FAKES"].as_posix() + ":bars").function.__globals__["bars_frame"]

        def frame_at(index):
            if index == stop_at:
                raise Stopped
            if seen is not None:
                seen.append(index)
            return paint(recipe, index)

        return frame_at

    return make


