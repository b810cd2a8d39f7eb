"""The open pages of this process: one `Page` per browser tab, gone when its watcher ends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl

from videogen.client import ApiError, AsyncClient, ProtocolError
from videogen.core import i18n as language
from videogen.core.security import new_token
from videogen.schemas.generations import GenerationPage
from videogen.schemas.system import SESSION_COOKIE
from videogen.ui.board import Board
from videogen.ui.choices import Choices
from videogen.ui.texts import Texts

FIRST_PAGE: Final = 24
MAX_EXPECTED: Final = 1000
FIRST_SECONDS: Final = 20.0
"""How long a request without a session waits for the page that makes one."""
MAX_OFFSET: Final = 14 * 60
_PLAIN: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Visit:
    """What a browser brings along: its session, what it had open, and the language of its document."""

    token: str | None = None
    cookie: str | None = None
    selected: str | None = None
    language: str = language.DEFAULT
    browser: str = ""
    """The browser's random name for itself."""
    again: bool = False
    """Whether the page is open already, and only its connection is new."""
    offset: int = 0
    """Minutes by which the browser's clock is before UTC."""
    choices: Choices = field(default_factory=Choices)
    here: float = 0.0
    """When a page of this browser was looked at last, in seconds since 1970; 0: never."""
    claim: str | None = None
    """A one-time code of another device, from the page's address."""
    keeps_language: bool = False
    """Whether a cookie keeps the language, so that the address need not name it."""

    @property
    def is_unknown(self) -> bool:
        """Whether it brings no session: the first one, in a frame where cookies are blocked."""
        return self.token is None and self.cookie is None

    @classmethod
    def read(cls, browser: object, cookies: Mapping[str, str], headers: Mapping[str, str]) -> Visit:
        """Read what came from the browser; anybody may have written it, so every shape is possible."""
        given: Mapping[str, Any] = browser if isinstance(browser, dict) else {}
        query = {language.PARAMETER: _text(given.get("language")) or ""}
        tag = language.negotiate(query, cookies, headers).tag
        return cls(
            token=_text(given.get("token")),
            cookie=_text(cookies.get(SESSION_COOKIE)),
            selected=_text(given.get("selected")),
            browser=_text(given.get("browser")) or "",
            again=given.get("again") is True,
            choices=Choices.read(given.get("choices")),
            here=read_moment(given.get("here")),
            claim=claimed_code(given.get("search"), given.get("hash")),
            language=tag,
            keeps_language=cookies.get(language.COOKIE) == tag,
            offset=_minutes(given.get("offset")),
        )


@dataclass(slots=True)
class Page:
    """One open tab: its session's client, its board, and a bell for its watcher."""

    client: AsyncClient
    texts: Texts
    """The tab's language."""
    board: Board = field(default_factory=Board)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    alarm: asyncio.Event = field(default_factory=asyncio.Event)
    token: str | None = None
    """The session's. Only requests with this token may act on the page."""
    proven: bool = False
    """Whether the browser has shown that it knows the token."""
    adopt: bool = False
    """Whether the browser's cookie is another session's and must be replaced."""
    name: str = ""
    """The session hash of its tab."""
    locked: str = ""
    """Why the tab shows a sign-in screen alone, as the API's code; empty: it does not."""
    stand_in: bool = False
    """Whether its tab has acted before its watcher was there. What it is to show goes to the watcher's own page."""

    @property
    def is_first(self) -> bool:
        """Whether its browser may not know the token yet: a first visit. Without cookies, its clicks bring none."""
        return self.adopt and not self.proven

    def ring(self, *, urgent: bool = False) -> None:
        """Have the watcher show what has changed; at once, if someone waits for it or something has ended."""
        self.bell.set()
        if urgent:
            self.alarm.set()

    async def fetch(self, generation_id: str) -> None:
        """Read a generation that is known by id only; one that is gone is forgotten."""
        try:
            self.board.put(await self.client.get(generation_id))
        except ApiError as refusal:
            if refusal.status != 404:
                raise
            self.board.drop(generation_id)


class Pages:
    """The registry, by Gradio's session hash."""

    def __init__(self) -> None:
        self._open: dict[str, Page] = {}
        self._early: dict[str, tuple[str | None, Mapping[str, Any]]] = {}
        self._opened = asyncio.Event()

    def open(self, session_hash: str, page: Page) -> Mapping[str, Any]:
        """Register a tab; one that loads again replaces itself.

        Returns:
            what its session has asked for before, as it was given to `expect`.
        """
        self._open[session_hash] = page
        page.name = session_hash
        self._opened.set()
        self._opened = asyncio.Event()
        token, wanted = self._early.pop(session_hash, (None, {}))
        return wanted if token is not None and token == page.token else {}

    def expect(self, session_hash: str, token: str | None, wanted: Mapping[str, Any]) -> None:
        """Keep what a tab is to show once its watcher is there. Some watchers never come."""
        known, before = self._early.pop(session_hash, (None, {}))
        self._early[session_hash] = (token, {**before, **wanted} if known == token else wanted)
        if len(self._early) > MAX_EXPECTED:
            del self._early[next(iter(self._early))]

    def successor(self, page: Page) -> Page | None:
        """What is open in the place of a stand-in, or of a page whose watcher has begun anew; None for any other."""
        now = self._open.get(page.name)
        return now if now is not page and now is not None and now.token == page.token is not None else None

    def get(self, session_hash: str) -> Page | None:
        """The page of a tab, while its watcher lives, whoever asks."""
        return self._open.get(session_hash)

    def find(self, session_hash: str | None, visit: Visit) -> Page | None:
        """The same for a request that brings the token of the page; None for any other."""
        page = self._open.get(session_hash or "")
        if page is None or page.token is None:
            return None
        if page.token not in (visit.token, visit.cookie) and not (page.is_first and visit.is_unknown):
            return None
        page.proven = page.proven or page.token == visit.token
        return page

    async def wait_for_first(self, session_hash: str | None, visit: Visit) -> None:
        """Wait until a request that brings no session has the page that is making one; not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_SECONDS):
                while visit.is_unknown and self._open.get(session_hash or "") is None:
                    await self._opened.wait()

    def others(self, page: Page) -> list[Page]:
        """The other open pages of the same browser."""
        return [other for other in self._open.values() if other is not page and other.token == page.token is not None]

    def close(self, session_hash: str, page: Page) -> None:
        """Forget a tab, unless it has been replaced since."""
        if self._open.get(session_hash) is page:
            del self._open[session_hash]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A session that works, with the first page of its history."""

    token: str
    adopt: bool
    """Whether the browser's cookie is another session's."""
    page: GenerationPage
    locked: str = ""
    """Why it may see nothing, as the API's code: its person must sign in first, or is not allowed."""


LOCKED: Final = ("login_required", "login_not_allowed")


async def find_session(client: AsyncClient, visit: Visit) -> Arrival | None:
    """This browser's session: the one it kept itself, else its cookie's; None where neither is known.

    Raises:
        ClientError: the API does not answer, or not as it should.
    """
    for token in dict.fromkeys((visit.token, visit.cookie)):
        if token is None:
            continue
        try:
            page = await client.as_session(token).list(limit=FIRST_PAGE)
        except ApiError as refusal:
            if refusal.code in LOCKED:
                return Arrival(token, token != visit.cookie, GenerationPage(items=[], next_cursor=None), refusal.code)
            if refusal.status != 401:
                raise
        else:
            return Arrival(token, adopt=token != visit.cookie, page=page)
    return None


async def sign_in(client: AsyncClient, visit: Visit, new_token: Callable[[], str] | None = new_token) -> Arrival:
    """The same, with a new session where there is none. The API stores it with the first thing worth keeping.

    Args:
        client: any client of the API.
        visit: what the browser brought.
        new_token: makes a signed token; where the API does not know the signature, it is asked for a session. None:
            a visit whose session is not known gets none.

    Raises:
        ApiError: 401, without `new_token`.
        ClientError: the API does not answer, or not as it should.
    """
    found = await find_session(client, visit)
    if found is not None:
        return found
    if new_token is None:
        raise ApiError("session_required", language.catalog(None).gettext("error.session_required"), 401)
    found = await find_session(client, Visit(token=new_token()))
    if found is None:
        found = await find_session(client, Visit(token=(await client.create_session()).token))
    if found is None:
        raise ProtocolError("The API does not know the session that it has just made.")
    return replace(found, adopt=True)


def texts_of(visit: Visit) -> Texts:
    """What is said to this visit."""
    return Texts(language.catalog(visit.language), visit.offset)


def _minutes(value: object) -> int:
    return value if isinstance(value, int) and abs(value) <= MAX_OFFSET else 0


def _text(value: object) -> str | None:
    # Tokens, ids and languages are ASCII; nothing else fits into a header.
    return value if isinstance(value, str) and 0 < len(value) <= 4096 and _PLAIN.fullmatch(value) else None


def read_moment(value: object) -> float:
    """Seconds since 1970; 0 for anything else."""
    return float(value) if type(value) in (int, float) and 0 < value < 1e11 else 0.0  # type: ignore[operator, arg-type]


def claimed_code(search: object, fragment: object) -> str | None:
    """The one-time code in an address: `#claim=CODE`, which no log sees, or `?claim=CODE`."""
    for part in (fragment, search):
        code = dict(parse_qsl(part[1:4000])).get("claim", "").strip() if isinstance(part, str) else ""
        if code:
            return code[:200]
    return None
