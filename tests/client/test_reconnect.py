"""Any cut, stall or delay, at any byte: the same events, once, in order. Over real TCP."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.client.conftest import frame, result
from tests.support.proxy import BreakingProxy, Fate, Origin
from videogen.client import AsyncClient, ConnectionChange
from videogen.client.aio import watch

SHORT = {1: frame(1), 2: ": still here\n" + frame(2, progress=50.0, message="ü\u2028"), 3: result(3)}
LONG = {number: frame(number, progress=number, generation=f"gen_{number % 3}") for number in range(1, 12)}
LONG |= {12: result(12)}
PATIENCE = httpx.Timeout(connect=5, read=0.05, write=5, pool=None)


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """No waits between connections, and a silence that counts as one after 50 ms."""

    async def at_once(_seconds):
        await asyncio.sleep(0)

    monkeypatch.setattr(watch, "pause", at_once)
    monkeypatch.setattr(watch, "TIMEOUT", PATIENCE)


@asynccontextmanager
async def wire(frames, *fates, **options):
    origin = Origin(frames, **options)
    async with BreakingProxy(origin, fates) as proxy, AsyncClient(proxy.url, "token") as client:
        yield origin, proxy, client


async def told(watch, last):
    """What a watch tells, up to the event numbered `last`."""
    found = []
    async with asyncio.timeout(20):
        async for item in watch:
            if not isinstance(item, ConnectionChange):
                found.append(item.id)
                if item.id == last:
                    break
    await watch.aclose()
    return found


async def answer_length(frames):
    """Bytes of a whole answer of the origin."""
    async with wire(frames) as (_, proxy, _client):
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        length = len(await reader.read(-1))
        writer.close()
        return length


@pytest.mark.parametrize(("then", "stride"), [("close", 1), ("reset", 5)])
async def test_a_cut_at_every_byte_loses_and_doubles_nothing(then, stride):
    async with wire(SHORT) as (origin, proxy, client):
        for at in range(0, await answer_length(SHORT), stride):
            proxy.meet(Fate(at, then))
            origin.asked.clear()
            assert await told(client.watch(generation="gen_a"), 3) == [1, 2, 3], f"cut after {at} bytes"
            assert len(origin.asked) >= 1


fates = st.builds(
    Fate,
    bytes=st.integers(0, 3000),
    then=st.sampled_from(["close", "reset"]),
    piece=st.sampled_from([65536, 700, 97, 13]),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(fates, max_size=12))
def test_any_cuts_lose_and_double_nothing(breaks):
    async def run():
        async with wire(LONG, *breaks) as (origin, _, client):
            found = await told(client.watch(), 12)
            return found, origin.asked

    found, asked = asyncio.run(run())
    assert found == list(range(1, 13))
    numbers = [number or 0 for number in asked]
    assert numbers == sorted(numbers), "each connection goes on where the one before ended"


@pytest.mark.parametrize("at", [0, 1, 60, 200, 420, 600])
async def test_a_half_open_connection_is_noticed_and_replaced(at):
    async with wire(SHORT, Fate(at, "stall"), Fate(at, "stall")) as (_, _proxy, client):
        watch = client.watch(generation="gen_a")
        begin = asyncio.get_running_loop().time()
        assert await told(watch, 3) == [1, 2, 3]
        assert asyncio.get_running_loop().time() - begin < 5


async def test_a_half_open_connection_is_said_before_the_next_one_is_tried():
    stalled = itertools.repeat(Fate(420, "stall"), 3)
    async with wire(SHORT, *stalled) as (_, _proxy, client):
        states = [item.state async for item in client.watch(generation="gen_a") if isinstance(item, ConnectionChange)]
    assert states[:2] == ["connected", "reconnecting"]
    assert states[-1] == "connected"


def test_a_silent_connection_is_known_to_be_dead_within_twenty_seconds(request):
    request.getfixturevalue("monkeypatch").undo()
    assert 15 < watch.TIMEOUT.read < 19, "longer than the server's heartbeat, and in time to say so on a page"
    assert watch.TIMEOUT.connect <= 5


async def test_a_stream_that_drips_is_no_dead_one():
    drip = Fate(None, piece=40, delay=0.01)
    async with wire(SHORT, drip) as (origin, _, client):
        assert await told(client.watch(generation="gen_a"), 3) == [1, 2, 3]
        assert origin.asked == [None], "one connection was enough"


async def test_numbers_that_begin_again_are_followed(caplog):
    """The database was replaced by an older one, or by a new one."""
    before = {41: frame(41), 42: frame(42, progress=50.0)}
    async with wire(before) as (origin, _, client):
        watch = client.watch()
        async with asyncio.timeout(10):
            while getattr(await anext(watch), "id", 0) != 42:
                pass
            origin.frames = {1: frame(1), 2: frame(2, progress=20.0)}
            found = []
            while found[-1:] != [2]:
                item = await anext(watch)
                if not isinstance(item, ConnectionChange):
                    found.append(item.id)
        await watch.aclose()
    assert found == [1, 2]
    assert "database was replaced" in caplog.text
