"""The use cases of sharing: its owner makes, lists and revokes a link; whoever has the link sees one generation."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, cast

import anyio.to_thread

from videogen.core.clock import to_datetime
from videogen.core.errors import DeletedError, NotFoundError
from videogen.db.database import StoredEvent
from videogen.db.tables import GenerationRow
from videogen.live.hub import VISITORS, EncodedEvent, Hub, Subscription
from videogen.live.streams import EventStream
from videogen.schemas.generations import GenerationType
from videogen.schemas.sharing import Share, ShareCreate, ShareList
from videogen.schemas.status import Status
from videogen.services.public_view import POSTER, PREVIEW, RESULTS, PublicGeneration, public_generation, title
from videogen.services.stored_files import ServedFile, open_stored
from videogen.storage import Storage
from videogen.store import Opening, Shared, Store

PATH: Final = "/s/"
"""Below this, at the app's address, are all links."""


@dataclass(frozen=True, slots=True)
class SharedView:
    """What a link opens, for one request."""

    slug: str
    owner: str
    """The session that made the link; never told to a visitor."""
    indexable: bool
    expires_at: float | None
    shown: PublicGeneration
    slug_hash: str
    row: GenerationRow


class Shares:
    """Links to single generations. Every method but `stream` blocks on the database: call it from a thread."""

    def __init__(self, store: Store, hub: Hub, storage: Storage) -> None:
        self._store = store
        self._hub = hub
        self._storage = storage

    def share(self, session_id: str, generation_id: str, wanted: ShareCreate, base: str) -> Share:
        """Make a link, or change the one that there is: a generation has one, and it stays the same while it holds.

        Args:
            session_id: the owner.
            generation_id: what is to be seen; it may still be rendering.
            wanted: what was asked for; only fields that were sent change a link that there is.
            base: the public address of the app, without a slash at the end.

        Raises:
            NotFoundError: the generation is not this session's.
        """
        values: dict[str, Any] = {}
        if "indexable" in wanted.model_fields_set:
            values["indexable"] = wanted.indexable
        if "expires_in_seconds" in wanted.model_fields_set:
            seconds = wanted.expires_in_seconds
            values["expires_at"] = None if seconds is None else self._store.clock() + seconds
        made = self._store.put_share(session_id, generation_id, values)
        # Open streams hold until the old moment of expiry; they come back, and then know the new one.
        if "expires_at" in values:
            self._hub.end((VISITORS, generation_id))
        return _public(made, base)

    def revoke(self, session_id: str, generation_id: str) -> None:
        """End the generation's link at once, open streams included.

        Raises:
            NotFoundError: the generation is not this session's.
        """
        self._store.end_share(session_id, generation_id)
        self._hub.end((VISITORS, generation_id))

    def list(self, session_id: str, base: str) -> ShareList:
        """The session's links that hold."""
        return ShareList(items=[_public(one, base) for one in self._store.list_shares(session_id)])

    def find(self, slug: str) -> SharedView:
        """What a link opens.

        Raises:
            NotFoundError: there is no such link, or no longer.
            DeletedError: the link holds, but its generation was deleted.
        """
        share, row = self._store.find_share(slug)
        if row is None:
            raise DeletedError
        return SharedView(
            share.slug,
            share.session_id,
            share.indexable,
            share.expires_at,
            public_generation(row),
            share.slug_hash,
            row,
        )

    def checked(self, visit: SharedView) -> SharedView:
        """The same after a look at the files: what has gone from the data folder is not promised, and it is said."""
        row = visit.row
        gone = {file_id for file_id in (row.file_id, row.poster_file_id) if file_id and self._is_missing(row, file_id)}
        return replace(visit, shown=public_generation(row, gone)) if gone else visit

    def count_view(self, visit: SharedView, session_id: str | None) -> None:
        """Count a view by somebody other than the link's owner."""
        if session_id != visit.owner:
            self._store.count_view(visit.slug_hash)

    def open_file(self, visit: SharedView, name: str) -> ServedFile:
        """Open a file of a link by its name on the share page; the caller must close it.

        Raises:
            NotFoundError: the generation has no such file, or not yet, or not any more.
        """
        row = visit.row
        ids = {POSTER: row.poster_file_id, PREVIEW: row.preview_file_id, RESULTS.get(row.type): row.file_id}
        file_id = ids.get(name)
        file = self._store.shared_file(row.id, file_id) if file_id else None
        if file is None:
            raise NotFoundError
        try:
            return open_stored(self._storage, file.key, file.content_type)
        except OSError:
            raise NotFoundError from None

    def _is_missing(self, row: GenerationRow, file_id: str) -> bool:
        file = self._store.shared_file(row.id, file_id)
        return file is None or not self._storage.exists(file.key)

    async def stream(self, slug: str, last_event_id: int | None) -> EventStream | None:
        """Open the event stream of a link; None when there is nothing more to tell, ever.

        Raises:
            NotFoundError: there is no such link, or no longer.
            DeletedError: the link holds, but its generation was deleted.
        """
        visit = await anyio.to_thread.run_sync(self.find, slug)
        subscription = self._hub.subscribe(visit.owner, (VISITORS, visit.row.id))
        # Once more, now that nothing can happen unheard: it may have been revoked in between.
        opening = partial(self._opening, slug, last_event_id)
        try:
            visit, found = await anyio.to_thread.run_sync(opening)
        except BaseException:
            subscription.close()
            raise
        if not found.active and not found.backlog:
            subscription.close()
            return None
        left = None if visit.expires_at is None else visit.expires_at - self._store.clock()
        return _VisitorStream(self._hub, subscription, found, last_event_id, left)

    def _opening(self, slug: str, last_event_id: int | None) -> tuple[SharedView, Opening]:
        visit = self.find(slug)
        return visit, self._store.open_scope(visit.owner, ("generation", visit.row.id), last_event_id)


class _VisitorStream(EventStream):
    """Tells visitors what is meant for them, until the link expires."""

    __slots__ = ("_end",)

    def __init__(
        self, hub: Hub, subscription: Subscription, opening: Opening, last_event_id: int | None, seconds: float | None
    ) -> None:
        super().__init__(hub, subscription, opening, last_event_id)
        loop = asyncio.get_running_loop()
        self._end = None if seconds is None else loop.call_later(max(seconds, 0.0), subscription.close)

    def _encode(self, event: StoredEvent) -> EncodedEvent:
        return self._hub.encode_for_visitors(event)

    def close(self) -> None:
        """Stop listening. Idempotent."""
        if self._end is not None:
            self._end.cancel()
        super().close()


def _public(made: Shared, base: str) -> Share:
    share, row = made
    return Share(
        generation_id=row.id,
        slug=share.slug,
        url=f"{base}{PATH}{share.slug}",
        views=share.views,
        indexable=share.indexable,
        created_at=to_datetime(share.created_at),
        expires_at=None if share.expires_at is None else to_datetime(share.expires_at),
        type=cast(GenerationType, row.type),
        status=Status(row.status),
        title=title(row),
    )
