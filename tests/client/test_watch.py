"""A watch survives any break: no gap, no double, and it ends when it is over."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tests.client.conftest import frame, result
from videogen.client import ApiError, ConnectionChange, ProtocolError
from videogen.client.watch_state import LONGEST_RETRY_AFTER
from videogen.schemas.events import RenderProgress, RenderResult


async def ids(watch):
    return [item.id async for item in watch if not isinstance(item, ConnectionChange)]


def problem(status, code="not_found", **headers):
    body = {"title": code, "status": status, "detail": f"About {code}.", "code": code}
    return httpx.Response(status, json=body, headers=headers)


GONE = httpx.Response(204)


async def test_events_are_typed_and_in_order(client, script):
    script.answers = [["retry: 1000\n\n", frame(1), frame(2, progress=50.0), result(3)]]

    told = [item async for item in client.watch(generation="gen_a")]

    assert [type(item) for item in told] == [ConnectionChange, RenderProgress, RenderProgress, RenderResult]
    assert [item.id for item in told[1:]] == [1, 2, 3]
    assert told[3].video_url == "/media/fil_a"


async def test_single_generation_ends_with_its_terminal_event_without_asking_again(client, script):
    script.answers = [[frame(1), result(2), frame(3)]]
    assert await ids(client.watch(generation="gen_a")) == [1, 2]
    assert len(script.requests) == 1


async def test_session_goes_on_after_a_terminal_event(client, script, waits):
    script.answers = [[result(1), frame(2, generation="gen_b")], GONE]
    assert await ids(client.watch()) == [1, 2]


@pytest.mark.parametrize(
    "cut",
    [
        httpx.ReadError("connection reset"),
        httpx.RemoteProtocolError("peer closed connection"),
        httpx.ReadTimeout("silence"),
        None,
    ],
)
async def test_a_cut_connection_is_taken_up_with_the_last_id(client, script, waits, cut):
    broken = [frame(1), frame(2), *([cut] if cut else [])]
    script.answers = [broken, [frame(3), result(4)]]

    assert await ids(client.watch(generation="gen_a")) == [1, 2, 3, 4]
    assert script.last_event_ids() == [None, "2"]


async def test_a_cut_within_an_event_loses_and_doubles_nothing(client, script, waits):
    whole = frame(2)
    reset = httpx.ReadError("reset")
    connections = [[frame(1), whole[:at], reset] for at in range(1, len(whole))]
    for first in connections:
        script.requests.clear()
        script.answers = [first, [whole, result(3)]]
        assert await ids(client.watch(generation="gen_a")) == [1, 2, 3]
        assert script.last_event_ids() == [None, "1"]


async def test_many_cuts(client, script, waits):
    reset = httpx.ReadError("reset")
    script.answers = [[frame(number), reset] for number in range(1, 30)] + [[result(30)]]
    assert await ids(client.watch(generation="gen_a")) == list(range(1, 31))


async def test_what_a_server_repeats_is_told_once(client, script, waits):
    script.answers = [[frame(1), frame(2)], [frame(1), frame(2), frame(3), result(4)]]
    assert await ids(client.watch(generation="gen_a")) == [1, 2, 3, 4]


async def test_an_overtaken_generation_is_not_taken_for_a_repetition(client, script, waits):
    script.answers = [[frame(2, generation="gen_b"), result(1)], GONE]
    assert await ids(client.watch()) == [2, 1]
    assert script.last_event_ids() == [None, "2"]


async def test_starts_after_a_given_id(client, script):
    script.answers = [GONE]
    assert await ids(client.watch(generation="gen_a", last_event_id=41)) == []
    assert script.last_event_ids() == ["41"]


async def test_changes_of_the_connection_are_told_once_each(client, script, waits):
    refused = httpx.ConnectError("refused")
    script.answers = [[frame(1)], refused, refused, [result(2)]]

    told = [item async for item in client.watch(generation="gen_a")]

    states = [item.state if isinstance(item, ConnectionChange) else item.id for item in told]
    assert states == ["connected", 1, "reconnecting", "connected", 2]


async def test_waits_grow_and_start_over_with_any_byte(client, script, waits):
    refused = httpx.ConnectError("refused")
    script.answers = [*[refused] * 9, [": still here\n\n"], refused, GONE]

    await ids(client.watch())

    growing, after_a_byte = waits[:9], waits[9:]
    assert 0.05 <= growing[0] <= 0.1
    assert 2.5 <= growing[-1] <= 5.0
    assert all(wait <= 5.0 for wait in growing)
    assert after_a_byte[0] <= 0.1
    assert after_a_byte[1] <= 0.2


async def test_a_busy_server_is_asked_again_when_it_says(client, script, waits):
    script.answers = [problem(429, "limit_exceeded", **{"retry-after": "7"}), problem(503, "busy"), [result(1)]]
    assert await ids(client.watch(generation="gen_a")) == [1]
    assert waits[0] == 7
    assert waits[1] <= 5


async def test_a_date_to_come_back_at_is_read_and_no_wait_is_endless(client, script, waits):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    answers = [problem(503, "busy", **{"retry-after": value}) for value in (soon, "86400", "inf", "some day")]
    script.answers = [*answers, [result(1)]]
    assert await ids(client.watch(generation="gen_a")) == [1]
    assert 25 < waits[0] <= 30
    assert waits[1] == LONGEST_RETRY_AFTER
    assert max(waits[2:]) <= 5


@pytest.mark.parametrize(("status", "code"), [(401, "session_required"), (404, "not_found")])
async def test_a_refusal_for_good_is_raised(client, script, waits, status, code):
    script.answers = [[frame(1)], problem(status, code)]
    with pytest.raises(ApiError) as refusal:
        await ids(client.watch())
    assert (refusal.value.status, refusal.value.code) == (status, code)


async def test_something_else_than_events_is_not_read_for_ever(client, script):
    script.answers = [httpx.Response(200, html="<h1>Log in</h1>")]
    with pytest.raises(ProtocolError, match="text/event-stream"):
        await ids(client.watch())


async def test_unknown_events_and_fields_are_left_out(client, script):
    newer = frame(2, mood="blue", deep={"er": 1})
    script.answers = [["event: render_hint\nid: 1\ndata: 7\n\n", newer, result(3)]]
    assert await ids(client.watch(generation="gen_a")) == [2, 3]


async def test_a_broken_event_is_logged_and_left_out(client, script, caplog):
    script.answers = [["event: render_progress\nid: 1\ndata: {\n\n", frame("x"), result(3)]]
    assert await ids(client.watch(generation="gen_a")) == [3]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "Left out a broken render_progress event (id '1')",
        "Left out a broken render_progress event (id 'x')",
    ]


async def test_closing_a_watch_closes_its_connection(client, script):
    forever = asyncio.Event()
    script.answers = [[frame(1), forever]]
    watch = client.watch()
    assert [await anext(watch), (await anext(watch)).id] == [ConnectionChange("connected"), 1]
    await watch.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(watch)


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ({}, "/api/v1/events"),
        ({"generation": "gen_a"}, "/api/v1/generations/gen_a/events"),
        ({"project": "prj a/b"}, "/api/v1/projects/prj%20a%2Fb/events"),
    ],
)
async def test_scopes(client, script, scope, path):
    script.answers = [GONE]
    assert await ids(client.watch(**scope)) == []
    assert script.requests[0].url.raw_path.decode() == path
    assert script.requests[0].headers["authorization"] == "Bearer secret-token"


def test_one_scope_at_a_time(client):
    with pytest.raises(ValueError, match="expected a generation or a project, got both"):
        client.watch(generation="gen_a", project="prj_a")
