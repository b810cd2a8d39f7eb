"""Time until `Ready` of the folders of `videogen deploy space`, packages installed. Peer: a bare Gradio page."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.start import BOUND, ROUNDS, until_ready
from benchmarks.table import Row
from tests.support.app import ROOT, environment

WITHOUT_MCP = "import sys; sys.modules['mcp'] = None; from videogen.__main__ import main; sys.exit(main(['serve']))"
"""The lock file that a Docker Space installs has no `mcp`; what the Hub installs beside a Gradio Space brings it."""


def measure() -> list[Row]:
    """Start all in turns. The first start of each unpacks, and fills the caches; it does not count."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for sdk in ("docker", "gradio"):
            command = [sys.executable, "-m", "videogen", "deploy", "space", "anna/videogen", "--sdk", sdk]
            subprocess.run([*command, "--out", str(folder / sdk)], cwd=ROOT, check=True, capture_output=True)
        packages = folder / "packages"
        command = [sys.executable, "-m", "zipfile", "-e", str(next((folder / "docker").glob("*.whl"))), str(packages)]
        subprocess.run(command, check=True)
        env = environment(folder / "data", ["procedural"]) | {"SPACE_ID": "anna/videogen"}
        starts = {
            "bare": ([sys.executable, "-m", "benchmarks.bare_page"], ROOT, dict(os.environ)),
            "docker": ([sys.executable, "-c", WITHOUT_MCP], folder / "docker", env | {"PYTHONPATH": str(packages)}),
            "gradio": ([sys.executable, "app.py"], folder / "gradio", env),
        }
        seconds: dict[str, list[float]] = {one: [] for one in starts}
        for turn in range(ROUNDS + 1):
            for one, (command, cwd, environ) in starts.items():
                took = until_ready(command, environ, cwd)
                if turn:
                    seconds[one].append(took)
    bare = median(seconds["bare"])
    return [_row(sdk, median(seconds[sdk]), bare) for sdk in ("docker", "gradio")]


def _row(sdk: str, took: float, bare: float) -> Row:
    value = f"{took:.2f} s, {took / bare:.2f} x"
    peer = f"bare gr.Blocks: {bare:.2f} s"
    return Row(f"Space folder ({sdk}): start", value, f"<= {BOUND} x bare", peer, took <= BOUND * bare)
