"""The open tabs: whose each is, who may read it, and how many there may be.

Each has one endless response. Over HTTP/1.1 a browser opens six connections to a server, so it may have four of them:
at the fifth, the tab that was used longest ago is paused. It starts again when somebody looks at it.

A tab is known by its session hash, which its browser makes up and sends in addresses. So it opens nothing by itself.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from anyio import CancelScope
from gradio import Blocks
from gradio.server_messages import EventMessage, HeartbeatMessage

from videogen.core.errors import ForeignPageError, LimitExceededError, NotFoundError
from videogen.ui.pages import Pages
from videogen.ui.texts import Texts

UNREAD_SECONDS: Final = float(os.environ.get("VIDEOGEN_TEST_UNREAD_SECONDS", "10"))
"""A tab that nobody has begun to read for so long is ended."""
MAX_TABS: Final = 1000
"""Open at once in one process: half of what Gradio's message store holds before it forgets the oldest."""
MAX_WAITING: Final = 4
"""A watcher makes no further frame while so many messages of its tab are unread."""
RETRY_SECONDS: Final = 10
MAX_LIVE: Final = 4
"""Tabs of one browser with a watcher at once."""
PAUSE_SECONDS: Final = 5.0
"""A paused tab whose reader does not take its last frame in that time is ended."""


class Messages(asyncio.Queue[EventMessage]):
    """What waits for the reader of one tab. Gradio fills and empties it."""

    def __init__(self) -> None:
        super().__init__()
        self._taken = asyncio.Event()

    def _get(self) -> EventMessage:
        self._taken.set()
        return super()._get()

    def put_nowait(self, item: EventMessage) -> None:
        """Add a message; a heartbeat only where nothing else waits, which is a sign of life as well."""
        if not (isinstance(item, HeartbeatMessage) and self.qsize()):
            super().put_nowait(item)

    async def taken(self) -> None:
        """Wait until the reader has taken most of what there is."""
        while self.qsize() >= MAX_WAITING:
            self._taken.clear()
            await self._taken.wait()


@dataclass(slots=True, eq=False)
class Tab:
    """One session hash, from its first join until its reader has left."""

    name: str
    address: str
    cookie: str | None
    """The session cookie of its first join."""
    proofs: frozenset[str]
    """The tokens of its first join: the browser's stored one, and the cookie's."""
    browser: str = ""
    """The random id that its browser keeps in its storage. Tabs of no browser are not counted together."""
    messages: Messages = field(default_factory=Messages)
    watchers: int = 0
    read: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once somebody reads it."""
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    timer: asyncio.TimerHandle | None = None
    reading: CancelScope = field(default_factory=CancelScope)
    """Around the response to its reader."""
    used: int = 0
    """Rises with each join and click of any tab."""
    paused: bool = False
    ending: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class TabLimits:
    """How many watchers there may be at once."""

    per_session: int = 20
    per_address: int = 64
    in_all: int = MAX_TABS


class Tabs:
    """The registry of the open tabs of one page. For the event loop's thread alone."""

    def __init__(self, limits: TabLimits | None = None) -> None:
        self.pages = Pages()
        self._limits = limits or TabLimits()
        self._page: Blocks | None = None
        self._tabs: dict[str, Tab] = {}
        self._ends: set[asyncio.Task[None]] = set()
        self._uses = itertools.count(1)

    def serve(self, page: Blocks) -> None:
        """Use this page's queue from now on."""
        self._page = page

    def handlers(self) -> set[int]:
        """The numbers of the handlers that may be joined."""
        assert self._page is not None
        return {number for number, handler in self._page.fns.items() if handler.queue}

    def owns(self, name: str, proofs: Collection[str], *, if_nobody: bool) -> bool:
        """Whether one of these tokens is the tab's.

        Args:
            name: the session hash.
            proofs: the tokens that came with a request.
            if_nobody: the answer for a tab that is not open, or whose browser cannot know its token yet.
        """
        page, owners = self.pages.get(name), self._owners(name)
        if not proofs and page is not None and page.is_first:
            return if_nobody
        return not owners.isdisjoint(proofs) if owners else if_nobody

    def _owners(self, name: str) -> frozenset[str]:
        page, tab = self.pages.get(name), self._tabs.get(name)
        if page is not None and page.token is not None:
            return frozenset((page.token,))
        return tab.proofs if tab else frozenset()

    async def join(self, tab: Tab, texts: Texts) -> None:
        """Admit a watcher: it has a slot until the tab ends. A tab that is read already starts anew.

        Raises:
            ForeignPageError: the session hash is another's.
            LimitExceededError: too many watchers.
        """
        known = self._tabs.get(tab.name)
        if known is not None and not self.owns(tab.name, tab.proofs, if_nobody=False):
            raise ForeignPageError
        if known is not None and (known.ending or known.read.is_set()):
            # Its browser has given up the connection, which may be dead without a sign of it here.
            known.reading.cancel()
            await known.gone.wait()
        self._pause_oldest(tab)
        self._check(tab, texts)
        if _count(self._tabs.values()) >= self._limits.in_all:
            await self._make_room(texts)
        # Waiting for room may have let another one in.
        tab = self._tabs.setdefault(tab.name, tab)
        if tab.timer is None:
            tab.timer = asyncio.get_running_loop().call_later(UNREAD_SECONDS, self.end_soon, tab)
            self._queue.pending_messages_per_session[tab.name] = tab.messages
        tab.watchers += 1
        tab.used = next(self._uses)

    def used(self, name: str) -> None:
        """Note that somebody has clicked in a tab, or has come back to it."""
        if (tab := self._tabs.get(name)) is not None:
            tab.used = next(self._uses)

    def serves(self, address: str) -> bool:
        """Whether a tab from this address is open that shows more than the sign-in screen."""
        pages = (self.pages.get(tab.name) for tab in self._tabs.values() if tab.address == address)
        return any(page is not None and not page.locked for page in pages)

    def is_paused(self, name: str) -> bool:
        """Whether a tab's watcher is to send its last frame and end."""
        tab = self._tabs.get(name)
        return tab is not None and tab.paused

    def _pause_oldest(self, tab: Tab) -> None:
        """Have one tab of the same browser pause, where it has as many as it may."""
        live = [
            one
            for one in self._tabs.values()
            if not one.paused
            and one.name != tab.name
            and one.browser == tab.browser != ""
            and not tab.proofs.isdisjoint(one.proofs | self._owners(one.name))
        ]
        if len(live) < MAX_LIVE:
            return
        oldest = min(live, key=lambda one: one.used)
        oldest.paused = True
        if (page := self.pages.get(oldest.name)) is not None:
            page.ring(urgent=True)
        asyncio.get_running_loop().call_later(PAUSE_SECONDS, self.end_soon, oldest)

    def _check(self, tab: Tab, texts: Texts) -> None:
        own = [one for one in self._tabs.values() if not tab.proofs.isdisjoint(one.proofs | self._owners(one.name))]
        near = [one for one in self._tabs.values() if one.address == tab.address]
        for tabs, limit, key in (
            (own, self._limits.per_session, "notice.tabs_of_session"),
            (near, self._limits.per_address, "notice.tabs_of_address"),
        ):
            if _count(tabs) >= limit:
                raise LimitExceededError(texts.gettext(key, limit=limit), RETRY_SECONDS)

    async def _make_room(self, texts: Texts) -> None:
        oldest = next((one for one in self._tabs.values() if not one.read.is_set() and not one.ending), None)
        if oldest is None:
            raise LimitExceededError(texts.gettext("notice.tabs_in_all"), RETRY_SECONDS)
        await self.end(oldest)

    def reader(self, name: str, cookie: str | None, address: str) -> Tab:
        """Let somebody read a tab, once.

        Raises:
            NotFoundError: nobody has joined under this session hash.
            ForeignPageError: it is another's, or is read already.
        """
        tab = self._tabs.get(name)
        if tab is None or tab.ending:
            raise NotFoundError
        if cookie is not None:
            own = cookie in tab.proofs | self._owners(name)
        else:
            # A frame in a browser that blocks its cookies proves nothing here: this is as much as can be asked.
            own = tab.cookie is None and address == tab.address
        if not own or tab.read.is_set():
            raise ForeignPageError
        tab.read.set()
        if tab.timer is not None:
            tab.timer.cancel()
        return tab

    async def started(self, name: str) -> bool:
        """Wait for the reader of a watcher that has just been started; False where it has been ended."""
        tab, task = self._tabs.get(name), asyncio.current_task()
        if tab is None or tab.ending or task is None:
            return False
        tab.tasks.add(task)
        await tab.read.wait()
        return True

    async def taken(self, name: str) -> None:
        """Wait until the reader has taken most of what a tab was sent: what is slow skips frames, and holds none."""
        if (tab := self._tabs.get(name)) is not None:
            await tab.messages.taken()

    def end_soon(self, tab: Tab) -> None:
        """End a tab in a task of its own."""
        task = asyncio.get_running_loop().create_task(self.end(tab))
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def end(self, tab: Tab) -> None:
        """End a tab's watchers, and forget all that Gradio keeps of it. Safe to repeat."""
        if tab.ending:
            return
        tab.ending = True
        if tab.timer is not None:
            tab.timer.cancel()
        try:
            await self._queue.clean_events(session_hash=tab.name)
        finally:
            self._queue.pending_messages_per_session.pop(tab.name, None)
            for event_id in self._queue.pending_event_ids_session.pop(tab.name, ()):
                self._queue.event_ids_to_events.pop(event_id, None)
            for task in tab.tasks:
                task.cancel()
            del self._tabs[tab.name]
            tab.gone.set()

    def end_all(self) -> None:
        """End every tab, as there is another page now, which its browser loads; or as the server stops."""
        for tab in list(self._tabs.values()):
            if tab.read.is_set():
                tab.reading.cancel()  # its reader ends it, after Gradio
            else:
                self.end_soon(tab)

    def joined(self, name: str) -> None:
        """Note that Gradio has answered a join; if its tab has been ended meanwhile, forget what came after that."""
        if name not in self._tabs:
            self._tabs[name] = Tab(name, "", None, frozenset())
            self.end_soon(self._tabs[name])

    @property
    def _queue(self) -> Any:
        assert self._page is not None
        return self._page._queue


def _count(tabs: Iterable[Tab]) -> int:
    return sum(one.watchers for one in tabs if not one.paused)
