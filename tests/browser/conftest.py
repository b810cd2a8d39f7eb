"""A Chromium per module, one app for all that leave it running, and a context of its own for every test."""

import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.engines import GATE
from tests.support.app import ROOT, App
from tests.support.browser import RECORDER, Tab, launch
from tests.support.sites import EmbeddingSite

ENGINES = [f"{ROOT / 'tests' / 'browser' / 'engines.py'}:{name}" for name in ("gated", "paced", "fails_once")]
ARTIFACTS = ROOT / "test-results"
_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.stash[_failed] = report.failed
    return report


@pytest.fixture(scope="module")
def browser():
    """Not for the session: Playwright occupies the thread's event loop, which asynchronous tests need."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site():
    """The other site."""
    with EmbeddingSite() as site:
        yield site


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory):
    with App(tmp_path_factory.mktemp("browser"), engines=ENGINES, workers=2) as app:
        yield app


@pytest.fixture
def app(shared_app):
    """The app that all share: no test may stop it. What a test leaves waiting at a gate goes on after it."""
    yield shared_app
    for workdir in (shared_app.data_dir / "work").iterdir():
        open_gate(shared_app, workdir.name)


def open_gate(app, generation_id):
    """Let a gated generation go on."""
    gate = Path(app.data_dir, "work", generation_id, GATE)
    if gate.parent.is_dir():
        gate.touch()


@pytest.fixture(params=["page", "iframe"])
def where(request):
    """The app as a page of its own, and in a frame of another site with third-party cookies blocked."""
    return request.param


@pytest.fixture
def person(browser, request):
    """Contexts, each a person with a browser of their own: `person(color_scheme="dark")`."""
    contexts = []

    def make(**options):
        context = browser.new_context(locale="en-GB", **options)
        context.add_init_script(RECORDER)
        contexts.append(context)
        return context

    yield make
    with ExitStack() as closing:
        for context in contexts:
            closing.callback(context.close)
        if request.node.stash.get(_failed, True):
            _keep_pictures(request.node.nodeid, contexts)


@pytest.fixture
def open_tab(app, site, where, person):
    """Opens tabs of one person: `open_tab()`, or of another: `open_tab(person())`."""
    mine = person()

    def open_one(context=None):
        return Tab((context or mine).new_page(), app.base_url, where, site).open()

    open_one.context = mine
    return open_one


@pytest.fixture
def tab(open_tab):
    """The app, opened by someone who has never been here."""
    return open_tab()


def _keep_pictures(node_id, contexts):
    ARTIFACTS.mkdir(exist_ok=True)
    name = re.sub(r"[^\w-]+", "-", node_id.rpartition("/")[2]).strip("-")
    for number, page in enumerate(page for context in contexts for page in context.pages):
        page.screenshot(path=ARTIFACTS / f"{name}-{number}.png", timeout=5_000)
