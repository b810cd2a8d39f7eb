"""The query of the page's address: what is looked at, and what of the history."""

import pytest

from videogen.ui.address import Address, Filters, build, outer, parse


@pytest.mark.parametrize(
    "search",
    [
        "",
        "?generation=gen_a",
        "?q=caf%C3%A9+%26+rain&status=failed&type=image&engine=bars&favorite=true",
        "?language=de&generation=gen_a&before=MTI",
        "?__theme=dark&__sign=a.b-c",
    ],
)
def test_what_is_parsed_is_built_again(search):
    assert build(parse(search)) == search


def test_an_address_names_a_generation_and_a_page_of_the_history():
    address = parse("?generation=gen_a&q=%20sea%20&favorite=true&before=MTI&x=1")
    assert address == Address("gen_a", Filters(q="sea", favorite=True), "MTI", (("x", "1"),))


def test_what_is_not_possible_means_any():
    address = parse("?status=queued&type=sound&favorite=yes&generation=" + "g" * 500)
    assert address.filters == Filters()
    assert address.generation == "g" * 100
    assert parse("?" + "%" * 9000 + "&=&&") is not None


def test_filters_ask_for_what_has_ended():
    assert Filters().query() == {"status": "completed,failed,cancelled"}
    assert Filters("sea", "failed", "video", "bars", favorite=True).query() == {
        "q": "sea", "status": "failed", "type": "video", "engine": "bars", "favorite": True,
    }  # fmt: skip


def test_the_page_around_a_frame_gets_back_only_what_it_did_not_give_itself():
    assert outer(parse("?__sign=secret&__theme=dark&language=de&generation=gen_a")) == "?language=de&generation=gen_a"
