"""The conformance suite runs on one engine of each kind, and finds what is wrong with bad ones."""

import re
from pathlib import Path

import pytest

from tests.support.app import FAKES
from videogen.testing import EngineConformance

ENGINES = Path(__file__).with_name("engines.py")


class TestProcedural(EngineConformance):
    engine = "procedural"


class TestFunction(EngineConformance):
    engine = f"{ENGINES}:function"


class TestLoadedFunction(EngineConformance):
    engine = f"{ENGINES}:loaded_function"


class TestLoadedClass(EngineConformance):
    engine = f"{ENGINES}:LoadedClass"


class TestFile(EngineConformance):
    engine = f"{ENGINES}:File"


def suite_of(reference, **attributes):
    suite = type("Suite", (EngineConformance,), {"engine": reference, **attributes})
    suite.setup_class()
    return suite


@pytest.mark.parametrize(
    ("name", "test", "message"),
    [
        ("deaf", "a_cancelled_job_stops_by_itself", "call ctx.raise_if_cancelled()"),
        ("raises", "a_job_reports_its_progress_and_ends_once_with_a_video", "there is no such colour"),
        (
            "forgetful",
            "a_job_whose_process_is_killed_is_done_by_its_next_attempt",
            "it ended without one of Checkpoint",
        ),
    ],
)
def test_what_is_wrong_with_an_engine_fails_with_what_to_do(tmp_path, name, test, message):
    file = ENGINES if name in ("deaf", "forgetful") else FAKES
    suite = suite_of(f"{file}:{name}", cancel_seconds=0.3, long_settings={"durationSeconds": 0.5})
    try:
        with pytest.raises((AssertionError, pytest.fail.Exception), match=re.escape(message)):
            getattr(suite(), f"test_{test}")(tmp_path)
    finally:
        suite.teardown_class()


def test_an_engine_that_is_not_available_is_skipped(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(
        "import videogen\nfrom videogen.engines import Capabilities\n"
        "off = Capabilities(available=False, reason='No GPU.')\n"
        "own = videogen.engine('own', capabilities=off)(lambda recipe: ())\n"
    )
    suite = suite_of(f"{file}:own")
    with pytest.raises(pytest.skip.Exception, match=r"not available here: No GPU\."):
        suite().test_a_job_makes_an_image(tmp_path)


def test_an_engine_that_imports_a_model_at_the_top_is_found(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("")
    file = tmp_path / "own.py"
    file.write_text("import torch, videogen\nown = videogen.engine('own')(lambda recipe: ())\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AssertionError, match="import it in `load` or `render`"):
        suite_of(f"{file}:own")().test_the_app_imports_no_model_with_it()
