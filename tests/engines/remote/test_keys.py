"""A key of a provider gets to that provider, and nowhere else."""

import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.api import Session
from tests.support.app import App, environment, run_to_end
from tests.support.providers.answers import Canned
from tests.support.providers.studio import MODULE

# A name that the allow-list of child environments would let through to every engine.
VARIABLE = "HF_STUDIO"
TABLES = """
[[engine]]
id = "studio"
kind = "{module}:create"
model = "studio/cat-1"
base_url = "{url}"
key = "env:{variable}"
poll_seconds = 0.01

[[engine]]
id = "unpaid"
kind = "{module}:create"
base_url = "{url}"
key = "env:NO_SUCH_KEY"
"""
SETTINGS = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 1.0}


@pytest.fixture(scope="module")
def tables(served_studio, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "engines.toml"
    path.write_text(TABLES.format(module=MODULE, url=served_studio.served.url, variable=VARIABLE))
    return path


@pytest.fixture(scope="module")
def app(served_studio, tables, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, served_studio.key)
        with App(tmp_path_factory.mktemp("keys"), engines=["slow", str(tables)], page=False) as app:
            yield app


def variables_of(process):
    with suppress(psutil.Error):
        return process.environ()
    return {}


@pytest.fixture
def session(app):
    with Session(app.base_url) as session:
        yield session


def test_a_key_is_in_no_log_database_answer_event_or_environment_of_another_engine(app, session, studio):
    key = studio.key
    texts = []
    # A job that ends well, one whose provider repeats the key in its errors, and one that is cancelled.
    done = session.submit("studio", settings=SETTINGS)
    texts.append(session.finish(done["id"]))
    assert texts[-1]["status"] == "completed", texts
    studio.instead.put("submit", Canned(422, {"error": {"type": "x", "message": f"Bad request with {key}."}}), times=1)
    failed = session.submit("studio", settings=SETTINGS)
    texts.append(session.finish(failed["id"]))
    assert "Bad request with ***" in str(texts[-1])
    studio.held.set()
    studio.instead.put("poll", Canned(500, {"error": {"type": "x", "message": f"Broken: {key}"}}), times=2)
    running, slow = session.submit("studio", settings=SETTINGS), session.submit("slow")
    studio.served.wait_for("GET", "/jobs/", count=8)
    session.wait_rendering(slow["id"])
    kept = [child for child in app.children() if VARIABLE in variables_of(child)]
    others = [child for child in app.children() if child not in kept]
    assert len(kept) == 1, "the child of that engine has it, under its name"
    assert others, "the other engine has a child too"
    assert all(key not in str(variables_of(child)) for child in others)
    session.cancel(running["id"])
    session.cancel(slow["id"])
    assert session.finish(running["id"])["status"] == "cancelled"
    for one in (done, failed, running):
        texts += [session.get(f"/generations/{one['id']}").text, session.get(f"/generations/{one['id']}/log").text]
        texts += [frame.data for frame in session.follow(one["id"], 0)]
    texts += [session.get(path).text for path in ("/engines", "/generations", "/queue", "/export")]
    app.stop()
    assert key not in str(texts)
    assert key not in app.log
    files = [path for path in Path(app.data_dir).rglob("*") if path.is_file()]
    assert any(path.suffix.startswith(".sqlite") for path in files)
    assert [path.name for path in files if key.encode() in path.read_bytes()] == []


def test_without_its_key_an_engine_is_not_available_and_the_doctor_says_what_to_do(app, tables, tmp_path):
    with Session(app.restart().base_url) as session:
        engines = {one["id"]: one for one in session.get("/engines").json()["items"]}
        reason = "The environment variable NO_SUCH_KEY is not set. Set it, then restart videogen."
        assert (engines["unpaid"]["available"], engines["unpaid"]["reason"]) == (False, reason)
        assert engines["studio"]["available"]
        refused = session.try_submit("unpaid", settings=SETTINGS)
        assert refused.status_code == 422
        assert reason.rstrip(".") in refused.text
    app.stop()
    found = run_to_end("-m", "videogen", "doctor", env=environment(tmp_path / "data", engines=[str(tables)]))
    assert isinstance(found, subprocess.CompletedProcess)
    assert "unpaid cannot render here" in found.stdout
    assert "NO_SUCH_KEY" in found.stdout
