"""The share tunnel sets the public address; without it the app prints one line and runs."""

import subprocess
import sys

import httpx
import pytest

from tests.support.api import Session
from tests.support.app import ROOT, environment
from videogen.core.config import AppConfig
from videogen.server.tunnel import open_in_background
from videogen.web.public_url import PublicUrl

# Like Gradio's tunnel: a process that prints its address and then keeps running.
STAND_IN = "import sys, signal; print('start proxy success: https://abc.example.org/', flush=True); signal.pause()"


def public_url(**settings):
    url = PublicUrl(AppConfig(**settings))
    url.local = "http://127.0.0.1:7860"
    return url


def test_the_tunnel_sets_the_public_address(capsys):
    calls = []
    with subprocess.Popen([sys.executable, "-c", STAND_IN], stdout=subprocess.PIPE, text=True) as process:

        def opener(host, port):
            calls.append((host, port))
            return process.stdout.readline().removeprefix("start proxy success: ").strip()

        url = public_url(root_path="/sub")
        open_in_background(url, opener).join(20)
        process.kill()
    assert calls == [("127.0.0.1", 7860)]
    assert url.fixed == "https://abc.example.org/sub"
    printed = capsys.readouterr()
    assert "Public address https://abc.example.org/sub" in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(
    "problem", [OSError("no route\nto host"), ValueError("Could not create share URL"), RuntimeError()]
)
def test_a_failed_tunnel_prints_one_line_and_sets_no_public_address(capsys, problem):
    def opener(_host, _port):
        raise problem

    url = public_url()
    open_in_background(url, opener).join(20)
    assert url.fixed is None
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("No public address: the share tunnel could not be opened (")
    assert "runs on at http://127.0.0.1:7860" in line


def test_a_configured_address_overrides_the_tunnel():
    url = public_url(base_url="https://video.example.org", root_path="/v")
    url.tunnel = "https://abc.example.org"
    assert url.fixed == "https://video.example.org/v"


def test_the_server_runs_without_its_share_tunnel(tmp_path):
    # Gradio's own tunnel, with a server address where nothing listens.
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
