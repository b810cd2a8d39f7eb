"""The connection shows the right status, and comes back by itself: on the page, and in a frame of another site."""

import os
import signal
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ENGINES, open_gate
from tests.support.app import App
from tests.support.sites import Wire

pytestmark = pytest.mark.browser

TRUTH_MS = 20_000
"""How long the indicator may be wrong."""
RETURN_MS = 45_000
BROKEN = ("Reconnecting", "Offline")


@pytest.fixture(scope="module")
def fragile_app(tmp_path_factory, site):
    """An app that tests may freeze and kill; all of them leave it running."""
    settings = {"workers": 4, "lease_seconds": 2, "frame_ancestors": site.url}
    with App(tmp_path_factory.mktemp("fragile"), engines=ENGINES, **settings) as app:
        yield app


@pytest.fixture(scope="module")
def wire(fragile_app):
    """The way to it, at one address for the whole module."""
    with Wire(fragile_app.base_url) as wire:
        yield wire


@pytest.fixture
def start(fragile_app, wire, person):
    """Opens the app as a page and in a frame, for two people, who then start a film each: pairs of tab and id.

    An outage takes its time, so both live through the same one.
    """
    films = []

    def start():
        tabs = [person(where).tab(wire.url).open() for where in ("page", "iframe")]
        films.extend((tab, tab.generate("a film that survives", "Gated")) for tab in tabs)
        for tab, generation in films:
            tab.gets_going(generation)
            tab.prompt.press_sequentially(", next")
            tab.kept("survives, next")
        return films

    yield start
    for _, generation in films:
        open_gate(fragile_app, generation)


def notice(films):
    for tab, _ in films:
        tab.says(*BROKEN, timeout=TRUTH_MS)


def come_back(app, films):
    """Without anybody's doing: Live, the same generation, which goes on live until its video plays."""
    for tab, generation in films:
        tab.says("Live", timeout=RETURN_MS)
        tab.shows(generation, "processing")
        expect(tab.prompt).to_have_value("a film that survives, next")
        tab.gets_going(generation)
        open_gate(app, generation)
    for tab, generation in films:
        tab.shows(generation, "completed")
        tab.can_play()
        assert tab.seen["connection"][-1] == "Live"


@contextmanager
def frozen(app):
    """The server does not run, but its machine still takes connections."""
    os.kill(app.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(app.pid, signal.SIGCONT)


def test_frozen_server_is_noticed_and_loses_nothing(fragile_app, start):
    films = start()
    with frozen(fragile_app):
        # The renderers work on: a second of frames and pictures, which nobody takes.
        for _, generation in films:
            open_gate(fragile_app, generation, pace=0.1)
        notice(films)
    for tab, generation in films:
        tab.says("Live", timeout=RETURN_MS)
        expect(tab.prompt).to_have_value("a film that survives, next")
        tab.shows(generation, "completed")
        tab.can_play()


def test_killed_server_is_noticed_and_its_successor_too(fragile_app, start):
    films = start()
    fragile_app.kill()
    try:
        notice(films)
    finally:
        fragile_app.restart()
    come_back(fragile_app, films)


def test_live_while_all_is_well_and_offline_without_network(fragile_app, start):
    films = start()
    for tab, _ in films:
        shown = tab.seen["connection"]
        assert shown[shown.index("Live") :] == ["Live"]
    for tab, _ in films:
        tab.page.context.set_offline(True)
        tab.says("Offline", timeout=TRUTH_MS)
        tab.page.context.set_offline(False)
    come_back(fragile_app, films)


def test_half_open_connection_is_noticed_and_replaced(fragile_app, start, wire):
    films = start()
    wire.cut()
    try:
        notice(films)
    finally:
        wire.mend()
    come_back(fragile_app, films)


def play(tab, script):
    """Events of a browser that a test cannot have otherwise: a tab in the background, a page kept for Back."""
    tab.evaluate(f"(() => {{ {script} }})()")


HIDE = """
Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
document.dispatchEvent(new Event("visibilitychange"));
"""
SHOW = """
delete document.hidden;
document.dispatchEvent(new Event("visibilitychange"));
"""
LEAVE = "window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));"
RETURN = "window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));"


def test_hidden_tab_and_page_kept_for_back_find_out_when_they_are_seen_again(fragile_app, start, wire):
    films = start()
    (hidden, _), (kept, _) = films
    play(hidden, HIDE)
    play(kept, LEAVE)
    wire.cut()
    try:
        hidden.says(*BROKEN, timeout=TRUTH_MS)
    finally:
        wire.mend()
    # The way is open again, but what they were connected to is dead for good.
    documents = [tab.evaluate("window.performance.timeOrigin") for tab, _ in films]
    play(kept, RETURN)
    kept.says(*BROKEN, timeout=2_000)
    play(hidden, SHOW)
    come_back(fragile_app, films)
    assert [tab.evaluate("window.performance.timeOrigin") for tab, _ in films] != documents
