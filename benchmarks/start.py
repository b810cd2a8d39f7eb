"""Time until `Ready`: the app beside a bare Gradio page, in turns."""

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
    """Start both in turns; the first start of each warms the caches and does not count."""
    with tempfile.TemporaryDirectory() as folder:
        ours = [sys.executable, "app.py"]
        bare = [sys.executable, "-m", "benchmarks.bare_page"]
        env = environment(Path(folder), ["procedural"])
        app_times, bare_times = [], []
        for turn in range(ROUNDS + 1):
            bare_seconds, app_seconds = _until_ready(bare, dict(os.environ)), _until_ready(ours, env)
            if turn:
                bare_times.append(bare_seconds)
                app_times.append(app_seconds)
    ratio = median(app_times) / median(bare_times)
    value = f"{median(app_times):.2f} s, {ratio:.2f} x"
    return [
        Row(
            "time until Ready",
            value,
            f"<= {BOUND} x bare",
            f"bare gr.Blocks: {median(bare_times):.2f} s",
            ratio <= BOUND,
        )
    ]


def _until_ready(command: list[str], env: dict[str, str]) -> float:
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
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
