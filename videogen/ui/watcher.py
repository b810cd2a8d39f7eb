"""The page's one subscription, as an endless generator of what to show."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Final

from videogen.client import ApiError, AsyncClient, ClientError, ConnectionChange
from videogen.client.policy import Backoff
from videogen.core.security import new_token
from videogen.ui import views
from videogen.ui.pace import Pace
from videogen.ui.pages import Page, Pages, Visit, sign_in, texts_of
from videogen.ui.texts import Texts

HEARTBEAT: Final = 5.0
SETTLE: Final = 0.4
"""How long the first picture waits for the subscription, whose snapshots are newer than the list."""
_visits = itertools.count(1)


class Watcher:
    """Follows one session for one tab, through any number of breaks, until the tab is closed."""

    def __init__(
        self,
        client: AsyncClient,
        pages: Pages,
        pace: Pace,
        session_hash: str,
        new_token: Callable[[], str] = new_token,
    ) -> None:
        self._client = client
        self._new_token = new_token
        self._pages = pages
        self._pace = pace
        self._key = session_hash
        self._link: views.Link = "live"
        self._tick = 0
        self._heard: set[str] = set()
        self._brought: str | None = None
        self._signed_in = False
        self._told: views.View = {}

    async def frames(self, visit: Visit) -> AsyncGenerator[views.View, None]:
        """Yield what to show: changes at once, and a heartbeat when there are none."""
        backoff = Backoff(longest=3.0)
        self._brought = visit.token
        while True:
            page = Page(self._client, texts_of(visit))
            try:
                async with aclosing(self._follow(page, visit)) as frames:
                    async for frame in frames:
                        backoff.reset()
                        self._pace.turned(self._key)
                        yield frame
            except ClientError as problem:
                self._link = "reconnecting"
                yield self._stamp({"problem": _plain(problem, page.texts)})
            finally:
                # One who came without a session keeps the one that was given.
                visit = replace(visit, token=page.token or visit.token)
                self._pages.close(self._key, page)
                self._pace.left(self._key)
            await asyncio.sleep(backoff.next())

    async def _follow(self, page: Page, visit: Visit) -> AsyncGenerator[views.View, None]:
        # Only the first time: a page that was signed out must not put a new session in the place of the browser's own.
        arrival = await sign_in(self._client, visit, None if self._signed_in else self._new_token)
        self._signed_in = True
        page.client, page.token = self._client.as_session(arrival.token), arrival.token
        page.proven = arrival.token == self._brought
        page.board.put_page(arrival.page)
        reader = asyncio.create_task(self._read(page))
        reader.add_done_callback(lambda _: page.ring(urgent=True))
        try:
            await self._settle(page, visit)
            self._pages.open(self._key, page)
            notice = page.texts.welcome(len(page.board.active()))
            self._told = {"brought": page.proven, "adopt": arrival.adopt, "notice": notice, "visit": next(_visits)}
            yield self._frame(page)
            while not reader.done():
                await self._wait(page)
                yield self._frame(page)
            # It only ends with the reason why the API will have nothing more of it.
            reader.result()
        finally:
            reader.cancel()
            with suppress(asyncio.CancelledError, ClientError):
                await reader

    async def _read(self, page: Page) -> None:
        """Take in events as they come; the board keeps the latest, so a slow page never holds them up."""
        async with aclosing(page.client.watch()) as watched:
            async for item in watched:
                if isinstance(item, ConnectionChange):
                    self._link = "live" if item.state == "connected" else "reconnecting"
                    page.ring(urgent=True)
                else:
                    self._heard.add(item.generation_id)
                    page.ring(urgent=page.board.apply(item))

    async def _settle(self, page: Page, visit: Visit) -> None:
        """Bring the list, which was read first, up to what the subscription tells; then choose what to show."""
        active = {item.id for item in page.board.active()}
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                while not active <= self._heard:
                    await page.bell.wait()
                    page.bell.clear()
        # What the subscription does not speak of has ended between the two.
        wanted = {*page.board.unknown, *(active - self._heard)}
        if visit.selected and page.board.get(visit.selected) is None:
            wanted.add(visit.selected)
        await _fetch(page, wanted)
        page.board.select_on_arrival(visit.selected)

    async def _wait(self, page: Page) -> None:
        """Wait for news or for the heartbeat's time; news that come close together become one frame."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT):
                await page.bell.wait()
        pause = self._pace.pause(self._key)
        if pause > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await page.alarm.wait()
        page.bell.clear()
        page.alarm.clear()
        if page.board.unknown:
            await _fetch(page, page.board.unknown)

    def _frame(self, page: Page) -> views.View:
        # A browser may skip a frame, so the token is in each until a call has brought it back; then in none.
        told = self._told if page.proven else self._told | {"token": page.token}
        return self._stamp(views.room(page.board, page.texts) | told | {"history": page.board.history_version})

    def _stamp(self, frame: views.View) -> views.View:
        """Each frame is whole, since a browser may skip some, and unlike the last, since it is a sign of life."""
        self._tick += 1
        return frame | {"tick": self._tick, "link": self._link}


async def _fetch(page: Page, ids: Iterable[str]) -> None:
    """Read generations that are known by id only; one that fails comes later."""

    async def one(generation_id: str) -> None:
        with suppress(ClientError):
            await page.fetch(generation_id)

    await asyncio.gather(*(one(generation_id) for generation_id in ids))


def _plain(problem: ClientError, texts: Texts) -> str:
    return texts.refusal(problem) if isinstance(problem, ApiError) else texts.say("notice.unreachable")
