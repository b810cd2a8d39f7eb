"""The page says until when things are kept, warns before they go, and wakes by itself when that changes."""

import asyncio
from contextlib import suppress

import pytest

from tests.client.answers import generation_json
from tests.ui.conftest import at
from videogen.schemas.retention import AlmostFull, Expiring, Going, Retention
from videogen.ui.handlers import HANDLERS, Click
from videogen.ui.retention import LONGEST, changed, follow_retention

OFF = {"hours": None, "favorites": "keep", "shared": "keep", "soon": [], "nextWarningAt": None}


def _item(generation_id, **changes):
    return generation_json(generation_id, createdAt=at(0), updatedAt=at(0), **changes)


def _soon(*ids, seconds=100.0):
    return [{"id": name, "title": f"the {name}", "expiresAt": at(seconds)} for name in ids]


def _answer(api, **changes):
    api.canned["GET", "/retention"] = 200, OFF | {"hours": 2.0} | changes
    api.canned["POST", "/generations/gen_a/use"] = 204, {}


async def test_nothing_is_asked_again_where_everything_is_kept(api, tab, html):
    api.canned["GET", "/retention"] = 200, OFF
    await follow_retention(tab, lambda: 0.0, asyncio.sleep)
    assert tab.retention.hours is None
    assert "expiring" not in html("expiring")


async def test_it_sleeps_until_something_changes_and_never_polls_single_entries(api, tab, arrive):
    await arrive(_item("gen_a", status="completed"))
    tab.board.choose("gen_a")
    now = Expiring(**_soon("gen_a", seconds=0)[0]).expires_at.timestamp()
    sleeps = []

    async def sleep(seconds):
        sleeps.append(seconds)
        if len(sleeps) == 1:
            _answer(api, soon=_soon("gen_a", seconds=30))
        elif len(sleeps) == 2:
            _answer(api)
        else:
            raise asyncio.CancelledError

    _answer(api, nextWarningAt=at(100))
    with suppress(asyncio.CancelledError):
        await follow_retention(tab, lambda: now, sleep)
    assert sleeps == [pytest.approx(101), pytest.approx(31), LONGEST]
    assert tab.history.outdated.is_set()
    used = [path for path in api.paths("POST") if path.endswith("/use")]
    assert used == ["/api/v1/generations/gen_a/use"] * 2, "what is on the stage is not removed"


async def test_the_banner_names_one_and_counts_several(tab, html):
    assert "expiring" not in html("expiring")
    tab.retention = Retention(hours=2, soon=[Expiring(**one) for one in _soon("gen_<b>")])
    shown = html("expiring")
    assert "the gen_&lt;b&gt;" in shown
    assert 'data-ids="gen_&lt;b&gt;"' in shown
    tab.retention = Retention(hours=2, soon=[Expiring(**one) for one in _soon("gen_a", "gen_b")])
    assert "2 results will be removed" in html("expiring")


async def test_in_a_storage_that_is_almost_full_banner_and_entry_say_what_goes_first(tab, arrive, html):
    await arrive(_item("gen_a", status="completed", expiresAt=at(7200)), _item("gen_b", status="completed"))
    first = [Going(id="gen_a", title="the <a>")]
    tab.retention = Retention(hours=2, almost_full=AlmostFull(of="server", percent=91, first=first))
    tab.history.version += 1
    shown = html("expiring")
    assert "The storage of this server is 91 % full." in shown
    assert "the &lt;a&gt;" in shown
    assert 'data-do="keep" data-ids="gen_a"' in shown
    assert html("history").count("goes first when room is needed") == 1
    more = [*first, Going(id="gen_b", title="another")]
    soon = [Expiring(**one) for one in _soon("gen_a")]
    tab.retention = Retention(hours=2, soon=soon, almost_full=AlmostFull(of="session", percent=99, first=more))
    shown = html("expiring")
    assert "Your storage is 99 % full. When room is needed, up to 2 results" in shown
    assert shown.count('data-do="keep"') == 2, "and what goes soon anyway"


async def test_what_was_removed_goes_from_the_tab_at_once_and_the_rest_stays_selected(tab, arrive, html):
    await arrive(*(_item(f"gen_{name}", status="completed") for name in "abc"))
    tab.board.choose("gen_b")
    for name in ("gen_a", "gen_b"):
        tab.history.pick(name)
    tab.bell.clear()
    changed(tab, ("gen_a", "gen_unknown"))
    assert "gen_a" not in html("history")
    assert tab.board.get("gen_a") is None
    assert (tab.board.selected_id, tab.history.picked) == ("gen_b", {"gen_b": None})
    assert tab.history.outdated.is_set(), "what comes after it is read"
    assert tab.retention_outdated.is_set()
    assert tab.bell.is_set()


async def test_every_entry_says_until_when_it_is_kept(tab, arrive, html):
    await arrive(_item("gen_a", status="completed", expiresAt=at(7200)), _item("gen_b", status="completed"))
    assert html("history").count("Kept until") == 1
    tab.board.choose("gen_b")
    assert "Kept until" not in html("actions")
    tab.board.choose("gen_a")
    assert 'id="keep"' in html("actions")
    await HANDLERS["entry"](tab, Click({"do": "entry", "generationId": "gen_a"}))
    assert 'data-do="keep"' in html("dialog")


async def test_keep_keeps_all_of_the_banner_and_skips_what_is_gone(api, tab, arrive):
    await arrive(_item("gen_a", status="completed", expiresAt=at(10)))
    _answer(api)
    api.canned["POST", "/generations/gen_a/keep"] = 200, _item("gen_a", status="completed", expiresAt=at(9000))
    await HANDLERS["keep"](tab, Click({"do": "keep", "ids": "gen_gone gen_a"}))
    assert tab.board.get("gen_a").expires_at.isoformat().startswith(at(9000)[:19])
    assert "1 result counts anew" in tab.notice.text
    assert tab.changed == {"gen_a", "gen_gone"}
