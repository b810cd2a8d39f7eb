"""Zips of chosen generations, made while they are sent."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from videogen.core.clock import to_datetime
from videogen.core.errors import InvalidRequestError, NotFoundError
from videogen.schemas.history import Bundle, Chosen
from videogen.services.exports import Exports
from videogen.store import Store

ZIP_SECONDS: Final = 600.0
"""How long the link to a zip holds."""
MAX_ZIPS: Final = 1000
"""Links that hold at once; with one more the oldest ends."""


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
            InvalidRequestError: none of them is finished and this session's.
        """
        ids = chosen.unique()
        count, size = self._store.measure_completed(session_id, ids)
        if count == 0:
            raise InvalidRequestError("ids", "at least one finished generation of this session", "none")
        made = _Zip(session_id, tuple(ids), self._store.clock() + ZIP_SECONDS)
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            self._zips[ticket] = made
            if len(self._zips) > MAX_ZIPS:
                del self._zips[next(iter(self._zips))]
        url = f"{base}/zips/{ticket}"
        return Bundle(url=url, expires_at=to_datetime(made.expires_at), count=count, size_bytes=size)

    def stream(self, ticket: str) -> Iterator[bytes]:
        """The bytes of the zip, made while they are sent.

        Raises:
            NotFoundError: there is no such link, or no longer.
        """
        with self._lock:
            found = self._zips.get(ticket)
        if found is None or found.expires_at < self._store.clock():
            raise NotFoundError("This zip is not ready any more. Ask for it again.")
        return self._exports.stream(found.session_id, found.ids)
