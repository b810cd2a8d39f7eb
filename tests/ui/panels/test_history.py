"""The panels of the history."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.client.answers import generation_json
from tests.ui.test_arrival import made
from videogen.core.i18n import catalog
from videogen.ui.panels.history import history
from videogen.ui.texts import Texts

ODD = "<img src=x onerror=alert(1)>${window.bad=1}{{x}}"


async def test_an_entry_has_its_name_length_age_and_state(tab, arrive, html):
    now = datetime.now(UTC)
    await arrive(
        made("gen_a", prompt="ocean", durationSeconds=2.5, createdAt=(now - timedelta(minutes=5)).isoformat()),
        made("gen_b", status="failed", createdAt=(now - timedelta(hours=2)).isoformat()),
        made("gen_c", type="image", durationSeconds=0, createdAt="2026-10-03T12:00:00Z"),
        made("gen_d", error={"code": "file_missing", "message": "gone", "retryable": True}),
        generation_json("gen_e", status="processing"),
    )
    entries = html("history").split("<li ")[1:]
    texts = {one.split('"')[1]: one for one in entries}
    assert set(texts) == {"gen_a", "gen_b", "gen_c", "gen_d"}
    assert ">2.5 s<" in texts["gen_a"]
    assert ">5 minutes ago<" in texts["gen_a"]
    assert ">Failed<" in texts["gen_b"]
    assert ">2 hours ago<" in texts["gen_b"]
    assert ">Still<" in texts["gen_c"]
    assert ">3 October 2026<" in texts["gen_c"]
    assert ">File gone<" in texts["gen_d"]


async def test_variations_have_their_numbers(arrive, html):
    await arrive(*(made(f"gen_{seed}", projectId="p", seed=seed) for seed in (9, 8, 7)))
    first = next(entry for entry in html("history").split("<li ") if "gen_8" in entry)
    assert ">2 of 3<" in first


async def test_what_a_person_wrote_stays_text(arrive, html):
    await arrive(made("gen_a", prompt=ODD, title=ODD), search="?q=%3Cimg")
    assert "&lt;img src=x onerror=alert(1)&gt;${window.bad=1}{{x}}" in html("history")
    assert "<img src=x" not in html("history")


async def test_a_long_prompt_is_cut_also_for_screen_readers(arrive, html):
    await arrive(made("gen_a", prompt="word " * 400))
    assert max(len(part) for part in html("history").split(">")) < 300


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("", "Nothing here yet."),
        ("?q=whale%26", "Nothing matches “whale&amp;” here."),
        ("?favorite=true", "Nothing matches these filters."),
        ("?before=9", "There is nothing older."),
    ],
)
async def test_an_empty_list_says_why(arrive, html, search, words):
    await arrive(search=search)
    assert words in html("history")
    clear = 'id="history-clear" data-do="clear-filters">' in html("history")
    assert clear is (search in ("?q=whale%26", "?favorite=true"))


async def test_what_was_found_is_counted_in_words(api, arrive, html):
    await arrive(*(made(f"gen_{n}", n) for n in range(3)), search="?q=sea")
    assert ">3 found<" in html("history")
    api.page_size = 2
    await arrive(*(made(f"gen_{n}", n) for n in range(3)), search="?q=sea")
    assert ">More than 2 found<" in html("history")


async def test_filters_show_what_is_looked_for_and_engines_only_where_there_are_several(arrive, html):
    await arrive(made("gen_a"), search="?status=failed")
    assert 'data-name="status" data-value="failed" aria-pressed="true"' in html("filters")
    assert 'data-name="engine"' not in html("filters")
    await arrive(made("gen_a"), made("gen_b", engine="bars"))
    assert 'data-name="engine" data-value="bars" aria-pressed="false"' in html("filters")


async def test_a_frame_that_changes_nothing_costs_no_rendering(tab, arrive, html):
    await arrive(*(made(f"gen_{n}", n) for n in range(24)))
    assert history(tab) is history(tab)


def test_times_are_in_the_language_and_by_the_clock_of_the_visitor():
    moment = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)
    german = Texts(catalog("de"), offset=60)
    assert german.moment(moment) == "2. November 2026, 00:30 Uhr"
    assert german.age(moment, moment + timedelta(seconds=70)) == "vor 1 Minute"
    assert Texts(catalog("en")).age(moment, moment + timedelta(days=1)) == "1 November 2026"
