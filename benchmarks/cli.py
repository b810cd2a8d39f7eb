"""Seconds from the start of the command line until the app has accepted its request. Peer: the import of httpx."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.table import Row
from tests.support.app import ROOT, App

ROUNDS = 11
BOUND_SECONDS = 0.5
COMMAND = ("generate", "a test", "--size", "64x64", "--seconds", "0.5", "--fps", "8", "--detach")


def measure() -> list[Row]:
    """Measure both in turns. The first turn fills the caches and makes the session; it does not count."""
    with tempfile.TemporaryDirectory() as folder, App(Path(folder, "data"), ["bars"], workers=0) as app:
        env = dict(os.environ) | {"VIDEOGEN_URL": app.base_url, "XDG_CONFIG_HOME": folder, "PYTHONPATH": str(ROOT)}
        submits, imports = [], []
        for turn in range(ROUNDS + 1):
            peer = _seconds([sys.executable, "-c", "import httpx"], env)
            ours = _seconds([sys.executable, "-m", "videogen", *COMMAND], env)
            if turn:
                submits.append(ours)
                imports.append(peer)
    value = median(submits)
    return [
        Row(
            "CLI: start to submitted",
            f"p50 {value:.2f} s, {value / median(imports):.1f} x",
            f"<= {BOUND_SECONDS} s",
            f"python -c 'import httpx': {median(imports):.2f} s",
            value <= BOUND_SECONDS,
        )
    ]


def _seconds(command: list[str], env: dict[str, str]) -> float:
    """Seconds until the command ends. `generate --detach` ends when the app has accepted its request."""
    started = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True, timeout=60)
    return time.perf_counter() - started
