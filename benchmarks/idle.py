"""What idle tabs cost the server. Peer: as many tabs of a plain Gradio page with an endless generator."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from benchmarks.load import watch_handler
from benchmarks.table import Row
from benchmarks.watchers import Page
from tests.support.app import ROOT, App

TABS = 10
SECONDS = 20
BOUND_PERCENT = 1.0
"""Of a core, more than the peer."""


def measure() -> list[Row]:
    """Measure one after the other."""
    ours, theirs = _ours(), _theirs()
    return [
        Row(
            f"{TABS} idle tabs: processor time of the server",
            f"{ours:.1f} % of a core",
            f"<= peer + {BOUND_PERCENT:g} %",
            f"plain Gradio generator: {theirs:.1f} %",
            ours - theirs <= BOUND_PERCENT,
        )
    ]


def _ours() -> float:
    with tempfile.TemporaryDirectory() as folder, App(Path(folder), ["bars"]) as app:
        return _idle(urlsplit(app.base_url).netloc, app.pid, [None])


def _theirs() -> float:
    command = [sys.executable, "-m", "benchmarks.plain_watch"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().removeprefix("Ready on http://").strip()
            return _idle(address, process.pid, [])
        finally:
            process.kill()


def _idle(address: str, pid: int, data: list[object]) -> float:
    """Per cent of a core that a server needs while tabs are open and nothing happens."""
    host, _, port = address.partition(":")
    handler = watch_handler(address)
    pages = [Page((host, int(port)), handler, data) for _ in range(TABS)]
    time.sleep(5)
    process = psutil.Process(pid)
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(SECONDS)
    after = process.cpu_times()
    for page in pages:
        page.connection.close()
    return 100 * (after.user + after.system - before.user - before.system) / (time.monotonic() - began)
