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
DOM_BOUND = 3.5
RESTORE_BOUND = 1.3
"""Both are ratios to a plain Gradio page."""
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
    with (
        tempfile.TemporaryDirectory() as folder,
        TimestampedApp(Path(folder), [ENGINE]) as app,
        browser() as chromium,
        bare_page() as address,
    ):
        return [_event_to_dom(app, chromium, address), _restore(app, chromium, address)]


@contextmanager
def bare_page(module: str = "benchmarks.bare_page") -> Iterator[str]:
    """The address of a page without the app, while it runs."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if line.startswith("Ready on"))
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield line.removeprefix("Ready on ").strip()
        finally:
            process.terminate()


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


def _event_to_dom(app: App, browser: Browser, bare: str) -> Row:
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
    peer = _bare_to_dom(browser, bare)
    ratio = median(late) / median(peer)
    value = (
        f"p50 {median(late):.1f} ms, {ratio:.1f} x, p95 {percentile(late, 0.95):.1f} ms "
        f"(from the begin of its write: p50 {median(since_stored):.1f} ms; n={len(late)})"
    )
    return Row(
        "event sent -> shown in the DOM",
        value,
        f"<= {DOM_BOUND:g} x plain",
        f"plain Gradio generator: p50 {median(peer):.1f} ms",
        ratio <= DOM_BOUND,
    )


def _bare_to_dom(browser: Browser, address: str) -> list[float]:
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(address)
    page.wait_for_function("window.benchDelays.length >= 90", timeout=60_000)
    late: list[float] = page.evaluate("window.benchDelays")
    context.close()
    return late


def _restore(app: App, browser: Browser, bare: str) -> Row:
    page, client = _open(app, browser)
    _select(page, _submit(client, LONG_FORM))
    page.wait_for_function("window.benchShown.length > 3")
    context = browser.new_context()
    context.add_init_script(WATCH)
    peer = context.new_page()
    peer.goto(bare)
    seconds, others = [], []
    for _ in range(RELOADS):
        page.reload()
        page.wait_for_function("window.benchShown.length > 0")
        seconds.append(page.evaluate("window.benchShown[0][1] - performance.timeOrigin") / 1000)
        peer.reload()
        peer.wait_for_function("window.benchHeading > 0")
        others.append(peer.evaluate("window.benchHeading") / 1000)
    page.context.close()
    context.close()
    ratio = median(seconds) / median(others)
    return Row(
        "reload -> restored progress",
        f"p50 {median(seconds):.2f} s, {ratio:.2f} x, max {max(seconds):.2f} s (n={len(seconds)})",
        f"<= {RESTORE_BOUND:g} x bare",
        f"bare gr.Blocks: p50 {median(others):.2f} s",
        ratio <= RESTORE_BOUND,
    )
