"""One Chromium and one app for this folder, and for every test people who have never been here."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright

from tests.browser.engines import GATE
from tests.support.app import ROOT, App
from tests.support.browser import Person, launch
from tests.support.sites import EmbeddingSite

OWN = ("gated", "paced", "fails_once", "develops", "odd")
ENGINES = [*(f"{ROOT / 'tests' / 'browser' / 'engines.py'}:{name}" for name in OWN), "procedural"]
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
"""For a page that begins: adds up how far things jump that nobody touched."""
GRADIO_ROUTES = {
    *("GET /assets/", "GET /static/", "GET /theme.css"),
    *(
        "POST /gradio_api/upload",
        "POST /gradio_api/queue/join",
        "GET /gradio_api/queue/data",
        "POST /gradio_api/run/predict",
    ),
}
"""What every page asks of Gradio itself; and `app_id`, when its stream broke. `ui.gradio_guard` opens no more."""
ARTIFACTS = ROOT / "test-results"
_passed = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Every test of this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.stash[_passed] = report.passed
    return report


@pytest.fixture(scope="package")
def browser():
    """Not for the session: while it lasts, Playwright holds the thread's event loop, which others need."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site():
    """The other site."""
    with EmbeddingSite() as site:
        yield site


@pytest.fixture(scope="package")
def shared_app(tmp_path_factory, site):
    settings = {"frame_ancestors": f"'self' {site.url} https://localhost:*"}
    with App(tmp_path_factory.mktemp("browser"), engines=ENGINES, workers=2, **settings) as app:
        yield app


@pytest.fixture
def app(shared_app):
    """The app that all share: no test may stop it. What a test leaves waiting at a gate goes on after it."""
    yield shared_app
    for workdir in (shared_app.data_dir / "work").iterdir():
        open_gate(shared_app, workdir.name)


def open_gate(app, generation_id, pace=0.03):
    """Let a gated generation go on, at so many seconds for each frame."""
    workdir = app.data_dir / "work" / generation_id
    # One that has just ended has no work folder any more, and no gate to stand at.
    with suppress(FileNotFoundError):
        note = workdir / f"{GATE}.part"
        note.write_text(str(pace))
        note.replace(workdir / GATE)


def finish(app, tab, prompt):
    """The id of a generation that has just completed, and whose video can be played."""
    generation = tab.generate(prompt, "Gated")
    tab.gets_going(generation)
    open_gate(app, generation)
    tab.shows(generation, "completed")
    tab.can_play()
    return generation


@pytest.fixture
def where():
    """How the app is shown: as a page of its own.

    Where it matters, a test also takes "iframe": a frame of another site, with third-party cookies blocked.
    """
    return "page"


@pytest.fixture(scope="package")
def people():
    """Those who have left and forgotten everything, by where they meet the app."""
    return {"page": [], "iframe": []}


@pytest.fixture
def person(browser, site, people, request):
    """Brings people who have never been here: `person("iframe")`."""
    here = []

    def arrive(where):
        here.append(people[where].pop() if people[where] else Person(browser, site, where))
        return here[-1]

    yield arrive
    assert set().union(*(one.gradio_routes for one in here)) <= {*GRADIO_ROUTES, "GET /gradio_api/app_id"}
    assert [violation for one in here for violation in one.violations] == []
    if request.node.stash.get(_passed, False):
        for one in here:
            one.forget()
            people[one.where].append(one)
    else:
        _keep_pictures(request.node.nodeid, [page for one in here for page in one.context.pages])
        for one in here:
            one.context.close()


@pytest.fixture
def open_tab(app, where, person):
    """Opens tabs, all of one person: `open_tab()`; or of somebody else: `open_tab(person("page"))`."""
    me = person(where)

    def open_one(somebody=me):
        return somebody.tab(app.base_url).open()

    return open_one


@pytest.fixture
def tab(open_tab):
    """The app, opened by someone who has never been here."""
    return open_tab()


def _keep_pictures(node_id, pages):
    ARTIFACTS.mkdir(exist_ok=True)
    name = re.sub(r"[^\w-]+", "-", node_id.rpartition("/")[2]).strip("-")
    for number, page in enumerate(pages):
        # A page that hangs has no picture; the test's own failure is what counts.
        with suppress(Error):
            page.screenshot(path=ARTIFACTS / f"{name}-{number}.png", timeout=5_000)
