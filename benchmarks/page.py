"""How long a person waits for the page, measured in a real Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median

import httpx
from httpx_sse import connect_sse
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.table import Row, percentile
from tests.support.app import ROOT, App

ENGINE = f"{ROOT / 'benchmarks' / 'engines.py'}:paced"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DOM_BOUND_MS = 10.0
RESTORE_BOUND_S = 0.6
RELOADS = 10
FORM = {"width": 64, "height": 64, "durationSeconds": 9, "fps": 11}
"""99 frames, so that step n is progress n."""
LONG_FORM = FORM | {"durationSeconds": 20, "fps": 20}
"""One minute: longer than all reloads take."""

WATCH = (ROOT / "benchmarks" / "watch.js").read_text()


class TimestampedApp(App):
    """Serves the time at which each event was sent."""

    program = "benchmarks/timestamped_app.py"


def measure() -> list[Row]:
    """Measure the time from event to DOM and from reload to restored progress, with one page."""
    with tempfile.TemporaryDirectory() as folder, TimestampedApp(Path(folder), [ENGINE]) as app, browser() as chromium:
        rows = [_event_to_dom(app, chromium)]
        rows.append(_restore(app, chromium))
    return rows


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium with an empty profile."""
    path = os.environ.get("VIDEOGEN_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


def _open(app: App, browser: Browser) -> tuple[Page, httpx.Client]:
    """A page and an HTTP client of the same session."""
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(app.base_url)
    page.wait_for_function("document.querySelector('#connection')?.textContent.trim() === 'Live'")
    cookie = next(cookie for cookie in context.cookies() if cookie["name"] == "videogen_session")
    client = httpx.Client(base_url=app.base_url, headers={"Authorization": f"Bearer {cookie['value']}"}, timeout=60)
    return page, client


def _submit(client: httpx.Client, settings: dict[str, int]) -> str:
    answer = client.post("/api/v1/generations", json={"prompt": "figures", "settings": settings})
    answer.raise_for_status()
    return str(answer.json()["generations"][0]["id"])


def _select(page: Page, generation: str) -> None:
    """Show a generation that another client has submitted."""
    page.click(f'#active [data-generation-id="{generation}"] button')


def _event_to_dom(app: App, browser: Browser) -> Row:
    page, client = _open(app, browser)
    stored: dict[int, float] = {}
    numbers: dict[int, int] = {}
    generation = _submit(client, FORM)
    _select(page, generation)
    with connect_sse(client, "GET", f"/api/v1/generations/{generation}/events") as source:
        for event in source.iter_sse():
            data = event.json()
            step = data.get("step")
            if event.event == "render_progress" and step:
                stored.setdefault(step, datetime.fromisoformat(data["at"]).timestamp() * 1000)
                numbers.setdefault(step, int(event.id))
    shown = {round(value): at for value, at in page.evaluate("window.benchShown")}
    sent = {int(number): at for number, at in client.get("/sent").json().items()}
    late = [shown[step] - sent[numbers[step]] for step in stored if step in shown]
    since_stored = [shown[step] - at for step, at in stored.items() if step in shown]
    page.context.close()
    peer = _bare_to_dom(browser)
    value = (
        f"p50 {median(late):.1f} ms, p95 {percentile(late, 0.95):.1f} ms "
        f"(from the begin of its write: p50 {median(since_stored):.1f} ms; n={len(late)})"
    )
    return Row(
        "event sent -> shown in the DOM",
        value,
        f"p50 <= {DOM_BOUND_MS:g} ms",
        f"plain Gradio generator: p50 {median(peer):.1f} ms",
        median(late) <= DOM_BOUND_MS,
    )


def _bare_to_dom(browser: Browser) -> list[float]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare_page"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        address = next(line for line in process.stdout if line.startswith("Ready on")).removeprefix("Ready on ").strip()
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        context = browser.new_context()
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("window.benchDelays.length >= 90", timeout=60_000)
        late: list[float] = page.evaluate("window.benchDelays")
        context.close()
        return late
    finally:
        process.terminate()
        process.wait(20)


def _restore(app: App, browser: Browser) -> Row:
    page, client = _open(app, browser)
    _select(page, _submit(client, LONG_FORM))
    page.wait_for_function("window.benchShown.length > 3")
    seconds = []
    for _ in range(RELOADS):
        page.reload()
        page.wait_for_function("window.benchShown.length > 0")
        seconds.append(page.evaluate("window.benchShown[0][1] - performance.timeOrigin") / 1000)
    page.context.close()
    return Row(
        "reload -> restored progress",
        f"p50 {median(seconds):.2f} s, max {max(seconds):.2f} s (n={len(seconds)})",
        f"p50 <= {RESTORE_BOUND_S} s",
        "",
        median(seconds) <= RESTORE_BOUND_S,
    )
