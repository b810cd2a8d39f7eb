"""Public links to generations: the owner makes, lists and revokes them; whoever has a link sees one generation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, cast

import anyio.to_thread

from videogen.core.clock import to_datetime
from videogen.core.errors import DeletedError, NotFoundError
from videogen.core.in_use import InUse
from videogen.db.tables import GenerationRow, ShareRow
from videogen.live.hub import VISITORS, Hub, Key
from videogen.live.streams import EventStream, open_stream
from videogen.schemas.generations import GenerationType
from videogen.schemas.sharing import Share, ShareCreate, ShareList
from videogen.schemas.status import Status
from videogen.services.media import ServedFile, held, open_stored
from videogen.services.public_view import POSTER, PREVIEW, RESULTS, PublicGeneration, public_generation, title
from videogen.storage import Storage
from videogen.store import Opening, Shared, Store

PATH: Final = "/s/"
"""The path of all links, below the public address of the app."""


@dataclass(frozen=True, slots=True)
class SharedView:
    """What a link shows, for one request."""

    share: ShareRow
    row: GenerationRow
    shown: PublicGeneration
    """All that a visitor may see of the two rows."""


class ShareService:
    """Manages links to generations. Every method but `stream` blocks on the database: call it from a thread."""

    def __init__(self, store: Store, hub: Hub, storage: Storage, in_use: InUse) -> None:
        self._store = store
        self._in_use = in_use
        self._hub = hub
        self._storage = storage

    def put(self, session_id: str, generation_id: str, create: ShareCreate, base: str) -> Share:
        """Make the link of a generation, or change its existing link, which keeps its address.

        Args:
            session_id: the owner.
            generation_id: the generation; it may still be rendering.
            create: the settings of the link; fields that were not sent do not change an existing link.
            base: the public address of the app, without a slash at the end.

        Raises:
            NotFoundError: the generation is not this session's.
        """
        values = create.model_dump(exclude_unset=True)
        if "expires_in_seconds" in values:
            seconds = values.pop("expires_in_seconds")
            values["expires_at"] = None if seconds is None else self._store.clock() + seconds
        shared = self._store.put_share(session_id, generation_id, values)
        # Open streams end at the old time of expiry. They are ended now; readers reconnect and get the new time.
        if "expires_at" in values:
            self._hub.end((VISITORS, generation_id))
        return _serialize(shared, base)

    def revoke(self, session_id: str, generation_id: str) -> None:
        """End the generation's link and its open streams at once.

        Raises:
            NotFoundError: the generation is not this session's.
        """
        self._store.end_share(session_id, generation_id)
        self._hub.end((VISITORS, generation_id))

    def list(self, session_id: str, base: str) -> ShareList:
        """The valid links of the session."""
        return ShareList(items=[_serialize(shared, base) for shared in self._store.list_shares(session_id)])

    def find(self, slug: str) -> SharedView:
        """What a link shows.

        Raises:
            NotFoundError: there is no such link, or it has ended.
            DeletedError: the link is valid, but its generation was deleted.
        """
        share, row = self._store.find_share(slug)
        if row is None:
            raise DeletedError
        self._in_use.note(row.id)
        return SharedView(share, row, public_generation(row))

    def without_missing_files(self, view: SharedView) -> SharedView:
        """The same view without links to files that are not in the storage any more, and with a note about them."""
        row = view.row
        missing = {
            file_id for file_id in (row.file_id, row.poster_file_id) if file_id and self._is_missing(row, file_id)
        }
        return replace(view, shown=public_generation(row, missing)) if missing else view

    def count_view(self, view: SharedView, session_id: str | None) -> None:
        """Count a view by somebody other than the link's owner."""
        if session_id != view.share.session_id:
            self._store.count_view(view.share.slug_hash)

    def open_file(self, view: SharedView, name: str) -> ServedFile:
        """Open a file of a link by its name on the share page; the caller must close it.

        Raises:
            NotFoundError: the generation does not have this file now.
        """
        row = view.row
        # A preview that is asked for when the video has just been finished has become the poster.
        preview = row.preview_file_id or row.poster_file_id
        ids = {POSTER: row.poster_file_id, PREVIEW: preview, RESULTS.get(row.type): row.file_id}
        try:
            file = self._store.shared_file(row.id, ids.get(name) or "")
            if file is None:
                raise NotFoundError
            return held(open_stored(self._storage, file.key, file.content_type), self._in_use, row.id)
        except OSError:
            raise NotFoundError from None

    def _is_missing(self, row: GenerationRow, file_id: str) -> bool:
        file = self._store.shared_file(row.id, file_id)
        return file is None or self._storage.is_lost(file.key)

    async def stream(self, slug: str, last_event_id: int | None) -> EventStream | None:
        """Open the event stream of a link; None if no event will ever come.

        Raises:
            NotFoundError: there is no such link, or it has ended.
            DeletedError: the link is valid, but its generation was deleted.
        """
        view = await anyio.to_thread.run_sync(self.find, slug)

        def open_scope(session_id: str, _key: Key, after: int | None) -> Opening:
            nonlocal view
            # Again after the subscription: the link may have been revoked in between.
            view = self.find(slug)
            return self._store.open_scope(session_id, ("generation", view.row.id), after)

        key = (VISITORS, view.row.id)
        stream = await open_stream(open_scope, self._hub, view.share.session_id, key, last_event_id)
        if stream is not None and view.share.expires_at is not None:
            stream.end_after(view.share.expires_at - self._store.clock())
        return stream


def _serialize(shared: Shared, base: str) -> Share:
    share, row = shared
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
