"""A coroutine that never waits needs no task; one that does is finished by one."""

import asyncio

import pytest

from videogen.eager import begin


async def test_what_never_waits_is_done_at_once():
    done = []

    async def inner():
        done.append("inner")

    async def work():
        await inner()
        done.append("work")

    assert begin(work()) is None
    assert done == ["inner", "work"]


async def test_what_waits_is_finished_by_who_awaits_the_rest():
    gate, told = asyncio.Event(), []

    async def work():
        told.append("begun")
        await gate.wait()
        told.append("on")
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        told.append("done")

    rest = begin(work())
    assert told == ["begun"]

    async def finish():
        await rest

    task = asyncio.create_task(finish())
    await asyncio.sleep(0)
    assert told == ["begun"]
    gate.set()
    await task
    assert told == ["begun", "on", "done"]


@pytest.mark.parametrize("waits", [False, True])
async def test_what_goes_wrong_is_raised(waits):
    gate = asyncio.Event()

    async def work():
        if waits:
            await gate.wait()
        raise OSError("gone")

    if not waits:
        with pytest.raises(OSError, match="gone"):
            begin(work())
        return
    rest = begin(work())
    gate.set()
    with pytest.raises(OSError, match="gone"):
        await rest


async def test_a_cancel_reaches_the_coroutine():
    told = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            told.append("cleaned up")

    rest = begin(work())

    async def finish():
        await rest

    task = asyncio.create_task(finish())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["cleaned up"]
