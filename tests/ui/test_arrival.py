"""A tab that is opened shows what its address names."""

from tests.client.answers import generation_json
from tests.ui.conftest import at
from videogen.schemas.generations import GenerationPage
from videogen.ui.address import parse
from videogen.ui.arrival import read_address
from videogen.ui.signals import signals


def made(generation_id, seconds=0, **changes):
    times = {"createdAt": at(seconds), "updatedAt": at(seconds)}
    return generation_json(generation_id, **({"status": "completed", "videoUrl": "/media/x"} | times | changes))


def query(tab):
    return signals(tab)["address"]["query"]


async def test_without_an_address_the_newest_is_shown_and_the_address_stays_empty(tab, arrive):
    await arrive(made("gen_old"), made("gen_new", 1))
    assert tab.board.selected_id == "gen_new"
    assert query(tab) == ""
    tab.board.select("gen_old")
    assert query(tab) == "?generation=gen_old"


async def test_a_bookmark_is_opened_however_old_it_is_and_whatever_renders(api, tab, arrive):
    api.page_size = 1
    await arrive(
        made("gen_old"), made("gen_new", 1), made("gen_now", 2, status="processing"), search="?generation=gen_old"
    )
    assert tab.board.selected_id == "gen_old"
    assert query(tab) == "?generation=gen_old"


async def test_what_renders_takes_no_place_in_the_history(api, tab, arrive):
    api.page_size = 2
    await arrive(made("gen_old"), made("gen_older", -1), made("gen_now", 2, status="processing"))
    assert [item.id for item in tab.history.items] == ["gen_old", "gen_older"]


async def test_one_that_is_not_there_is_said_to_be_and_nothing_takes_its_place(tab, arrive, html):
    await arrive(made("gen_a"), search="?generation=gen_foreign")
    assert tab.board.selected_id is None
    assert "it was deleted, or it belongs to somebody else" in html("notice")
    assert 'id="stage-empty"' in html("stage")
    assert query(tab) == "?generation=gen_foreign"


async def test_a_page_of_the_history_is_opened(api, tab, arrive, html):
    api.page_size = 2
    await arrive(*(made(f"gen_{n}", n, prompt=f"sea {n}") for n in range(5)), search="?q=sea&before=2&language=de")
    assert [item.id for item in tab.history.items] == ["gen_2", "gen_1"]
    assert query(tab) == "?language=de&q=sea&before=2"
    assert 'id="history-newer" data-do="newer">' in html("history")


async def test_an_address_that_the_api_refuses_shows_the_newest(api, tab, arrive):
    api.session("mine")
    api.canned["GET", "/generations"] = 422, {"code": "invalid_request", "status": 422}
    await read_address(tab, parse("?before=nonsense"), GenerationPage(items=[], next_cursor=None))
    assert query(tab) == ""


def test_nothing_is_said_of_the_address_until_it_is_known(tab):
    assert signals(tab)["address"] is None
