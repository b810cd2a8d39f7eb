"""The connection shows the right status, and comes back by itself: on the page, and in a frame of another site."""

import os
import signal
from contextlib import contextmanager

import pytest

from tests.browser.conftest import ENGINES, open_gate
from tests.support.app import App
from tests.support.sites import Wire

pytestmark = pytest.mark.browser

TRUTH_MS = 20_000
"""How long the indicator may be wrong."""
RETURN_MS = 45_000
BROKEN = ("Reconnecting", "Offline")


@pytest.fixture(scope="module")
def fragile_app(tmp_path_factory):
    """An app that tests may freeze and kill; all of them leave it running."""
    with App(tmp_path_factory.mktemp("fragile"), engines=ENGINES, workers=2, lease_seconds=2) as app:
        yield app


@pytest.fixture(scope="module")
def wire(fragile_app):
    """The way to it, at one address for the whole module."""
    with Wire(fragile_app.base_url) as wire:
        yield wire


@pytest.fixture
def half_way(fragile_app, wire, where, person):
    """A tab with a generation at its gate, and the generation's id."""
    me = person()
    tab = me.tab(wire.url, where).open()
    generation = tab.generate("a film that survives", "Gated")
    tab.half_way(generation)
    tab.prompt.press_sequentially(", next")
    tab.kept("survives, next")
    yield tab, generation
    open_gate(fragile_app, generation)


def comes_back(app, tab, generation):
    """Without anybody's doing: Live, the same generation, which goes on live until its video plays."""
    tab.says("Live", timeout=RETURN_MS)
    tab.shows(generation, "processing")
    assert tab.prompt.input_value() == "a film that survives, next"
    tab.half_way(generation)
    open_gate(app, generation)
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


def test_live_while_all_is_well(half_way, fragile_app):
    tab, generation = half_way
    tab.says("Live")
    open_gate(fragile_app, generation)
    tab.shows(generation, "completed")
    assert tab.seen["connection"] == ["Live"]


def test_frozen_server_is_noticed_and_thawed_one_too(half_way, fragile_app):
    tab, generation = half_way
    with frozen(fragile_app):
        tab.says(*BROKEN, timeout=TRUTH_MS)
    comes_back(fragile_app, tab, generation)


def test_killed_server_is_noticed_and_its_successor_too(half_way, fragile_app):
    tab, generation = half_way
    fragile_app.kill()
    try:
        tab.says(*BROKEN, timeout=TRUTH_MS)
    finally:
        fragile_app.restart()
    comes_back(fragile_app, tab, generation)


def test_browser_without_network_is_offline(half_way, fragile_app):
    tab, generation = half_way
    tab.page.context.set_offline(True)
    tab.says("Offline", timeout=TRUTH_MS)
    tab.page.context.set_offline(False)
    comes_back(fragile_app, tab, generation)


def test_half_open_connection_is_noticed_and_replaced(half_way, fragile_app, wire):
    tab, generation = half_way
    wire.cut()
    try:
        tab.says(*BROKEN, timeout=TRUTH_MS)
    finally:
        wire.mend()
    comes_back(fragile_app, tab, generation)
