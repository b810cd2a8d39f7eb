"""`uvicorn --factory videogen.server:create_app`: plain uvicorn serves page and API, and stops in bounded time."""

import re
import subprocess
import sys
import threading

import httpx
import pytest

from tests.support.api import Session
from tests.support.app import ROOT, environment
from videogen.core.config import AppConfig
from videogen.core.lock import holder
from videogen.server import create_app

COMMAND = (sys.executable, "-m", "uvicorn", "--factory", "videogen.server:create_app", "--port", "0")
START_SECONDS = 90
STOP_SECONDS = 30
"""After this time the process has failed to stop. Uvicorn would wait for an open stream without a limit."""


@pytest.fixture
def uvicorn_process(tmp_path):
    """Starts uvicorn; returns the process, and its address once it serves."""
    processes = []

    def start(*options, **settings):
        process = subprocess.Popen(
            [*COMMAND, *options],
            cwd=ROOT,
            env=environment(tmp_path / "data", **settings),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stderr.close()


def _address(process):
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    line = next(line for line in process.stderr if "Uvicorn running on" in line)
    timer.cancel()
    return re.search(r"http://\S+", line)[0]


def test_page_and_api_are_served_and_sigterm_ends_open_streams(uvicorn_process):
    # Without a limit for a graceful shutdown, only the app itself can end its streams.
    process = uvicorn_process()
    address = _address(process)
    with Session(address) as session:
        page = session.http.get("/")
        assert "gradio" in page.text
        made = session.submit("bars")
        # The page's own client finds the API of this process.
        shown = session.http.get("/", headers={"Cookie": f"videogen_session={session.token}"}).text
        assert f'data-generation-id="{made["id"]}"' in shown
        assert session.finish(made["id"])["status"] == "completed"
        with session.stream("/events", 0) as events:
            next(events)
            process.terminate()
            list(events)  # ended by the server, between two events
    assert process.wait(STOP_SECONDS) in (0, -15)
    assert "Traceback" not in process.stderr.read()


def test_an_open_page_does_not_prevent_the_stop(uvicorn_process):
    process = uvicorn_process()
    address = _address(process)
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as browser:
        config = browser.get("/config").json()
        watch = next(item["id"] for item in config["dependencies"] if item["targets"][0][1] == "load" and item["queue"])
        call = {"fn_index": watch, "data": [None], "session_hash": "tab", "event_data": None, "trigger_id": None}
        browser.post("/gradio_api/queue/join", json=call).raise_for_status()
        with browser.stream("GET", "/gradio_api/queue/data", params={"session_hash": "tab"}) as stream:
            lines = stream.iter_lines()
            next(line for line in lines if "process_generating" in line)
            process.terminate()
            list(lines)  # ended by the server, between two messages
            assert process.wait(STOP_SECONDS) in (0, -15)
    assert "Traceback" not in process.stderr.read()


def test_several_worker_processes_stop_with_a_line_that_says_why(uvicorn_process):
    process = uvicorn_process("--workers", "2")
    _, errors = process.communicate(timeout=START_SECONDS)
    reasons = [line for line in errors.splitlines() if "videogen cannot start. " in line]
    # More than one where uvicorn starts a worker again before it stops.
    assert reasons, errors
    assert all("Another videogen" in reason for reason in reasons)
    assert "Traceback" not in errors


def test_a_wrong_setting_stops_the_start_with_one_line(uvicorn_process):
    process = uvicorn_process(workers="many")
    _, errors = process.communicate(timeout=START_SECONDS)
    (line,) = errors.splitlines()
    assert line.startswith("videogen cannot start. VIDEOGEN_WORKERS: expected ")


def test_nothing_is_opened_before_the_lifespan(tmp_path):
    create_app(AppConfig.from_env(environment(tmp_path / "data")), page=False)
    assert not (tmp_path / "data").exists()


async def test_the_lifespan_opens_and_closes_the_data_folder(tmp_path):
    app = create_app(AppConfig.from_env(environment(tmp_path / "data", workers=0)), page=False)
    async with app.router.lifespan_context(app):
        assert holder(tmp_path / "data") is not None
    assert holder(tmp_path / "data") is None
