"""The page's one subscription: an endless generator of what every panel shows."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from functools import partial
from time import time
from typing import Any, Final

import orjson

from videogen.client import ApiError, AsyncClient, ClientError, ConnectionChange
from videogen.client.policy import Backoff
from videogen.core.i18n import PARAMETER
from videogen.core.security import new_token
from videogen.schemas.generations import GenerationPage
from videogen.ui.account import follow_account, read_account
from videogen.ui.address import Address, parse
from videogen.ui.arrival import read_address, show_address
from videogen.ui.away import away_notice
from videogen.ui.exports import follow_exports
from videogen.ui.handlers.devices import ask
from videogen.ui.history import load
from videogen.ui.own_presets import read_presets
from videogen.ui.pace import Pace
from videogen.ui.pages import Visit, find_session, sign_in, texts_of
from videogen.ui.panels import PANELS, render_panel
from videogen.ui.panels.job import player
from videogen.ui.renewal import renew_links
from videogen.ui.retention import changed, follow_retention
from videogen.ui.signals import signals
from videogen.ui.tab import Notice, Site, Tab
from videogen.ui.tabs import Tabs
from videogen.ui.texts import Texts

HEARTBEAT: Final = 4.0
"""Seconds after which a frame is sent although nothing has changed: `static/connection.js` counts on it."""
LOCKED_SECONDS: Final = 2.0
"""How often a tab that shows the sign-in screen looks whether its person has signed in: no event says it."""
SETTLE: Final = 0.4
"""Seconds that the first frame waits for the subscription, whose snapshots are newer than the list."""
Frame = list[Any]
"""The HTML of each panel, the player's value, and the signals for the browser's scripts."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watchers of one page share."""

    tabs: Tabs
    pace: Pace
    site: Site
    new_token: Callable[[], str] = new_token
    build: str = ""
    """Changes with what the page's documents consist of."""
    clock: Callable[[], float] = time
    """Seconds since the epoch."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Watch:
    """Follows one session for one tab, through any number of breaks, until the tab is closed."""

    def __init__(
        self, watched: Watched, client: AsyncClient, session_hash: str, *, search: str = "", presets: object = None
    ) -> None:
        """
        Args:
            watched: the parts of the app.
            client: a client of the API for the tab's visitor.
            session_hash: Gradio's name of the tab.
            search: the query of the page's address, such as `?generation=gen_...`.
            presets: the person's own, as the browser has stored them.
        """
        self._client, self._tabs, self._pages, self._pace = client, watched.tabs, watched.tabs.pages, watched.pace
        self._new_token, self._watched = watched.new_token, watched
        self._site, self._presets = watched.site, read_presets(presets)
        self._key, self._address = session_hash, parse(search)
        self._shown = ""
        self._frames = itertools.count(1)
        self._heard: set[str] = set()
        self._brought: str | None = None
        self._signed_in = False

    async def frames(self, visit: Visit) -> AsyncGenerator[Frame, None]:
        """Yield what to show: changes at once, and a heartbeat where there are none. A tab that is paused ends."""
        backoff = Backoff(longest=3.0)
        self._brought = visit.token
        if visit.keeps_language:
            rest = tuple(pair for pair in self._address.rest if pair[0] != PARAMETER)
            self._address = replace(self._address, rest=rest)
        before = Tab(self._client, texts_of(visit), presets=self._presets, claim=visit.claim, choices=visit.choices)
        while True:
            tab = Tab(self._client, texts_of(visit), site=self._site)
            tab.take_over(before)
            before = tab
            try:
                async with aclosing(self._follow(tab, visit)) as frames:
                    async for frame in frames:
                        backoff.reset()
                        self._pace.turned(self._key)
                        yield frame
            except ClientError as problem:
                tab.link, tab.notice = "reconnecting", Notice(_plain(problem, tab.texts), "warning")
                yield self._frame(tab)
            finally:
                # One who came without a session keeps the one that was given.
                visit = replace(visit, token=tab.next_token or tab.token or visit.token)
                if tab.next_token is not None:
                    visit = replace(visit, cookie=None)  # of the session that was left
                    self._address, self._shown = Address(rest=self._address.rest), ""
                elif tab.history.loaded:
                    self._address, self._shown = tab.address(), tab.board.selected_id or ""
                self._pages.close(self._key, tab)
                self._pace.left(self._key)
            if self._tabs.is_paused(self._key):
                return
            if tab.next_token is None and not tab.anew:
                await asyncio.sleep(backoff.next())

    async def _follow(self, tab: Tab, visit: Visit) -> AsyncGenerator[Frame, None]:
        # Only the first time: a page that was signed out must not put a new session in the place of the browser's own.
        arrival = await sign_in(self._client, visit, None if self._signed_in else self._new_token)
        self._signed_in = True
        tab.client, tab.token, tab.adopt = self._client.as_session(arrival.token), arrival.token, arrival.adopt
        tab.proven = arrival.token == self._brought
        tab.locked = arrival.locked
        shown = self._sign_in_screen(tab) if tab.locked else self._session(tab, visit, arrival.page)
        async with aclosing(shown) as frames:
            async for frame in frames:
                yield frame

    async def _session(self, tab: Tab, visit: Visit, newest: GenerationPage) -> AsyncGenerator[Frame, None]:
        """Show what the session has."""
        tab.account = await read_account(tab)
        await read_address(tab, self._address, newest)
        reader = asyncio.create_task(self._read(tab))
        keeper = asyncio.create_task(_keep_history(tab))
        reader.add_done_callback(lambda _: tab.ring(urgent=True))
        timers = [
            asyncio.create_task(follow(tab, self._watched.clock, self._watched.sleep))
            for follow in (renew_links, follow_retention)
        ]
        timers.append(asyncio.create_task(follow_exports(tab, self._watched.sleep)))
        try:
            before = self._shown or (visit.again and visit.selected) or ""
            await self._settle(tab, before)
            show_address(tab, before)
            tab.show(self._pages.open(self._key, tab))
            self._greet(tab, visit)
            yield self._frame(tab)
            while not reader.done():
                if tab.link == "paused":
                    return
                await self._wait(tab)
                if tab.next_token is not None or tab.anew:
                    return
                yield self._frame(tab)
            # It only ends with the reason why the API will have nothing more of it.
            reader.result()
        finally:
            for timer in timers:
                timer.cancel()
            keeper.cancel()
            reader.cancel()
            with suppress(asyncio.CancelledError, ClientError):
                await reader

    async def _sign_in_screen(self, tab: Tab) -> AsyncGenerator[Frame, None]:
        """Show nothing else until the person has signed in, in another tab."""
        tab.link = "live"
        tab.show(self._pages.open(self._key, tab))
        while True:
            yield self._frame(tab)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOCKED_SECONDS):
                    await tab.bell.wait()
            tab.bell.clear()
            if self._tabs.is_paused(self._key) or tab.next_token is not None:
                return
            found = await find_session(self._client, Visit(token=tab.token))
            if found is None or found.locked != tab.locked:
                tab.anew = tab.account_outdated = True
                await follow_account(tab)
                return

    def _greet(self, tab: Tab, visit: Visit) -> None:
        """Ask about a code in the address; say what has ended since the last visit, and what still renders."""
        if tab.claim:
            ask(tab, tab.claim)
        if tab.notice is not None or visit.again:
            return
        tab.notice = away_notice(tab, visit.here)
        if tab.board.active():
            tab.notice = replace(tab.notice or Notice(""), welcome=True)

    async def _read(self, tab: Tab) -> None:
        """Take in events as they come; the board keeps the latest, so a slow page never holds them up."""
        is_first = True
        async with aclosing(tab.client.watch(on_retention=partial(changed, tab))) as watched:
            async for item in watched:
                if isinstance(item, ConnectionChange):
                    tab.link = "live" if item.state == "connected" else "reconnecting"
                    if item.state == "connected":
                        # A sign-in ends the streams of a session; what came to it or was removed, no event may tell.
                        tab.account_outdated = True
                        if not is_first or (tab.retention is not None and tab.retention.hours is not None):
                            tab.history.outdated.set()
                        is_first = False
                    tab.ring(urgent=True)
                else:
                    self._heard.add(item.generation_id)
                    tab.ring(urgent=tab.board.apply(item))

    async def _settle(self, tab: Tab, before: str) -> None:
        """Bring the list, which was read first, up to what the subscription has; read what was on the stage before."""
        active = {item.id for item in tab.board.active()}
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                while not active <= self._heard:
                    await tab.bell.wait()
                    tab.bell.clear()
        # What the subscription does not speak of has ended between the two.
        wanted = {*tab.board.unknown, *(active - self._heard)}
        if before and tab.board.get(before) is None:
            wanted.add(before)
        await _fetch(tab, wanted)

    async def _wait(self, tab: Tab) -> None:
        """Wait for news or for the heartbeat's time; news that come close together become one frame."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT):
                await tab.bell.wait()
        pause = self._pace.pause(self._key)
        if pause > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await tab.alarm.wait()
        tab.bell.clear()
        tab.alarm.clear()
        await follow_account(tab)
        tab.board.leave_to_history()
        await _fetch(tab, tab.board.unknown)

    def _frame(self, tab: Tab) -> Frame:
        """Every value each time: what is as before is not sent, where `gr.skip()` would build a component."""
        tab.history.follow(tab.board.history_version)
        tab.exports.show(tab.board.selected)
        if self._tabs.is_paused(self._key):
            tab.link = "paused"
        data = orjson.dumps({"frame": next(self._frames), "build": self._watched.build, **signals(tab)}).decode()
        return [*(render_panel(panel, tab) for panel in PANELS), player(tab), data]


async def _keep_history(tab: Tab) -> None:
    """Read the history's page again whenever something has ended."""
    while True:
        await tab.history.outdated.wait()
        tab.history.outdated.clear()
        with suppress(ClientError):
            await load(tab.client, tab.history)
            tab.retention_outdated.set()
            tab.ring()


async def _fetch(tab: Tab, ids: Iterable[str]) -> None:
    """Read these generations, and the queue where it is outdated; what fails comes later."""

    async def queue() -> None:
        with suppress(ClientError):
            tab.board.put_queue(await tab.client.queue())

    async def one(generation_id: str) -> None:
        with suppress(ClientError):
            await tab.fetch(generation_id)

    await asyncio.gather(
        *(one(generation_id) for generation_id in ids), *([queue()] if tab.board.queue_outdated else [])
    )


def _plain(problem: ClientError, texts: Texts) -> str:
    return texts.refusal(problem) if isinstance(problem, ApiError) else texts.gettext("notice.unreachable")
