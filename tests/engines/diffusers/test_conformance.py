"""The conformance suite on a tiny Wan in a saved folder, in child processes, as the app runs it."""

import pytest

pytest.importorskip("torch", reason="diffusers is not installed; `make test-diffusers` runs this")

from tests.engines.diffusers.attempts import SIZE
from videogen.testing import EngineConformance

LONG = {"steps": 200}


class TestDiffusers(EngineConformance):
    settings = SIZE
    long_settings = LONG

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def tiny_wan(cls, model_folder):
        cls.engine = f"diffusers:{model_folder('wan')}"
