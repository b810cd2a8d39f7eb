"""Time until `Ready`: the app without and with its extra `mcp`. Peer: a bare Gradio page."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.table import Row
from tests.support.app import ROOT, environment

ROUNDS = 5
BOUND = 1.3


def measure() -> list[Row]:
    """Start all in turns. The first start of each fills the caches; it does not count."""
    with tempfile.TemporaryDirectory() as folder:
        env = environment(Path(folder), ["procedural"])
        starts = {
            "bare": ([sys.executable, "-m", "benchmarks.bare_page"], dict(os.environ)),
            "plain": ([sys.executable, "-m", "benchmarks.app_without_mcp"], env),
            "with mcp": ([sys.executable, "app.py"], env),
        }
        seconds: dict[str, list[float]] = {name: [] for name in starts}
        for turn in range(ROUNDS + 1):
            for name, (command, environ) in starts.items():
                took = until_ready(command, environ)
                if turn:
                    seconds[name].append(took)
    bare, plain, with_mcp = (median(seconds[name]) for name in ("bare", "plain", "with mcp"))
    peer = f"bare gr.Blocks: {bare:.2f} s"
    return [
        Row(
            "time until Ready",
            f"{plain:.2f} s, {plain / bare:.2f} x",
            f"<= {BOUND} x bare",
            peer,
            plain <= BOUND * bare,
        ),
        Row("the same with the extra mcp", f"{with_mcp:.2f} s, {with_mcp / bare:.2f} x", "", peer),
    ]


def until_ready(command: list[str], env: dict[str, str], cwd: Path = ROOT) -> float:
    """Seconds from the start of a command until it prints that it serves; it is then stopped."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("Ready on"):
                return time.perf_counter() - started
        raise RuntimeError(f"{command} ended before it was ready")
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(20)
