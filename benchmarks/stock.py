"""What is left after a reload, a restart or a kill: the app and a stock Gradio app (`stock_gradio.py`), in Chromium."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import TimeoutError as NotInTime

from benchmarks.page import browser as chromium
from benchmarks.table import Row
from tests.support import processes
from tests.support.app import ROOT, App
from tests.support.sites import Wire

ENGINE = f"{ROOT / 'benchmarks' / 'engines.py'}:six_seconds"
PATIENCE_MS = 40_000
"""A render takes six seconds."""
CUT_SECONDS = 5
PLAYS = "() => document.querySelector('#result-video video')?.readyState >= 2"


class Side(Protocol):
    """What the questions need of each app."""

    rendering: str
    """JavaScript: the page shows progress of a render."""

    @property
    def url(self) -> str:
        """Where it serves."""

    def restart(self) -> None:
        """Stop it as an operator does, and start it again at the same place."""

    def kill_renderer(self, page: Page) -> None:
        """SIGKILL to the process that renders; a server that dies of it is started again."""

    def renders(self, page: Page) -> int:
        """How many renders there were since the start of this question."""

    def stopped(self, page: Page) -> bool:
        """Whether a render that was cancelled has not come to its end."""

    def listed(self, page: Page) -> bool:
        """Whether the app lists the finished result, and its video opens."""


class Ours:
    """The app with its defaults."""

    rendering = "() => Number(document.querySelector('#job-progress')?.getAttribute('aria-valuenow')) > 10"

    def __init__(self, app: App) -> None:
        self._app = app

    @property
    def url(self) -> str:
        return self._app.base_url

    def restart(self) -> None:
        self._app.restart()

    def kill_renderer(self, page: Page) -> None:
        self._app.renderer(self._generations(page)[0]["id"]).kill()

    def renders(self, page: Page) -> int:
        return len(self._generations(page))

    def stopped(self, page: Page) -> bool:
        return _happens(page, "() => document.querySelector('#job-status')?.dataset.status === 'cancelled'")

    def listed(self, page: Page) -> bool:
        page.goto(self.url)
        page.wait_for_selector("#history [data-generation-id]", timeout=PATIENCE_MS)
        page.click("#history [data-generation-id] [data-do=select]")
        return _happens(page, PLAYS)

    def _generations(self, page: Page) -> list[dict[str, str]]:
        answer = page.evaluate("() => fetch('/api/v1/generations').then(answer => answer.text())")
        found: list[dict[str, str]] = json.loads(answer)["items"]
        return found


class Stock:
    """The stock app with its defaults."""

    rendering = "() => document.querySelector('#status :is(input, textarea)')?.value.startsWith('Step')"

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._lines: list[str] = []
        self._process = self._start()
        self._before = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def restart(self) -> None:
        self.stop()
        self._process = self._start()

    def kill_renderer(self, _page: Page) -> None:
        self._process.kill()
        self._process.wait(20)
        self._process = self._start()

    def renders(self, _page: Page) -> int:
        begun = sum(line.startswith("begins") for line in self._lines)
        since, self._before = begun - self._before, begun
        return since

    def stopped(self, page: Page) -> bool:
        before = self._ended()
        page.wait_for_timeout(10_000)
        return self._ended() == before

    def listed(self, page: Page) -> bool:
        page.goto(f"{self.url}/gradio_api/runs")
        return _happens(page, "() => document.querySelector('video')?.readyState >= 1")

    def _ended(self) -> int:
        return sum(line.startswith("ends") for line in self._lines)

    def _start(self) -> subprocess.Popen[str]:
        process = processes.start(
            [sys.executable, "-m", "benchmarks.stock_gradio"],
            cwd=ROOT,
            env=os.environ | {"GRADIO_SERVER_PORT": str(self._port), "GRADIO_ANALYTICS_ENABLED": "False"},
            stdout=subprocess.PIPE,
            text=True,
        )
        ready = threading.Event()
        threading.Thread(target=self._read, args=(process.stdout, ready), daemon=True).start()
        if not ready.wait(60):
            raise RuntimeError("the stock app did not start")
        return process

    def _read(self, output: IO[str], ready: threading.Event) -> None:
        for line in output:
            self._lines.append(line)
            if "Running on" in line:
                ready.set()


def measure() -> list[Row]:
    """Ask each question of both, one after the other. Each is asked by a person with a new browser profile."""
    with tempfile.TemporaryDirectory() as folder, App(Path(folder), [ENGINE]) as app, _stock() as stock:
        ours = Ours(app)
        with chromium() as browser:
            return [_row(question, ask, browser, ours, stock) for question, ask in QUESTIONS.items()]


@contextmanager
def _stock() -> Iterator[Stock]:
    stock = Stock()
    try:
        yield stock
    finally:
        stock.stop()


def _row(question: str, ask: Question, browser: Browser, ours: Side, stock: Side) -> Row:
    answers = []
    for side in (ours, stock):
        print(f"  {question} ({type(side).__name__})", file=sys.stderr, flush=True)
        with _visit(browser, side) as visit:
            side.renders(visit.page)
            answers.append(ask(visit))
    mine, theirs = ("yes" if answer else "no" for answer in answers)
    return Row(question, mine, "yes", f"stock Gradio: {theirs}", answers[0])


@dataclass
class Visit:
    """One person at one app."""

    side: Side
    browser: Browser
    context: BrowserContext
    page: Page
    wire: Wire


Question = Callable[[Visit], bool]


@contextmanager
def _visit(browser: Browser, side: Side) -> Iterator[Visit]:
    with Wire(side.url) as wire:
        context = browser.new_context()
        try:
            yield Visit(side, browser, context, _opened(context, wire.url), wire)
        finally:
            context.close()


def _opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#generate")
    page.wait_for_load_state("networkidle") if page.query_selector("#connection") is None else page.wait_for_function(
        "() => document.querySelector('#connection').textContent.trim() === 'Live'"
    )
    return page


def _happens(page: Page, script: str) -> bool:
    try:
        page.wait_for_function(script, timeout=PATIENCE_MS)
    except NotInTime:
        return False
    return True


def _begin(visit: Visit, page: Page | None = None) -> Page:
    """Submit a prompt, and wait until it renders."""
    page = page or visit.page
    page.fill("#prompt :is(textarea, input)", "a grey field")
    page.click("#generate")
    page.wait_for_function(visit.side.rendering, timeout=PATIENCE_MS)
    return page


def _reload(visit: Visit) -> bool:
    _begin(visit).reload()
    return _happens(visit.page, PLAYS)


def _closed_tab(visit: Visit) -> bool:
    _begin(visit).close()
    visit.page = _opened(visit.context, visit.wire.url)
    return _happens(visit.page, PLAYS)


def _lost_network(visit: Visit) -> bool:
    _begin(visit)
    visit.wire.cut()
    visit.page.wait_for_timeout(CUT_SECONDS * 1000)
    visit.wire.mend()
    return _happens(visit.page, PLAYS)


def _restart(visit: Visit) -> bool:
    _begin(visit)
    visit.side.restart()
    return _happens(visit.page, PLAYS)


def _kill(visit: Visit) -> bool:
    visit.side.kill_renderer(_begin(visit))
    return _happens(visit.page, PLAYS)


def _double_click(visit: Visit) -> bool:
    visit.page.fill("#prompt :is(textarea, input)", "a grey field")
    visit.page.dblclick("#generate")
    return _happens(visit.page, PLAYS) and visit.side.renders(visit.page) == 1


def _cancel(visit: Visit) -> bool:
    _begin(visit).click("#cancel")
    return visit.side.stopped(visit.page)


def _two_people(visit: Visit) -> bool:
    other = visit.browser.new_context()
    try:
        second = _opened(other, visit.side.url)
        _begin(visit)
        second.fill("#prompt :is(textarea, input)", "another grey field")
        second.click("#generate")
        shown = [
            page.evaluate("document.querySelector('video').src")
            for page in (visit.page, second)
            if _happens(page, PLAYS)
        ]
        return len(set(shown)) == 2
    finally:
        other.close()


def _listed(visit: Visit, *, restart: bool = False) -> bool:
    page = _begin(visit, _opened(visit.context, visit.side.url))
    if not _happens(page, PLAYS):
        return False
    if restart:
        visit.side.restart()
    return visit.side.listed(page)


QUESTIONS: dict[str, Question] = {
    "page reloaded while it renders: the finished video is shown": _reload,
    "tab closed while it renders, and opened again: the same": _closed_tab,
    f"network lost for {CUT_SECONDS} s without an error: the same": _lost_network,
    "server restarted while it renders: the same": _restart,
    "process that renders killed: the same": _kill,
    "Generate clicked twice: one render": _double_click,
    "cancelled: the render ends": _cancel,
    "two people at the same time: each sees their own video": _two_people,
    "finished: the result is listed and opens, in the history of either": _listed,
    "finished, then the server restarted: the same": partial(_listed, restart=True),
}
