"""Images that generations start from: taken in, kept, found again, and swept when nobody uses them."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import BinaryIO, Final

from sqlalchemy.exc import IntegrityError

from videogen.core.errors import InvalidRequestError, NotFoundError, SessionRequiredError, StorageError
from videogen.core.security import new_id
from videogen.db.tables import UploadRow
from videogen.schemas.generations import File
from videogen.services.serializers import Serializer
from videogen.storage import Storage
from videogen.store import Store

logger = logging.getLogger(__name__)

MAX_UPLOADS: Final = 50
"""Images that one session may keep; the oldest that no generation starts from makes room for the next."""
IDLE_SECONDS: Final = 24 * 3600.0
"""How long an image is kept that no generation starts from."""
FOLDER: Final = "uploads"


@dataclass(frozen=True, slots=True)
class Source:
    """What a generation may start from: its file's place in the storage, and the SHA-256 of its bytes."""

    file: File
    key: str
    digest: str
    upload_id: str | None
    """None for a finished still, which becomes an upload once a generation starts from it."""


class Uploads:
    """The use cases around input images. All of it blocks: call it from a thread."""

    def __init__(self, store: Store, storage: Storage, presenter: Serializer) -> None:
        self._store, self._storage, self._presenter = store, storage, presenter

    def take(self, session_id: str, source: BinaryIO) -> File:
        """Keep a stranger's picture; it is durable on return.

        Raises:
            UnsupportedMediaTypeError, InvalidRequestError: see `media.intake.clean_image`.
            LimitExceededError: the session keeps as many as it may, all in use.
            StorageError: the disk is full or cannot be written.
        """
        # Imported here: it pulls numpy and av, which most of this process does without.
        from videogen.media.sanitize import clean_image

        image = clean_image(source)
        row = UploadRow(
            id=(upload_id := new_id("fil")),
            session_id=session_id,
            digest=image.digest,
            key=f"{FOLDER}/{upload_id}.{image.suffix}",
            content_type=image.content_type,
            width=image.width,
            height=image.height,
            size_bytes=len(image.data),
            created_at=self._store.clock(),
        )
        return self._presenter.file(self._keep(row, image.data))

    def get(self, session_id: str, file_id: str) -> File:
        """An image of this session, with a fresh link. Raises NotFoundError where it is not this session's."""
        return self._source(session_id, file_id).file

    def find(self, session_id: str, file_id: str) -> Source:
        """What `inputFileId` names: an upload, or a finished still.

        Raises:
            InvalidRequestError: it is not this session's, or its bytes are gone; nobody can tell which.
        """
        try:
            return self._source(session_id, file_id)
        except (NotFoundError, OSError):
            raise InvalidRequestError("inputFileId", "the id of an image of this session", file_id) from None

    def adopt(self, session_id: str, source: Source) -> str:
        """The upload that a generation is to name, so that its image stays while the generation does.

        A still is copied: the generation that made it may be deleted. Raises LimitExceededError and StorageError.
        """
        if source.upload_id is not None:
            return source.upload_id
        file = source.file
        with self._storage.open(source.key) as stored:
            data = stored.read()
        row = UploadRow(
            id=(upload_id := new_id("fil")),
            session_id=session_id,
            digest=source.digest,
            key=f"{FOLDER}/{upload_id}.{source.key.rpartition('.')[2]}",
            content_type=file.content_type,
            width=file.width,
            height=file.height,
            size_bytes=len(data),
            created_at=self._store.clock(),
        )
        return self._keep(row, data).id

    def begin(self) -> None:
        """At the start of the server: sweep. Where the disk does not let it, the next start will."""
        try:
            swept = self.sweep()
        except (StorageError, OSError) as problem:
            logger.warning("Uploaded images that nothing uses could not be swept: %s", problem)
            return
        if swept:
            logger.info("%d uploaded images that nothing uses were removed.", swept)

    def sweep(self) -> int:
        """Remove what no generation has started from for a day, and writes that were cut short; return how many.

        For the start of the server: nobody may be uploading. A whole file that no row tells of stays: with a database
        that was restored from a backup it may be somebody's.
        """
        swept = self._store.sweep_uploads(self._store.clock() - IDLE_SECONDS)
        for row in swept:
            self._storage.delete(row.key)
        return len(swept)

    def _source(self, session_id: str, file_id: str) -> Source:
        try:
            row = self._store.get_upload(session_id, file_id)
        except NotFoundError:
            return self._still(session_id, file_id)
        if not self._storage.exists(row.key):
            raise NotFoundError
        return Source(self._presenter.file(row), row.key, row.digest, row.id)

    def _still(self, session_id: str, file_id: str) -> Source:
        file, generation = self._store.get_still(session_id, file_id)
        try:
            with self._storage.open(file.key) as stored:
                digest = hashlib.file_digest(stored, "sha256").hexdigest()
        except OSError:
            raise NotFoundError from None
        shown = self._presenter.file(file, generation.width, generation.height)
        return Source(shown, file.key, digest, None)

    def _keep(self, row: UploadRow, data: bytes) -> UploadRow:
        """Bytes first, then the row: a row never tells of a file that is not there."""
        self._storage.put(data, row.key)
        try:
            stored, removed = self._store.add_upload(row, MAX_UPLOADS)
        except IntegrityError:
            self._storage.delete(row.key)
            raise SessionRequiredError from None
        except BaseException:
            self._storage.delete(row.key)
            raise
        if stored.key != row.key:
            if not self._storage.exists(stored.key):
                self._storage.put(data, stored.key)
            self._storage.delete(row.key)
        for old in removed:
            self._storage.delete(old.key)
        return stored
