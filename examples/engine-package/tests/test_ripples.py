"""The engine keeps every promise that the app relies on."""

from videogen.testing import EngineConformance


class TestRipples(EngineConformance):
    engine = "ripples"
