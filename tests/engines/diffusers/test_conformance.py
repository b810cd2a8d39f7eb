"""The conformance suite on a tiny Wan in a saved folder, in child processes, as the app runs it."""

import pytest

pytest.importorskip("torch", reason="diffusers is not installed; `make test-diffusers` runs this")

from videogen.testing import EngineConformance


class TestDiffusers(EngineConformance):
    settings = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 1.125, "steps": 4}
    long_settings = {"steps": 200}

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def tiny_wan(cls, model_folder):
        cls.engine = f"diffusers:{model_folder('wan')}"
