"""The time until the page can be used, and its layout shifts, in a real Chromium. Peer: a bare Gradio page."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page

from benchmarks.page import browser
from benchmarks.table import Row
from tests.support.app import ROOT, App

LOADS = 9
READY_BOUND = 1.25
RUNS = 3
SHIFT_BOUND = 0.02
SCREENS = ((1280, 800), (390, 844))
FIELD, BUTTON = "#early-prompt, #prompt textarea", "#early-generate, #generate"
IS_READY = "() => window.benchReady > 0"
SHIFTS = (ROOT / "benchmarks" / "shifts.js").read_text()
READY = (ROOT / "benchmarks" / "ready.js").read_text()


def measure() -> list[Row]:
    """Measure both figures with one app and one browser."""
    with tempfile.TemporaryDirectory() as folder, App(Path(folder), ["procedural"]) as app, browser() as chromium:
        with _bare() as address:
            rows = [_ready(chromium, app.base_url, address)]
        rows.append(_shift(chromium, app.base_url))
    return rows


@contextmanager
def _bare() -> Iterator[str]:
    """The address of the peer, while it runs."""
    command = [sys.executable, "-m", "benchmarks.bare_page"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = next(line for line in process.stdout if line.startswith("Ready on"))
        yield line.removeprefix("Ready on ").strip()
    finally:
        process.terminate()
        process.wait(20)


def _ready(chromium: Browser, address: str, bare: str) -> Row:
    """Load both pages in turns, each in a profile that has loaded it before."""
    pages = [(_page(chromium, READY), url) for url in (address, bare)]
    seconds: list[list[float]] = [[], []]
    for turn in range(LOADS + 1):
        for times, (page, url) in zip(seconds, pages, strict=True):
            page.goto(url)
            page.wait_for_function(IS_READY)
            # The first load fills the caches of the browser.
            if turn:
                times.append(page.evaluate("window.benchReady") / 1000)
    for page, _ in pages:
        page.context.close()
    ours, theirs = map(median, seconds)
    return Row(
        "page opened -> ready to use",
        f"{ours:.2f} s, {ours / theirs:.2f} x (n={LOADS})",
        f"<= {READY_BOUND} x bare",
        f"bare gr.Blocks: {theirs:.2f} s",
        ours / theirs <= READY_BOUND,
    )


def _page(chromium: Browser, script: str, size: tuple[int, int] = SCREENS[0]) -> Page:
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
    context.add_init_script(script)
    return context.new_page()


def _shift(chromium: Browser, address: str) -> Row:
    """The sum of all layout shifts from an empty page to a playing video, on a desktop and on a phone."""
    worst = {size: max(_sum_of_shifts(chromium, address, size) for _ in range(RUNS)) for size in SCREENS}
    most = max(worst.values())
    values = ", ".join(f"{width} px: {value:.4f}" for (width, _), value in worst.items())
    return Row(
        "layout shift over a whole generation",
        f"max {values} (n={RUNS} each)",
        f"<= {SHIFT_BOUND}",
        "",
        most <= SHIFT_BOUND,
    )


def _sum_of_shifts(chromium: Browser, address: str, size: tuple[int, int]) -> float:
    page = _page(chromium, SHIFTS + READY, size)
    page.goto(address, wait_until="commit")
    page.wait_for_function(IS_READY)
    # At once: a prompt that is submitted while Gradio starts must work.
    page.locator(FIELD).first.fill("a film that stands still")
    page.locator(BUTTON).first.click()
    page.wait_for_function(
        "document.querySelector('#job-status').dataset.status === 'completed'"
        " && document.querySelector('#result-video video')?.currentTime > 0.1",
        timeout=60_000,
    )
    shifted: float = page.evaluate("window.benchShifted")
    for line in page.evaluate("window.benchMoved"):
        print(f"  shift at {size[0]} px: {line}", file=sys.stderr)
    page.context.close()
    return shifted
