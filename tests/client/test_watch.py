"""A watch reconnects after any break, without a gap and without a repetition, and ends with the stream."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tests.client.conftest import result, sse
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
    script.answers = [["retry: 1000\n\n", sse(1), sse(2, progress=50.0), result(3)]]

    items = [item async for item in client.watch(generation="gen_a")]

    assert [type(item) for item in items] == [ConnectionChange, RenderProgress, RenderProgress, RenderResult]
    assert [item.id for item in items[1:]] == [1, 2, 3]
    assert items[3].video_url == "http://videogen.test/media/fil_a"


async def test_watch_of_one_generation_ends_with_its_terminal_event(client, script):
    script.answers = [[sse(1), result(2), sse(3)]]
    assert await ids(client.watch(generation="gen_a")) == [1, 2]
    assert len(script.requests) == 1


async def test_watch_of_a_session_continues_after_a_terminal_event(client, script, delays):
    script.answers = [[result(1), sse(2, generation="gen_b")], GONE]
    assert await ids(client.watch()) == [1, 2]


async def test_what_the_server_has_removed_is_passed_on_beside_the_events(client, script, delays):
    retention = 'event: retention\ndata: {"removed": ["gen_b"]}\n\n'
    broken = "event: retention\ndata: {}\n\n"
    script.answers = [[sse(1), retention, broken, result(2)], GONE]
    removed = []
    assert await ids(client.watch(on_retention=removed.append)) == [1, 2]
    assert removed == [("gen_b",)]
    script.answers = [[retention, sse(3)], GONE]
    assert await ids(client.watch()) == [3], "who does not ask hears nothing of it"


@pytest.mark.parametrize(
    "cut",
    [
        httpx.ReadError("connection reset"),
        httpx.RemoteProtocolError("peer closed connection"),
        httpx.ReadTimeout("silence"),
        None,
    ],
)
async def test_watch_reconnects_with_the_last_id(client, script, delays, cut):
    broken = [sse(1), sse(2), *([cut] if cut else [])]
    script.answers = [broken, [sse(3), result(4)]]

    assert await ids(client.watch(generation="gen_a")) == [1, 2, 3, 4]
    assert script.last_event_ids() == [None, "2"]


async def test_break_within_an_event_loses_and_repeats_nothing(client, script, delays):
    whole = sse(2)
    reset = httpx.ReadError("reset")
    connections = [[sse(1), whole[:at], reset] for at in range(1, len(whole))]
    for first in connections:
        script.requests.clear()
        script.answers = [first, [whole, result(3)]]
        assert await ids(client.watch(generation="gen_a")) == [1, 2, 3]
        assert script.last_event_ids() == [None, "1"]


async def test_many_breaks(client, script, delays):
    reset = httpx.ReadError("reset")
    script.answers = [[sse(number), reset] for number in range(1, 30)] + [[result(30)]]
    assert await ids(client.watch(generation="gen_a")) == list(range(1, 31))


async def test_repeated_events_are_yielded_once(client, script, delays):
    script.answers = [[sse(1), sse(2)], [sse(1), sse(2), sse(3), result(4)]]
    assert await ids(client.watch(generation="gen_a")) == [1, 2, 3, 4]


async def test_event_of_another_generation_with_a_lower_id_is_yielded(client, script, delays):
    script.answers = [[sse(2, generation="gen_b"), result(1)], GONE]
    assert await ids(client.watch()) == [2, 1]
    assert script.last_event_ids() == [None, "2"]


async def test_watch_starts_after_a_given_id(client, script):
    script.answers = [GONE]
    assert await ids(client.watch(generation="gen_a", last_event_id=41)) == []
    assert script.last_event_ids() == ["41"]


async def test_each_connection_change_is_yielded_once(client, script, delays):
    refused = httpx.ConnectError("refused")
    script.answers = [[sse(1)], refused, refused, [result(2)]]

    items = [item async for item in client.watch(generation="gen_a")]

    states = [item.state if isinstance(item, ConnectionChange) else item.id for item in items]
    assert states == ["connected", 1, "reconnecting", "connected", 2]


async def test_delays_grow_and_are_reset_by_any_byte(client, script, delays):
    refused = httpx.ConnectError("refused")
    script.answers = [*[refused] * 9, [": still here\n\n"], refused, GONE]

    await ids(client.watch())

    growing, after_a_byte = delays[:9], delays[9:]
    assert 0.05 <= growing[0] <= 0.1
    assert 2.5 <= growing[-1] <= 5.0
    assert all(delay <= 5.0 for delay in growing)
    assert after_a_byte[0] <= 0.1
    assert after_a_byte[1] <= 0.2


async def test_reconnect_waits_for_retry_after(client, script, delays):
    script.answers = [problem(429, "limit_exceeded", **{"retry-after": "7"}), problem(503, "busy"), [result(1)]]
    assert await ids(client.watch(generation="gen_a")) == [1]
    assert delays[0] == 7
    assert delays[1] <= 5


async def test_retry_after_may_be_a_date_and_has_a_limit(client, script, delays):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    answers = [problem(503, "busy", **{"retry-after": value}) for value in (soon, "86400", "inf", "some day")]
    script.answers = [*answers, [result(1)]]
    assert await ids(client.watch(generation="gen_a")) == [1]
    assert 25 < delays[0] <= 30
    assert delays[1] == LONGEST_RETRY_AFTER
    assert max(delays[2:]) <= 5


@pytest.mark.parametrize(("status", "code"), [(401, "session_required"), (404, "not_found")])
async def test_permanent_refusal_is_raised(client, script, delays, status, code):
    script.answers = [[sse(1)], problem(status, code)]
    with pytest.raises(ApiError) as refusal:
        await ids(client.watch())
    assert (refusal.value.status, refusal.value.code) == (status, code)


async def test_response_without_events_is_a_protocol_error(client, script):
    script.answers = [httpx.Response(200, html="<h1>Log in</h1>")]
    with pytest.raises(ProtocolError, match="text/event-stream"):
        await ids(client.watch())


async def test_unknown_events_and_fields_are_ignored(client, script):
    newer = sse(2, mood="blue", deep={"er": 1})
    script.answers = [["event: render_hint\nid: 1\ndata: 7\n\n", newer, result(3)]]
    assert await ids(client.watch(generation="gen_a")) == [2, 3]


async def test_broken_event_is_logged_and_ignored(client, script, caplog):
    broken = [f"event: render_progress\nid: 1\ndata: {data}\n\n" for data in ("{", "7")]
    script.answers = [[*broken, sse("x"), result(3)]]
    assert await ids(client.watch(generation="gen_a")) == [3]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        *["Left out a broken render_progress event (id '1')"] * 2,
        "Left out a broken render_progress event (id 'x')",
    ]


async def test_closing_a_watch_ends_it(client, script):
    forever = asyncio.Event()
    script.answers = [[sse(1), forever]]
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
async def test_path_of_each_scope(client, script, scope, path):
    script.answers = [GONE]
    assert await ids(client.watch(**scope)) == []
    assert script.requests[0].url.raw_path.decode() == path
    assert script.requests[0].headers["authorization"] == "Bearer secret-token"


def test_two_scopes_are_refused(client):
    with pytest.raises(ValueError, match="expected a generation or a project, got both"):
        client.watch(generation="gen_a", project="prj_a")
