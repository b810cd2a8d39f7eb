"""What stands above and over all parts: masthead, keys, notices, the length of the prompt; and what scripts get."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.ui.conftest import at, event, generation, result_json
from videogen.core.i18n import COOKIE, catalog
from videogen.ui.address import parse
from videogen.ui.away import away_notice
from videogen.ui.choices import Choices
from videogen.ui.pages import Visit
from videogen.ui.signals import signals
from videogen.ui.tab import Dialog, Notice
from videogen.ui.texts import Texts


def test_the_masthead_has_the_languages_and_the_chosen_theme(tab, html):
    tab.choices = Choices(theme="dark")
    shown = html("masthead")
    assert 'data-language="en" aria-current="true" aria-label="English"' in shown
    assert 'data-language="de" aria-label="Deutsch"' in shown
    assert '<option value="dark" selected>Dark' in shown
    assert "Skip to the prompt" in shown


def test_the_masthead_warns_where_nothing_outlives_a_restart(tab, html):
    assert "not-kept" not in html("masthead")
    tab.site = replace(tab.site, keeps_data=False)
    assert "Nothing is kept here when this Space sleeps" in html("masthead")


def test_another_language_is_a_link_to_the_same_place(tab, html):
    tab.arrival = parse("?language=en&status=failed&__theme=dark")
    tab.history.filters = tab.arrival.filters
    assert 'href="?__theme=dark&amp;language=de&amp;status=failed"' in html("masthead")


@pytest.mark.parametrize(("cookies", "kept"), [({COOKIE: "de"}, True), ({COOKIE: "en"}, False), ({}, False)])
def test_the_address_need_not_name_a_language_that_a_cookie_keeps(cookies, kept):
    assert Visit.read({"language": "de"}, cookies, {}).keeps_language is kept


def test_a_dialog_is_open_in_its_html_so_that_no_change_of_it_closes_it(tab, html):
    tab.dialog = Dialog("log", {"name": "a", "text": "b", "cut": False})
    assert "<dialog open " in html("dialog")


def test_keys_can_be_switched_off_and_delete_belongs_to_what_has_ended(tab, html):
    assert 'data-key="g"' in html("keys")
    tab.board.put(generation("gen_a", status="processing"))
    tab.board.select("gen_a")
    assert 'data-key="Delete" data-do="trash" data-generation-id=""' in html("keys")
    tab.board.put(generation("gen_a", seconds=9, status="completed"))
    assert 'data-key="Delete" data-do="trash" data-generation-id="gen_a"' in html("keys")
    tab.choices = Choices(keys=False)
    assert "data-key" not in html("keys")


def test_a_welcome_is_true_and_goes_when_it_is_not_any_more(tab, html):
    tab.board.put(generation("gen_a", status="processing"))
    tab.notice = Notice("", welcome=True)
    assert "1 generation is still rendering" in html("notice")
    tab.board.apply(event("render_result", seconds=5, **result_json()))
    assert "<p" not in html("notice")


def test_what_a_person_wrote_is_text_in_a_notice(tab, html):
    tab.notice = Notice("<b>${window.bad=1}")
    assert "&lt;b&gt;${window.bad=1}" in html("notice")


def test_what_has_ended_since_the_last_look_is_said_with_a_way_to_the_newest(tab, html):
    for name, seconds, status in (("gen_a", 10, "completed"), ("gen_b", 20, "failed"), ("gen_c", 30, "completed")):
        tab.board.put(generation(name, seconds=seconds, status=status, finishedAt=at(seconds)))
    since = tab.board.get("gen_a").finished_at.timestamp()
    tab.notice = away_notice(tab, since)
    assert "While you were away: 1 finished, 1 failed." in html("notice")
    assert 'data-do="select" data-generation-id="gen_c"' in html("notice")
    assert away_notice(tab, since + 60) is None
    assert away_notice(tab, 0) is None, "a browser that was never here missed nothing"


@pytest.mark.parametrize(
    ("length", "words"), [(1799, None), (1800, "1,800 of 2,000 characters"), (2143, "2,143 of 2,000 characters")]
)
def test_the_length_of_a_prompt_is_shown_near_the_limit(tab, html, length, words):
    limited = SimpleNamespace(id="procedural", max_prompt_chars=2000)
    tab.site = SimpleNamespace(engine=lambda _name: limited, engines=[limited])
    tab.form = {"prompt": "x" * length, "engine": "procedural"}
    shown = html("prompt_count")
    assert (words in shown) if words else ("<p" not in shown)
    assert ("wrong" in shown) == (length > 2000)


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"status": "processing", "progress": 42.7, "prompt": "a mill"}, "42 % · a mill"),
        ({"status": "queued", "queuePosition": 3, "prompt": "a mill"}, "No. 3 in line · a mill"),
        ({"status": "queued", "queuePosition": None, "prompt": "a mill"}, "Waiting · a mill"),
        ({"status": "completed"}, "videogen"),
    ],
)
def test_the_title_of_the_tab(tab, changes, title):
    tab.board.put(generation("gen_a", **changes))
    given = signals(tab)
    assert given["title"] == title
    assert (given["icon"] is None) == (changes["status"] != "processing")


def test_what_ends_is_told_in_the_visitors_language_and_a_cancel_is_no_news(tab):
    tab.texts = Texts(catalog("de"))
    for name in ("gen_a", "gen_b"):
        tab.board.put(generation(name, status="processing", prompt="eine Mühle"))
    tab.board.apply(event("render_result", seconds=5, **result_json()))
    tab.board.apply(
        event("error", "gen_b", seconds=6, status="cancelled", code="cancelled", message="", retryable=False)
    )
    (told,) = signals(tab)["ended"]
    assert told == {"id": "gen_a", "done": "✓ eine Mühle", "title": "Ihr Video ist fertig", "body": "eine Mühle"}


@pytest.mark.parametrize("stored", [None, "3", [], {"theme": ["x"], "keys": "no", "sound": None}])
def test_whatever_a_browser_has_stored_is_read(stored):
    assert Visit.read({"choices": stored, "here": stored}, {}, {}) == Visit()
