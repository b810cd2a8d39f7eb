"""One shot of a finished video is made again, after a question."""

import json

import pytest

from tests.client.answers import generation_json

SHOTS = [
    {"startSeconds": start, "durationSeconds": 2.0, "prompt": prompt, "join": join}
    for start, prompt, join in ((0.0, "sea", "start"), (2.0, "fog", "motion"))
]
MADE = generation_json("gen_new")


@pytest.fixture(autouse=True)
def finished(api, tab):
    """A video of two shots."""
    api.session("mine", generation_json("gen_a", status="completed", shots=SHOTS))
    for number in (1, 2):
        api.canned["POST", f"/generations/gen_a/shots/{number}"] = 201, MADE


@pytest.mark.parametrize(
    ("number", "typed", "sent"),
    [
        ("1", {"prompt": "sea", "followers": "on"}, {"prompt": None, "seed": None, "followers": True}),
        ("1", {"prompt": " storm "}, {"prompt": "storm", "seed": None, "followers": False}),
        ("2", {"prompt": "rain"}, {"prompt": "rain", "seed": None, "followers": True}),  # it has no followers
    ],
)
async def test_it_is_made_as_was_asked(api, tab, click, html, number, typed, sent):
    await click("remake", generationId="gen_a", shot=number)
    assert ('name="followers" checked' in html("dialog")) == (number == "1")
    assert f">{SHOTS[int(number) - 1]['prompt']}</textarea>" in html("dialog")
    assert api.paths("POST") == []
    await click("make-shot", **typed)
    (request,) = [one for one in api.requests if one.method == "POST"]
    assert request.url.path == f"/api/v1/generations/gen_a/shots/{number}"
    assert json.loads(request.content) == sent
    assert (tab.board.selected_id, tab.dialog) == ("gen_new", None)


async def test_a_refusal_keeps_what_was_typed_and_says_why(api, tab, click, html):
    errors = [{"field": "prompt", "expected": "one shot, a text without blank lines", "got": "2 shots"}]
    body = {"title": "Invalid", "status": 422, "detail": "prompt: no.", "code": "invalid_request", "errors": errors}
    api.canned["POST", "/generations/gen_a/shots/1"] = 422, body
    await click("remake", generationId="gen_a", shot="1")
    await click("make-shot", prompt="a\n\nb")
    assert ">a\n\nb</textarea>" in html("dialog")
    assert "without blank lines" in html("dialog")
    assert "checked" not in html("dialog")


@pytest.mark.parametrize("number", ["0", "3", "x", "²", ""])
async def test_a_shot_that_is_none_opens_nothing(tab, click, number):
    await click("remake", generationId="gen_a", shot=number)
    assert tab.dialog is None
