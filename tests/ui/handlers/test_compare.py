"""Several results side by side."""

import re

import pytest

from tests.client.answers import generation_json
from videogen.ui.signals import signals

DONE = {"status": "completed", "videoUrl": "/media/v"}


def some(*changes):
    return [generation_json(f"gen_{name}", **(DONE | one)) for name, one in zip("abcdefghi", changes, strict=False)]


def rows(dialog):
    """The table as text: the row's name, and its values; one alone where all are the same."""
    found = re.findall(r"<tr[^>]*><th scope=\"row\">(.*?)</th>(.*?)</tr>", dialog)
    return {re.sub("<.*?>", "", name): re.findall(r"<div>(.*?)</div>", cells) for name, cells in found}


async def test_what_differs_is_said_in_words_and_comes_first(api, tab, click, html):
    settings = {"steps": 9, "fps": 24}
    api.session("mine", *some({"seed": 1, "settings": settings}, {"seed": 2**60, "durationSeconds": 2}))
    await click("compare", ids="gen_a gen_b")
    dialog = html("dialog")
    assert "Different: Seed, Length, steps. Everything else is the same." in dialog
    assert list(rows(dialog).items())[:4] == [
        ("≠ Seed", ["1", str(2**60)]),
        ("≠ Length", ["4 s", "2 s"]),
        ("≠ steps", ["9", "none"]),
        ("Prompt", ["sea"]),
    ]
    assert dialog.count("<video") == 2
    assert signals(tab)["compare"] == ["gen_a", "gen_b"]
    await click("close-dialog")
    assert signals(tab)["compare"] is None


async def test_stills_and_failed_ones_have_their_place(api, tab, click, html):
    still = {"type": "image", "videoUrl": None, "imageUrl": "/media/i"}
    failed = {"status": "failed", "error": {"code": "x", "message": "no <b> film", "retryable": False}}
    api.session("mine", *some(still, failed))
    await click("compare", ids="gen_a gen_b")
    assert '<img src="/media/i" alt="A: sea"' in html("dialog")
    assert "No &lt;b&gt; film" in html("dialog")
    assert 'id="compare-bar"' not in html("dialog"), "nothing to play"


async def test_the_same_twice_is_said_to_be_the_same(api, tab, click, html):
    api.session("mine", *some({}, {}))
    await click("compare", ids="gen_a gen_b")
    assert "All settings are the same." in html("dialog")


async def test_long_prompts_are_cut_where_they_are_titles(api, tab, click, html):
    api.session("mine", *some({"prompt": "sea " * 500}, {"prompt": "<i>${window.bad=1}"}))
    await click("compare", ids="gen_a gen_b")
    title = re.search(r'<b>A</b> <span dir="auto">(.*?)</span>', html("dialog"))[1]
    assert len(title) <= 80
    assert "<i>" not in html("dialog")
    assert max(map(len, re.findall(r'aria-label="(.*?)"', html("dialog")))) < 140


@pytest.mark.parametrize("ids", ["", "gen_a", "gen_a gen_a", " ".join(f"gen_{one}" for one in "abcdefghi")])
async def test_too_few_or_too_many_are_refused_in_words(api, tab, click, ids):
    await click("compare", ids=ids)
    assert tab.notice.text == "Choose two to 8 to compare."
    assert tab.dialog is None


async def test_one_that_is_gone_is_said_to_be(api, tab, click):
    api.session("mine", *some({}))
    await click("compare", ids="gen_a gen_x")
    assert tab.notice.text == "One of them is not there any more."


async def test_one_of_them_comes_on_the_stage(api, tab, click):
    api.session("mine", *some({}, {}))
    await click("compare", ids="gen_a gen_b")
    await click("compare-open", generationId="gen_b")
    assert (tab.dialog, tab.board.selected_id) == (None, "gen_b")


async def test_the_selected_ones_of_the_history_are_compared(api, tab, click, html):
    api.session("mine", *some({}, {}, {}))
    tab.history.pick_all(["gen_a"])
    assert 'data-do="compare" disabled' in html("selection")
    tab.history.pick_all(["gen_b", "gen_a"])
    assert 'data-do="compare">' in html("selection")
    await click("compare")
    assert signals(tab)["compare"] == ["gen_b", "gen_a"]
