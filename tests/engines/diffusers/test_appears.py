"""The folder of a model appears while the app serves, and goes again."""

import shutil
from types import SimpleNamespace

import pytest

pytest.importorskip("torch", reason="diffusers is not installed; `make test-diffusers` runs this")

from videogen.core.config import AppConfig
from videogen.engines.registry import load_engines
from videogen.server.reload import EngineReloader


def test_an_engine_is_made_again_when_its_model_is_there(tmp_path, model_folder):
    folder, renewed, held = tmp_path / "late", [], []
    config = AppConfig(engines=(f"diffusers:{folder}",), data_dir=tmp_path / "data")
    engines = load_engines(config.engines)
    workers = SimpleNamespace(
        processes=SimpleNamespace(renew_children=renewed.append), unavailable={}, hold_engines=held.append
    )
    reloader = EngineReloader(config, engines, workers, None)
    assert "There is no folder late." in engines["late"].probe().reason
    assert reloader.look() == set()
    assert held == [{"late": engines["late"].probe().reason}], "its jobs wait, and show why"
    shutil.copytree(model_folder("wan-i2v"), folder)
    assert reloader.look() == {"late"}
    assert renewed == ["late"], "a spare child knows the model as it was"
    found = engines["late"].probe()
    assert (found.available, found.image_input) == (True, True)
    assert reloader.look() == set()
    shutil.rmtree(folder)
    assert reloader.look() == {"late"}
    assert not engines["late"].probe().available
