"""Any break, stall or delay, at any byte: the same events, once, in order. Over real TCP."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.client.conftest import result, sse
from tests.support.proxy import BreakingProxy, Fate, Origin
from videogen.client import AsyncClient, ConnectionChange, watch

SHORT = {1: sse(1), 2: ": still here\n" + sse(2, progress=50.0, message="ü\u2028"), 3: result(3)}
LONG = {number: sse(number, progress=number, generation=f"gen_{number % 3}") for number in range(1, 12)}
LONG |= {12: result(12)}
SHORT_TIMEOUT = httpx.Timeout(connect=5, read=0.05, write=5, pool=None)


@pytest.fixture(autouse=True)
def fast_reconnects(monkeypatch):
    """No delay between connections, and a read timeout of 50 ms."""

    async def no_delay(_seconds):
        await asyncio.sleep(0)

    monkeypatch.setattr(watch, "sleep", no_delay)
    monkeypatch.setattr(watch, "TIMEOUT", SHORT_TIMEOUT)


@asynccontextmanager
async def proxied_client(messages, *fates, **options):
    origin = Origin(messages, **options)
    async with BreakingProxy(origin, fates) as proxy, AsyncClient(proxy.url, "token") as client:
        yield origin, proxy, client


async def ids_until(watch, last):
    """The ids that a watch yields, up to `last`."""
    ids = []
    async with asyncio.timeout(20):
        async for item in watch:
            if not isinstance(item, ConnectionChange):
                ids.append(item.id)
                if item.id == last:
                    break
    await watch.aclose()
    return ids


async def response_length(messages):
    """Bytes of a complete response of the origin."""
    async with proxied_client(messages) as (_, proxy, _client):
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        length = len(await reader.read(-1))
        writer.close()
        return length


@pytest.mark.parametrize(("then", "stride"), [("close", 1), ("reset", 5)])
async def test_break_at_every_byte_loses_and_repeats_nothing(then, stride):
    async with proxied_client(SHORT) as (origin, proxy, client):
        for at in range(0, await response_length(SHORT), stride):
            proxy.meet(Fate(at, then))
            origin.asked.clear()
            assert await ids_until(client.watch(generation="gen_a"), 3) == [1, 2, 3], f"break after {at} bytes"
            assert len(origin.asked) >= 1


fates = st.builds(
    Fate,
    bytes=st.integers(0, 3000),
    then=st.sampled_from(["close", "reset"]),
    piece=st.sampled_from([65536, 700, 97, 13]),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(fates, max_size=12))
def test_any_breaks_lose_and_repeat_nothing(breaks):
    async def run():
        async with proxied_client(LONG, *breaks) as (origin, _, client):
            ids = await ids_until(client.watch(), 12)
            return ids, origin.asked

    ids, last_ids = asyncio.run(run())
    assert ids == list(range(1, 13))
    numbers = [number or 0 for number in last_ids]
    assert numbers == sorted(numbers), "each connection continues where the previous one ended"


@pytest.mark.parametrize("at", [0, 1, 60, 200, 420, 600])
async def test_half_open_connection_is_replaced(at):
    async with proxied_client(SHORT, Fate(at, "stall"), Fate(at, "stall")) as (_, _proxy, client):
        assert await ids_until(client.watch(generation="gen_a"), 3) == [1, 2, 3]


async def test_half_open_connection_is_reported_before_the_next_try():
    stalled = itertools.repeat(Fate(420, "stall"), 3)
    async with proxied_client(SHORT, *stalled) as (_, _proxy, client):
        states = [item.state async for item in client.watch(generation="gen_a") if isinstance(item, ConnectionChange)]
    assert states[:2] == ["connected", "reconnecting"]
    assert states[-1] == "connected"


def test_read_timeout_is_between_heartbeat_and_twenty_seconds(request):
    request.getfixturevalue("monkeypatch").undo()
    assert 15 < watch.TIMEOUT.read < 19, "longer than the server's heartbeat, and short enough for the page"
    assert watch.TIMEOUT.connect <= 5


async def test_slow_stream_is_not_replaced():
    drip = Fate(None, piece=40, delay=0.01)
    async with proxied_client(SHORT, drip) as (origin, _, client):
        assert await ids_until(client.watch(generation="gen_a"), 3) == [1, 2, 3]
        assert origin.asked == [None], "one connection was enough"


async def test_watch_follows_ids_that_start_again(caplog):
    """The database was replaced by an older or a new one."""
    before = {41: sse(41), 42: sse(42, progress=50.0)}
    async with proxied_client(before) as (origin, _, client):
        watch = client.watch()
        async with asyncio.timeout(10):
            while getattr(await anext(watch), "id", 0) != 42:
                pass
            origin.frames = {1: sse(1), 2: sse(2, progress=20.0)}
            ids = []
            while ids[-1:] != [2]:
                item = await anext(watch)
                if not isinstance(item, ConnectionChange):
                    ids.append(item.id)
        await watch.aclose()
    assert ids == [1, 2]
    assert "database was replaced" in caplog.text
