"""Web processes and workers are replaced one by one, under load: nobody loses an event, and no job loses an attempt."""

import asyncio
from contextlib import aclosing

import psycopg
import pytest

from tests.support.cluster import DATABASE, Cluster
from videogen.client import AsyncClient, ConnectionChange
from videogen.schemas.events import RenderResult, is_terminal
from videogen.schemas.generations import GenerationCreate

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(300)]
SETTINGS = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 5.0, "delay_ms": 50}


class Watcher:
    """Keeps all that one stream of a session sends, over as many connections as it takes."""

    def __init__(self, client):
        self.told, self.breaks = [], 0
        self._client = client

    async def watch(self, wanted):
        """Until the ends of so many generations have come."""
        async with aclosing(self._client.watch(last_event_id=0)) as events:
            async for item in events:
                if isinstance(item, ConnectionChange):
                    self.breaks += item.state == "reconnecting"
                    continue
                self.told.append(item)
                if sum(is_terminal(event.type) for event in self.told) == wanted:
                    return

    async def progress(self, count):
        """Wait for so many more events."""
        before = len(self.told)
        while len(self.told) < before + count:
            await asyncio.sleep(0.02)


def _newer_version(cluster):
    """What a newer version adds, while this one still runs: columns, and announcements and messages of its own."""
    engines = '{"paced": {"slots": 0, "capabilities": {"mood": "good"}, "version": "2", "mood": "good"}}'
    with psycopg.connect(cluster.postgresql.url(DATABASE), autocommit=True) as connection:
        connection.execute("ALTER TABLE generations ADD COLUMN mood text DEFAULT 'good'")
        connection.execute("ALTER TABLE events ADD COLUMN mood text")
        connection.execute("INSERT INTO workers VALUES ('wrk_new', %s, extract(epoch FROM now()))", [engines])
        connection.execute('NOTIFY videogen, \'["message", "hub", "[\\"mood\\", \\"good\\"]"]\'')


async def test_a_rolling_restart_loses_no_event_and_no_attempt(postgresql, tmp_path):
    async with Cluster(tmp_path, workers=[("paced",), ("paced",)]) as cluster, AsyncClient(cluster.url) as stranger:
        session = await stranger.create_session()
        client = stranger.as_session(session.token)
        request = GenerationCreate(prompt="a day", engine="paced", settings=SETTINGS, variations=4)
        project = await client.submit(request, "once")
        watchers = [Watcher(client) for _ in range(10)]
        watching = [asyncio.create_task(watcher.watch(4)) for watcher in watchers]
        await watchers[0].progress(5)
        _newer_version(cluster)
        for web in cluster.webs:
            await web.stop()
            await web.start()
            await watchers[0].progress(2)
        # The new worker is there before the old one goes.
        old, _ = cluster.workers
        await (await cluster.add_worker("new", ("paced",))).start()
        await old.stop()
        await asyncio.gather(*watching)
        stored = cluster.rows("SELECT id, generation_id, type FROM events ORDER BY id")
        rows = cluster.rows("SELECT id, status, lost FROM generations")
    ids = {generation.id for generation in project.generations}
    assert {row[0] for row in rows} == ids
    assert all(row[1:] == ("completed", 0) for row in rows), rows
    for watcher in watchers:
        numbers = [event.id for event in watcher.told]
        assert numbers == sorted(set(numbers))
        assert {event.generation_id for event in watcher.told if isinstance(event, RenderResult)} == ids
        # A stream that keeps up leaves nothing out, wherever it goes on.
        assert numbers == [number for number, _, _ in stored]
        assert watcher.breaks, "the restarts of the web processes ended no stream"
