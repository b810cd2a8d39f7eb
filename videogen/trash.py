"""Deletion that can be undone for a while, and zips of what somebody has chosen."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from videogen.core.errors import InvalidRequest, NotFound
from videogen.exports import Exports
from videogen.schemas.history import Bundle, Chosen, LeftOut, Restored, Trashed
from videogen.store import Store

ZIP_SECONDS: Final = 600.0
"""How long the link to a zip holds."""
MAX_ZIPS: Final = 1000
"""Links that hold at once; with one more the oldest ends."""


class Trash:
    """The trash of every session. Every method blocks on the database: call it from a thread."""

    def __init__(self, store: Store, seconds: float, on_trash: Callable[[], None]) -> None:
        """
        Args:
            store: has the rows.
            seconds: how long a deletion can be undone.
            on_trash: hears that something will have to be removed then.
        """
        self._store = store
        self._seconds = seconds
        self._on_trash = on_trash

    def trash(self, session_id: str, chosen: Chosen) -> Trashed:
        """Take these out of every view; they can be restored for a while, with all that belongs to them. Idempotent."""
        ids = chosen.unique()
        found = self._store.trash(session_id, ids, self._store.clock() + self._seconds)
        self._on_trash()
        left = [
            LeftOut(id=one, code="not_terminal" if one in found.active else "not_found")
            for one in ids
            if one not in found.until
        ]
        until = min(found.until.values(), default=None)
        return Trashed(
            ids=[one for one in ids if one in found.until],
            restorable_until=None if until is None else _moment(until),
            left_out=left,
        )

    def restore(self, session_id: str, chosen: Chosen) -> Restored:
        """Put these back into the history, as they were. Idempotent."""
        ids = chosen.unique()
        found = self._store.restore(session_id, ids)
        left = [LeftOut(id=one, code="not_found") for one in ids if one not in found]
        return Restored(ids=[one for one in ids if one in found], left_out=left)


@dataclass(frozen=True, slots=True)
class _Zip:
    session_id: str
    ids: tuple[str, ...]
    expires_at: float


class Zips:
    """Links to zips of chosen generations: a browser can only follow a link, which has no room for a thousand ids."""

    def __init__(self, store: Store, exports: Exports) -> None:
        self._store = store
        self._exports = exports
        self._lock = threading.Lock()
        self._zips: dict[str, _Zip] = {}

    def make(self, session_id: str, chosen: Chosen, base: str) -> Bundle:
        """Make a link to a zip of these.

        Raises:
            InvalidRequest: none of them is finished and this session's.
        """
        ids = chosen.unique()
        count, size = self._store.measure(session_id, ids)
        if count == 0:
            raise InvalidRequest("ids", "at least one finished generation of this session", "none")
        made = _Zip(session_id, tuple(ids), self._store.clock() + ZIP_SECONDS)
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            self._zips[ticket] = made
            if len(self._zips) > MAX_ZIPS:
                del self._zips[next(iter(self._zips))]
        url = f"{base}/zips/{ticket}"
        return Bundle(url=url, expires_at=_moment(made.expires_at), count=count, size_bytes=size)

    def stream(self, ticket: str) -> Iterator[bytes]:
        """The bytes of the zip, made while they are sent.

        Raises:
            NotFound: there is no such link, or no longer.
        """
        with self._lock:
            found = self._zips.get(ticket)
        if found is None or found.expires_at < self._store.clock():
            raise NotFound("This zip is not ready any more. Ask for it again.")
        return self._exports.stream(found.session_id, found.ids)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)
