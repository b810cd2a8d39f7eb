"""`videogen.launch` in a script, in a running event loop and in a notebook, and `videogen.mount` in another app."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest

import videogen
from tests.support.api import Session
from tests.support.app import ROOT, without_settings
from videogen.core.errors import StartError
from videogen.media.probe import probe
from videogen.testing.fakes import bars

SIZE = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 1}

SCRIPT = """
import asyncio, os, signal, sys, threading, time, traceback
import numpy as np
import videogen

# Whoever runs the tests in the background has Ctrl-C ignored, and a child inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
print("imported as", __name__, flush=True)

@videogen.engine("plain")
def plain(recipe, ctx):
    print("rendered in", __name__, flush=True)
    yield from [np.full((recipe.height, recipe.width, 3), 90, np.uint8)] * recipe.num_frames

async def main():
    first = videogen.launch(plain, data_dir="data")
    second = videogen.launch(plain, data_dir="data")
    assert (second.port, repr(first)) == (first.port, f"<videogen closed, was on {first.url}>")
    return second

app = asyncio.run(main())
with videogen.connect(app.url) as client:
    video = client.generate("a wall", "wall.mp4", settings=SIZE)
    print(client.log(video.id) if hasattr(client, "log") else "", flush=True)

def waits():
    stack = traceback.extract_stack(frames()[main_thread])
    return any(name == "wait" and "launch" in file for file, _, name, _ in stack)

def ctrl_c_while_it_waits():
    while not waits():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)

main_thread, frames = threading.get_ident(), sys._current_frames
threading.Thread(target=ctrl_c_while_it_waits, daemon=True).start()
app.wait()
print("has waited", flush=True)
"""

NOTEBOOK = """
import sys
import __main__
In = __main__.In = [""]
def run(cell):
    In.append(cell)
    exec(compile(cell, "<cell>", "exec"), vars(__main__))
run("import numpy as np, videogen")
run("LEVEL = 70")
run('''@videogen.engine("mine")
class Mine:
    def load(self):
        self.level = LEVEL
    def render(self, recipe, ctx):
        yield from [np.full((recipe.height, recipe.width, 3), self.level, np.uint8)] * recipe.num_frames''')
run("app = videogen.launch(Mine, data_dir='data')")
run(f'''with videogen.connect(app.url) as client:
    for name in ("one.mp4", "two.mp4"):
        client.generate("a wall", name, settings={SIZE})''')
run("LEVEL = 90")
run("app = videogen.launch(Mine, data_dir='data')")
run("app.close()")
"""


@contextmanager
def started(code, folder, stderr=subprocess.PIPE):
    """Run a script; it is killed where the test ends before it."""
    (folder / "script.py").write_text(f"SIZE = {SIZE}\n{code}")
    env = without_settings(os.environ) | {"PYTHONPATH": str(ROOT), "VIDEOGEN_TEST_SPARES": "0"}
    pipes = {"stdout": subprocess.PIPE, "stderr": stderr, "text": True}
    command = [sys.executable, "script.py"]
    with subprocess.Popen(command, cwd=folder, env=env, **pipes) as script:
        try:
            yield script
        finally:
            script.kill()


def test_a_script_serves_its_function_in_a_running_event_loop_until_ctrl_c(tmp_path):
    with started(SCRIPT, tmp_path) as script:
        lines = script.stdout.read().splitlines()
        errors = script.stderr.read()
        script.wait(30)
    assert script.returncode == 0, errors
    assert lines[0] == "imported as __main__"
    assert len({line for line in lines if line.startswith("Ready on ")}) == 1, "the second takes the port of the first"
    assert lines[-1] == "has waited"
    assert errors == ""
    assert probe(tmp_path / "wall.mp4").num_frames == 8


def test_a_notebook_serves_its_class_from_the_cells_that_it_needs(tmp_path):
    with started(NOTEBOOK, tmp_path) as notebook:
        _, errors = notebook.communicate(timeout=100)
    assert (notebook.returncode, errors) == (0, "")
    assert probe(tmp_path / "two.mp4").num_frames == 8
    source = (tmp_path / "data" / "notebook-engines" / "Mine.py").read_text()
    assert "LEVEL = 90" in source
    assert "launch" not in source


def test_a_script_that_does_not_wait_says_so_and_closes_the_app(tmp_path):
    code = "import videogen\nvideogen.launch('procedural', data_dir='data')\n"
    with started(code, tmp_path) as script:
        _, errors = script.communicate(timeout=100)
    assert script.returncode == 0
    assert errors.startswith("The script has ended, and with it the app. Call wait() on what launch() returns")


def test_a_wrong_setting_and_a_taken_port_are_refused(tmp_path):
    with pytest.raises(TypeError, match=r"expected settings of data_dir, .*, port, .*; got prot"):
        videogen.launch(bars, prot=8000)
    with pytest.raises(StartError, match=r"Port 1 on 192\.0\.2\.1 cannot be used"):
        videogen.launch(bars, data_dir=tmp_path, host="192.0.2.1", port=1)


OUTER = """
from contextlib import asynccontextmanager
import uvicorn
from fastapi import FastAPI
import videogen
from videogen.testing.fakes import bars

@asynccontextmanager
async def lifespan(app):
    print("outer starts", flush=True)
    yield {"key": "value"}
    print("outer stops", flush=True)

app = FastAPI(lifespan=lifespan)

@app.get("/own")
def own():
    return "of the other app"

videogen.mount(app, "/videos/", engines=[bars], data_dir="mounted", rate_sessions="off")
uvicorn.run(app, port=0, timeout_graceful_shutdown=1)
"""


@pytest.fixture(scope="module")
def outer(tmp_path_factory):
    """The address of another app that videogen is mounted into. It stops as it should at the end."""
    with started(OUTER, tmp_path_factory.mktemp("outer"), stderr=subprocess.STDOUT) as app:
        lines = []
        for line in app.stdout:
            lines.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                break
        yield found[1]
        app.send_signal(signal.SIGINT)
        rest = app.stdout.read()
    assert "outer starts\n" in lines
    assert "outer stops\n" in rest
    assert "Traceback" not in rest


def test_the_api_and_the_files_are_below_the_path(outer):
    with Session(f"{outer}/videos") as session:
        video = session.finish(session.submit("bars")["id"])["videoUrl"]
    assert "/videos/media/" in video
    assert httpx.get(outer + video.removeprefix(outer)).headers["content-type"] == "video/mp4"


def test_the_page_is_below_the_path_and_the_other_app_goes_on(outer):
    page = httpx.get(f"{outer}/videos/")
    assert page.status_code == 200
    assert "Colour bars" in page.text
    assert httpx.get(f"{outer}/own").json() == "of the other app"
    assert httpx.get(f"{outer}/api/v1/engines").status_code == 404


def test_the_package_offers_them_without_work():
    code = (
        "import sys, videogen; videogen.engine; "
        "print(*({'gradio', 'torch', 'numpy', 'sqlmodel', 'uvicorn'} & sys.modules.keys())); "
        "print(videogen.launch.__name__, videogen.mount.__name__)"
    )
    lines = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    assert lines == ["", "launch mount"]
