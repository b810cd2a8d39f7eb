"""`videogen worker`: what it takes, how it stops, and that another machine goes on where it was."""

import asyncio
import subprocess
import sys
import time

import pytest

from tests.support.api import Session
from tests.support.app import ROOT
from tests.support.cluster import Cluster
from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError, StartError
from videogen.server.worker import run_worker

KEY = "a key of the tests"
LONG = {"delay_ms": 40, "durationSeconds": 5}
LEASE_SECONDS = 3


@pytest.mark.parametrize(
    ("settings", "names", "error", "words"),
    [
        ({}, [], StartError, "With SQLite, `videogen serve` renders by itself"),
        (
            {"storage_url": "s3://bucket"},
            None,
            ConfigError,
            "VIDEOGEN_STORAGE_URL: expected VIDEOGEN_DATABASE_URL=postgr",
        ),
        ({"storage_url": "ftp://bucket"}, None, ConfigError, "VIDEOGEN_STORAGE_URL: expected a URL such as s3://"),
        ({"database_url": "postgresql://h/d"}, None, ConfigError, "VIDEOGEN_SECRET_KEY: expected one key for all"),
        ({"database_url": "postgresql://h/d", "secret_key": KEY}, [], StartError, "set VIDEOGEN_STORAGE_URL=s3://..."),
        (
            {"database_url": "postgresql://h/d", "secret_key": KEY, "storage_url": "s3://bucket"},
            ["procedural", "wan"],
            ConfigError,
            "--engines: expected some of procedural (from VIDEOGEN_ENGINES), got 'wan'",
        ),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, settings, names, error, words):
    env = {f"VIDEOGEN_{name.upper()}": value for name, value in settings.items()}
    with pytest.raises(error) as refused:
        run_worker(AppConfig.from_env(env | {"VIDEOGEN_DATA_DIR": str(tmp_path)}), names or [], None)
    assert words in refused.value.detail
    assert "\n" not in refused.value.detail


def test_no_engines_are_refused_and_not_all_of_them():
    command = [sys.executable, "-m", "videogen", "worker", "--engines", " ,"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--engines: expected ids of engines, with commas between them" in done.stderr


@pytest.mark.parametrize("number", ["0", "x", "1001", "²"])
def test_a_wrong_number_is_refused(number):
    command = [sys.executable, "-m", "videogen", "worker", "--concurrency", number]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"expected a number from 1 to 1000, got '{number}'" in done.stderr


def test_it_imports_neither_the_api_nor_the_page():
    code = "import sys, videogen.server.worker; print(sorted({'fastapi', 'gradio', 'uvicorn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def go_on(cluster, wait):
    """The calls, in a thread: the links of the hosts are served by the event loop."""
    (first, second), (one, _) = cluster.webs, cluster.workers
    with Session(first.app.base_url) as session:
        listed = {engine["id"]: engine["available"] for engine in session.get("/engines").json()["items"]}
        assert listed == {"bars": True, "paced": True}
        whole = session.finish(session.submit("paced", settings=LONG)["id"])
        # Killed: the lease expires. Nobody else renders this engine, so the job waits and says why.
        killed = session.submit("paced", settings=LONG | {"seed": whole["seed"]})
        last = session.wait_rendering(killed["id"], 20).id
        wait(one.kill())
        with session.stream(f"/generations/{killed['id']}/events", last) as stream:
            waits = stream.until(lambda frame: frame.data.get("stage") == "engine_unavailable")
        assert waits.data["message"] == "No worker renders it now."
        assert waits.data["progress"] > 0
        other = wait(cluster.add_worker("other", ("paced",)))
        wait(other.start())
        # A client goes on at another web process, after the last event that it has seen.
        session.moved(second.app.base_url)
        rest = session.follow(killed["id"], waits.id)
        assert rest == [event for event in session.follow(killed["id"], 0) if event.id > waits.id]
        again = session.read(killed["id"])
        assert (again["status"], again["attempt"]) == ("completed", 2)
        step = next(event.data["step"] for event in rest if event.data.get("attempt") == 2)
        assert step > 0, "it goes on, and does not start again"
        files = [session.http.get(one["videoUrl"]) for one in (whole, again)]
        assert files[0].content == files[1].content
        # SIGTERM: it gives back what it has, which costs no attempt.
        drained = session.submit("paced", settings=LONG)
        session.wait_rendering(drained["id"], 10)
        assert other.app.stop() == 0
        third = wait(cluster.add_worker("third", ("paced",)))
        wait(third.start())
        assert session.finish(drained["id"])["status"] == "completed"
        assert cluster.rows("SELECT lost, attempt FROM generations WHERE id = ?", drained["id"]) == [(0, 2)]
        # Web processes make the other formats, whatever they render; another one tells of it, and serves it.
        export = session.post(f"/generations/{again['id']}/exports", json={"format": "gif"}).json()
        zipped = session.post("/generations/zip", json={"ids": [again["id"]]}).json()["url"]
        session.moved(first.app.base_url)
        told = session.http.get(f"/api/v1/exports/{export['id']}/events", timeout=60).text
        assert '"status":"completed"' in told
        assert session.http.get(session.get(f"/exports/{export['id']}").json()["url"]).content.startswith(b"GIF8")
        assert session.http.get(zipped.replace(second.app.base_url, first.app.base_url)).content.startswith(b"PK")
        session.moved(second.app.base_url)
        # The same file from each web process: the same ETag, and ranges.
        path = again["videoUrl"].removeprefix(second.app.base_url)
        session.http.get(path).raise_for_status()
        here = session.http.get(path, headers={"Range": "bytes=10-19"})
        session.moved(first.app.base_url)
        there = session.http.get(path, headers={"If-None-Match": here.headers["etag"]})
    assert (here.status_code, here.content, there.status_code) == (206, files[1].content[10:20], 304)
    # Whoever hears last of the end removes what the checkpoints left, a moment later.
    deadline = time.monotonic() + 60
    while left := [key for key in cluster.objects() if "/work-" in key]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


@pytest.mark.postgresql
@pytest.mark.timeout(300)
async def test_a_job_goes_on_at_its_checkpoint_on_another_machine(postgresql, tmp_path):
    made = Cluster(tmp_path, webs=2, workers=[("paced",), ("bars",)], lease_seconds=LEASE_SECONDS)
    loop = asyncio.get_running_loop()
    async with made as cluster:
        await asyncio.to_thread(go_on, cluster, lambda task: asyncio.run_coroutine_threadsafe(task, loop).result())
        logs = [host.app.log for host in cluster.hosts]
    assert "Ready: renders paced (1)" in logs[-1]
    assert "Traceback" not in "".join(logs)
