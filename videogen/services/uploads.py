"""Input images of generations: uploads, and finished stills."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

from pydantic.alias_generators import to_camel
from sqlalchemy.exc import IntegrityError

from videogen.core.errors import (
    FileInUseError,
    InvalidRequestError,
    NotFoundError,
    SessionRequiredError,
    StorageError,
)
from videogen.core.security import new_id
from videogen.db.backend import is_missing_reference
from videogen.db.tables import UploadRow
from videogen.schemas.generations import File
from videogen.services.serializers import Serializer
from videogen.storage import Storage
from videogen.store import Store

if TYPE_CHECKING:
    from videogen.media.sanitize import CleanImage


MAX_UPLOADS: Final = 50
"""Images of one session. A further upload removes the oldest that no generation uses."""
KEY_PREFIX: Final = "uploads"


@dataclass(frozen=True, slots=True)
class InputImage:
    """An image that a generation can start from: its storage key, and the SHA-256 of its bytes in hexadecimal."""

    file: File
    key: str
    digest: str
    upload_id: str | None
    """None for a finished still; it becomes an upload when a generation starts from it."""


class UploadService:
    """Stores and finds input images. Every method blocks: call it from a thread."""

    def __init__(self, store: Store, storage: Storage, serializer: Serializer) -> None:
        self._store, self._storage, self._serializer = store, storage, serializer

    def create(self, session_id: str, source: BinaryIO) -> File:
        """Sanitize and store an uploaded picture; it is durable on return.

        Raises:
            UnsupportedMediaTypeError, InvalidRequestError: see `media.sanitize.clean_image`.
            LimitExceededError: the session has `MAX_UPLOADS` images, and generations use all of them.
            StorageError: the disk is full or cannot be written.
        """
        # Imported here: it loads numpy and av, which take long to import.
        from videogen.media.sanitize import clean_image

        image = clean_image(source)
        row = self._row(session_id, image.digest, image.suffix, image)
        return self._serializer.file(self._store_upload(row, partial(self._storage.put, image.data)))

    def get(self, session_id: str, file_id: str) -> File:
        """An image of this session, with a new link. Raises NotFoundError if this session has none."""
        return self._find(session_id, file_id).file

    def delete(self, session_id: str, file_id: str) -> None:
        """Delete an uploaded image of this session, for good.

        Raises:
            NotFoundError: this session has none.
            FileInUseError: a generation starts from it, or it is the result of one.
            StorageError: the disk cannot be written.
        """
        try:
            row = self._store.delete_upload(session_id, file_id)
        except NotFoundError:
            self._store.get_still(session_id, file_id)
            raise FileInUseError from None
        self._storage.delete(row.key)

    def find_input(self, session_id: str, file_id: str, field: str = "input_file_id") -> InputImage:
        """The image that a field of a request names: an upload or a finished still.

        Raises:
            InvalidRequestError: there is none, or it is another session's; the error does not say which.
        """
        try:
            return self._find(session_id, file_id)
        except (NotFoundError, OSError):
            raise InvalidRequestError(to_camel(field), "the id of an image of this session", file_id) from None

    def find_same(self, session_id: str, digest: str) -> str | None:
        """The id of an uploaded image of this session by the SHA-256 of its bytes; None if there is none."""
        row = self._store.find_upload(session_id, digest)
        return row.id if row is not None and self._storage.exists(row.key) else None

    def ensure_upload(self, session_id: str, image: InputImage) -> str:
        """The id of an upload with this image. A still is copied, since the generation that made it may be deleted.

        Raises:
            LimitExceededError, StorageError: the copy cannot be stored.
        """
        if image.upload_id is not None:
            return image.upload_id
        row = self._row(session_id, image.digest, image.key.rpartition(".")[2], image.file)
        return self._store_upload(row, partial(self._storage.copy, image.key)).id

    def _find(self, session_id: str, file_id: str) -> InputImage:
        try:
            row = self._store.get_upload(session_id, file_id)
        except NotFoundError:
            return self._still(session_id, file_id)
        if self._storage.is_lost(row.key):
            raise NotFoundError
        return InputImage(self._serializer.file(row), row.key, row.digest, row.id)

    def _still(self, session_id: str, file_id: str) -> InputImage:
        file, generation = self._store.get_still(session_id, file_id)
        try:
            with self._storage.open(file.key) as stored:
                digest = hashlib.file_digest(stored, "sha256").hexdigest()
        except OSError:
            raise NotFoundError from None
        serialized = self._serializer.file(file, generation.width, generation.height)
        return InputImage(serialized, file.key, digest, None)

    def _row(self, session_id: str, digest: str, suffix: str, image: CleanImage | File) -> UploadRow:
        return UploadRow(
            id=(upload_id := new_id("fil")),
            session_id=session_id,
            digest=digest,
            key=f"{KEY_PREFIX}/{upload_id}.{suffix}",
            content_type=image.content_type,
            width=image.width,
            height=image.height,
            size_bytes=0,  # known when it is stored
            created_at=self._store.clock(),
        )

    def _forget(self, row: UploadRow) -> None:
        """Delete the file of a row that was not stored. It stays where that cannot be known: a connection that breaks
        at a commit does not say."""
        with suppress(StorageError):
            try:
                self._store.get_upload(row.session_id, row.id)
            except NotFoundError:
                self._storage.delete(row.key)

    def _store_upload(self, row: UploadRow, store: Callable[[str], int]) -> UploadRow:
        """Store the file, then the row, so that no row lacks its file. The same image again gives the existing row.

        `store` stores the file under a key, and returns its size.
        """
        row.size_bytes = store(row.key)
        try:
            stored, removed = self._store.add_upload(row, MAX_UPLOADS)
        except BaseException as problem:
            self._forget(row)
            if isinstance(problem, IntegrityError) and is_missing_reference(problem):
                raise SessionRequiredError from None
            raise
        if stored.key != row.key:
            if not self._storage.exists(stored.key):
                store(stored.key)
            self._storage.delete(row.key)
        for old in removed:
            self._storage.delete(old.key)
        return stored
