"""The connection says how it is, comes back by itself, and nothing that was typed or sent is lost."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ENGINES, open_gate
from tests.support.app import App
from tests.support.sites import Wire

BROKEN = ("Reconnecting", "Offline")
RETURN_MS = 30_000
FORBIDDEN = """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {
    get() { throw new DOMException("forbidden", "SecurityError"); }, configurable: true });"""


@pytest.fixture(scope="module")
def fragile_app(tmp_path_factory):
    """An app that tests may kill; all of them leave it running."""
    engines = [*ENGINES, "lost-service"]
    with App(tmp_path_factory.mktemp("fragile"), engines=engines, workers=2, lease_seconds=2, page="python") as app:
        yield app


@pytest.fixture(scope="module")
def wire(fragile_app):
    """A way to it that can be cut."""
    with Wire(fragile_app.base_url) as wire:
        yield wire


def generations(tab):
    """How many the session has."""
    return tab.find("#active [data-generation-id], #history [data-generation-id]")


def test_what_is_typed_and_sent_while_the_server_is_down_is_done_once_it_is_back(fragile_app, person):
    tab = person("page").tab(fragile_app.base_url).open()
    made = tab.generate("before", "Gated")
    tab.gets_going(made)
    document = tab.evaluate("performance.timeOrigin")
    fragile_app.kill()
    tab.says("Offline", timeout=6_000)
    expect(tab.find("#job-stale")).to_be_visible()
    tab.prompt.fill("while it was away")
    tab.find("#generate").click()
    expect(tab.find("#outbox")).to_contain_text("Will be sent")
    tab.find("#outbox-cancel").click()
    expect(tab.find("#outbox")).to_be_hidden()
    tab.find("#generate").dblclick()
    expect(tab.find("#outbox")).to_be_visible()
    fragile_app.restart()
    tab.says("Live", timeout=RETURN_MS)
    waiting = tab.find("#active [data-generation-id]")
    expect(waiting).to_have_count(2)
    (again,) = {one.get_attribute("data-generation-id") for one in waiting.all()} - {made}
    expect(tab.find("#outbox")).to_be_hidden()
    expect(tab.find("#job-stale")).to_be_hidden()
    expect(tab.prompt).to_have_value("while it was away")
    assert tab.evaluate("performance.timeOrigin") == document, "the page goes on without a reload"
    for one in (made, again):
        tab.find(f'#active [data-generation-id="{one}"] [data-do="select"]').click()
        tab.gets_going(one)
        open_gate(fragile_app, one)
        tab.shows(one, "completed")
    expect(generations(tab)).to_have_count(2)
    tab.reload()
    expect(tab.prompt).to_have_value("while it was away")


def test_a_job_of_unknown_fate_waits_for_its_owner_over_a_restart(fragile_app, person):
    tab = person("page").tab(fragile_app.base_url).open()
    first = tab.generate("a lost kite", "Lost service")
    known = tab.find("#job-attention")
    expect(tab.status).to_have_text("Needs attention")
    fragile_app.kill()
    tab.says("Offline", timeout=6_000)
    fragile_app.restart()
    tab.says("Live", timeout=RETURN_MS)
    expect(tab.status).to_have_text("Needs attention")
    expect(known).to_contain_text("Nothing is sent again by itself")
    expect(known.locator("time")).to_have_attribute("datetime", re.compile("^2026-11-28T12:30:00"))
    expect(known.locator("bdi")).to_have_text("job-7")
    expect(known.get_by_role("link")).to_have_attribute("href", "https://service.example/jobs/job-7")
    assert (fragile_app.data_dir / "work" / first / "submitted").read_text() == "attempt 1\n"
    tab.find("#send-again").click()
    expect(tab.find("dialog[open]")).to_contain_text("you may pay twice")
    tab.find("#send-again-now").click()
    second = tab.next_after(first)
    expect(tab.history(first)).to_have_attribute("data-status", "failed")
    tab.find("#look-again").click()
    tab.shows(second, "completed")
    tab.can_play()
    tab.find("#new-seed").click()
    third = tab.next_after(second)
    tab.find("#give-up").click()
    tab.shows(third, "failed")
    expect(tab.page.get_by_text("You gave it up. The service may still render it, and bill it.")).to_be_visible()


def test_what_was_sent_and_has_no_answer_is_sent_again_by_the_next_document(fragile_app, person):
    tab = person("page").tab(fragile_app.base_url).open()
    tab.choose_engine("Gated")
    tab.prompt.fill("arrived")
    # The request arrives, and its answer is lost.
    tab.page.route("**/gradio_api/run/predict**", lambda route: (route.fetch(), route.abort()))
    tab.find("#generate").click()
    expect(tab.find("#outbox")).to_be_visible()
    tab.page.unroute_all(behavior="wait")
    tab.reload()
    expect(tab.find("#outbox")).to_be_hidden(timeout=RETURN_MS)
    expect(tab.find("#job-prompt")).to_have_text("arrived")
    expect(generations(tab)).to_have_count(1)
    open_gate(fragile_app, tab.status.get_attribute("data-generation-id"))


def test_a_half_open_connection_is_replaced_in_the_same_document(wire, person):
    tab = person("page").tab(wire.url).open()
    tab.says("Live")
    document = tab.evaluate("performance.timeOrigin")
    wire.cut()
    tab.says(*BROKEN, timeout=12_000)
    tab.prompt.fill("into nothing")
    tab.find("#generate").click()
    expect(tab.find("#outbox")).to_be_visible()
    wire.mend()
    tab.says("Live", timeout=RETURN_MS)
    expect(tab.find("#job-prompt")).to_have_text("into nothing")
    # All that was open is dead for good, and nothing says so.
    wire.cut()
    wire.mend()
    tab.wait_for("() => document.documentElement.dataset.connection !== 'live'", timeout=12_000)
    tab.says("Live", timeout=15_000)
    assert tab.evaluate("performance.timeOrigin") == document


def test_nine_tabs_load_and_every_click_is_answered(fragile_app, person):
    me = person("page")
    tabs = [me.tab(fragile_app.base_url).open() for _ in range(9)]
    for tab in tabs:
        tab.says("Live", "Paused")
    paused = [tab for tab in tabs if tab.find("#paused").is_visible()]
    assert len(paused) == 5
    assert tabs[-1] not in paused, "the newest"
    for tab in (paused[0], tabs[-1], paused[1]):
        tab.page.bring_to_front()
        tab.prompt.click()
        tab.says("Live")
        made = tab.generate(f"from tab {tabs.index(tab)}", "Gated")
        tab.gets_going(made)
        open_gate(fragile_app, made)
        tab.shows(made, "completed")


def test_a_browser_that_keeps_nothing_has_the_form_all_the_same(fragile_app, browser):
    context = browser.new_context()
    context.add_init_script(FORBIDDEN)
    page = context.new_page()
    page.goto(fragile_app.base_url)
    expect(page.locator("html")).to_have_attribute("data-connection", "live")
    page.locator("#prompt textarea").fill("nothing is kept")
    page.locator("#generate").click()
    expect(page.locator("#job-prompt")).to_have_text("nothing is kept")
    page.reload()
    expect(page.locator("#job-prompt")).to_have_text("nothing is kept")
    context.close()
