"""Links to zip archives of chosen generations. An archive is made while it is sent."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from videogen.core.clock import to_datetime
from videogen.core.errors import InvalidRequestError, NotFoundError
from videogen.schemas.history import Bundle, Chosen
from videogen.services.exports import ExportService
from videogen.store import Store

LINK_SECONDS: Final = 600.0
"""How long a link is valid."""
MAX_LINKS: Final = 1000
"""Links that are valid at once. A further link ends the oldest."""


@dataclass(frozen=True, slots=True)
class _Archive:
    session_id: str
    ids: tuple[str, ...]
    expires_at: float


class ArchiveService:
    """Makes links to archives: a browser downloads by following a link, which is too short for a thousand ids."""

    def __init__(self, store: Store, exports: ExportService) -> None:
        self._store = store
        self._exports = exports
        self._lock = threading.Lock()
        self._archives: dict[str, _Archive] = {}

    def create(self, session_id: str, chosen: Chosen, base: str) -> Bundle:
        """Make a link to an archive of these generations; `base` is the public address of the app.

        Raises:
            InvalidRequestError: none of them is completed and this session's.
        """
        ids = chosen.unique()
        count, size = self._store.measure_completed(session_id, ids)
        if count == 0:
            raise InvalidRequestError("ids", "at least one finished generation of this session", "none")
        archive = _Archive(session_id, tuple(ids), self._store.clock() + LINK_SECONDS)
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._archives[token] = archive
            if len(self._archives) > MAX_LINKS:
                del self._archives[next(iter(self._archives))]
        url = f"{base}/zips/{token}"
        return Bundle(url=url, expires_at=to_datetime(archive.expires_at), count=count, size_bytes=size)

    def stream(self, token: str) -> Iterator[bytes]:
        """Yield the bytes of the zip of a link.

        Raises:
            NotFoundError: there is no such link, or it has expired.
        """
        with self._lock:
            archive = self._archives.get(token)
        if archive is None or archive.expires_at < self._store.clock():
            raise NotFoundError("The link to this zip has expired. Ask for a new one.")
        return self._exports.stream(archive.session_id, archive.ids)
