"""How soon the page is seen and can be used, and what jumps, in a real Chromium. Peers: plain Gradio pages."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import httpx
from playwright.sync_api import Browser, Page

from benchmarks.page import bare_page, browser
from benchmarks.table import Row
from tests.support.app import ROOT, App

LOADS = 9
READY_BOUND = 1.1
PAINT_BOUND = 1.0
"""Both are ratios."""
DOCUMENT_BOUND_KB = 120
RUNS = 3
SHIFT_BOUND = 0.02
SCREENS = ((1280, 800), (390, 844))
FIELD, BUTTON = "#prompt textarea", "#generate"
IS_READY = "() => window.benchReady > 0"
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
SHIFTS = (ROOT / "benchmarks" / "shifts.js").read_text()
READY = (ROOT / "benchmarks" / "ready.js").read_text()


def measure() -> list[Row]:
    """Measure all figures with one app and one browser."""
    with tempfile.TemporaryDirectory() as folder, App(Path(folder), ["procedural"]) as app, browser() as chromium:
        with bare_page("benchmarks.same_form") as same:
            rows = [_ready(chromium, app.base_url, same)]
        with bare_page() as bare:
            rows.append(_paint(chromium, app.base_url, bare))
        rows += [_document(app.base_url), _shift(chromium, app.base_url)]
    return rows


def _in_turns(chromium: Browser, urls: Sequence[str], wait: str, value: str) -> list[float]:
    """Load pages in turns, each in a profile that has loaded it before; the medians of a value, in seconds."""
    pages = [(_page(chromium, READY), url, list[float]()) for url in urls]
    for turn in range(LOADS + 1):
        for page, url, seconds in pages:
            page.goto(url)
            page.wait_for_function(wait)
            # The first load fills the caches of the browser.
            if turn:
                seconds.append(page.evaluate(value) / 1000)
    for page, _, _ in pages:
        page.context.close()
    return [median(seconds) for _, _, seconds in pages]


def _ready(chromium: Browser, address: str, same: str) -> Row:
    ours, theirs = _in_turns(chromium, (address, same), IS_READY, "window.benchReady")
    return Row(
        "page opened -> ready to use",
        f"{ours:.2f} s, {ours / theirs:.2f} x (n={LOADS})",
        f"<= {READY_BOUND:g} x same form",
        f"plain gr.Blocks with the same form: {theirs:.2f} s",
        ours / theirs <= READY_BOUND,
    )


def _paint(chromium: Browser, address: str, bare: str) -> Row:
    ours, theirs = _in_turns(chromium, (address, bare), f"({PAINT})() > 0", f"({PAINT})()")
    return Row(
        "page opened -> first contentful paint",
        f"{ours:.2f} s, {ours / theirs:.2f} x (n={LOADS})",
        f"<= {PAINT_BOUND:g} x bare",
        f"bare gr.Blocks: {theirs:.2f} s",
        ours / theirs <= PAINT_BOUND,
    )


def _document(address: str) -> Row:
    size = len(httpx.get(address, timeout=30).content) / 1000
    return Row("document, uncompressed", f"{size:.0f} kB", f"<= {DOCUMENT_BOUND_KB} kB", "", size <= DOCUMENT_BOUND_KB)


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
