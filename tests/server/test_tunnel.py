"""A public address through a tunnel: told when it is there, one line when it cannot be had, and the app runs on."""

import subprocess
import sys

import httpx
import pytest

from tests.support.api import Session
from tests.support.app import ROOT, environment
from videogen.core.config import AppConfig
from videogen.server.tunnel import open_in_background
from videogen.web.public_url import PublicUrl

# What Gradio's tunnel does, with a process of its own that says its address and then stays.
STAND_IN = "import sys, signal; print('start proxy success: https://abc.example.org/', flush=True); signal.pause()"


def address(**settings):
    found = PublicUrl(AppConfig(**settings))
    found.local = "http://127.0.0.1:7860"
    return found


def test_the_address_of_the_tunnel_becomes_that_of_every_link(capsys):
    asked = []
    with subprocess.Popen([sys.executable, "-c", STAND_IN], stdout=subprocess.PIPE, text=True) as process:

        def opener(host, port):
            asked.append((host, port))
            return process.stdout.readline().removeprefix("start proxy success: ").strip()

        where = address(root_path="/sub")
        open_in_background(where, opener).join(20)
        process.kill()
    assert asked == [("127.0.0.1", 7860)]
    assert where.fixed == "https://abc.example.org/sub"
    said = capsys.readouterr()
    assert "Public address https://abc.example.org/sub" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    "problem", [OSError("no route\nto host"), ValueError("Could not create share URL"), RuntimeError()]
)
def test_without_a_tunnel_there_is_one_line_and_no_public_address(capsys, problem):
    def opener(_host, _port):
        raise problem

    where = address()
    open_in_background(where, opener).join(20)
    assert where.fixed is None
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("No public address: the share tunnel could not be opened (")
    assert "runs on at http://127.0.0.1:7860" in line


def test_a_configured_address_comes_before_the_tunnel():
    where = address(base_url="https://video.example.org", root_path="/v")
    where.tunnel = "https://abc.example.org"
    assert where.fixed == "https://video.example.org/v"


def test_serve_share_runs_on_where_there_is_no_tunnel(tmp_path):
    """Gradio's own tunnel, asked at an address where nobody answers."""
    env = environment(tmp_path / "data", share=1) | {
        "GRADIO_SHARE_SERVER_ADDRESS": "127.0.0.1:9",
        "HF_HOME": str(tmp_path),
    }
    env |= {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    process = subprocess.Popen(
        [sys.executable, "-m", "videogen", "serve", "--share"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        base_url = process.stdout.readline().removeprefix("Ready on ").strip()
        line = next(line for line in process.stderr if line.startswith("No public address"))
        assert base_url in line
        assert httpx.get(f"{base_url}/healthz", trust_env=False).status_code == 200
        with Session(base_url) as session:
            generation = session.submit("bars")["id"]
            assert session.post(f"/generations/{generation}/share").json()["url"].startswith(f"{base_url}/s/")
    finally:
        process.terminate()
        process.communicate(timeout=30)
