"""Stored files for an HTTP response, and the use case of signed links."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from videogen.core.errors import FileMissingError, NotFoundError
from videogen.core.in_use import InUse
from videogen.core.text import file_name
from videogen.db.tables import FileRow
from videogen.services.parts import Parts
from videogen.services.serializers import RENDER_AGAIN, export_name
from videogen.storage import Storage
from videogen.store.exports import FILE_KIND as EXPORT_KIND


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A local copy of a stored file. Whoever gets it must call `close`."""

    path: Path
    """Stands for the opened file: it has the same bytes until `close`, whatever happens to the stored file."""
    status: os.stat_result
    content_type: str
    name: str | None
    """The name under which a person saves it; None for previews and posters."""
    close: Callable[[], None]
    attached: bool = False
    """Whether a browser is to save it rather than to show it."""


def open_stored(storage: Storage, key: str, content_type: str, name: str | None = None) -> ServedFile:
    """Open a stored file to send it.

    Raises:
        OSError: it cannot be read; FileNotFoundError: there is none.
    """
    with ExitStack() as stack:
        path = stack.enter_context(storage.local_copy(key))
        # A preview may be replaced by the next one between its size and its bytes.
        descriptor = stack.enter_context(path.open("rb")).fileno()
        opened = Path(f"/dev/fd/{descriptor}")
        return ServedFile(opened, os.fstat(descriptor), content_type, name, stack.pop_all().close)


def held(file: ServedFile, in_use: InUse, generation_id: str) -> ServedFile:
    """The same file; its generation is in use until it is closed."""
    in_use.note(generation_id)
    with ExitStack() as stack:
        stack.callback(file.close)
        stack.enter_context(in_use.hold(generation_id))
        return replace(file, close=stack.pop_all().close)


class MediaService:
    """Files by signed link. Its method blocks on the database: call it from a thread, never in the event loop."""

    def __init__(self, parts: Parts) -> None:
        self._signer, self._store, self._storage = parts.signer, parts.store, parts.storage
        self._in_use = parts.in_use

    def open(self, file_id: str, expires: str, signature: str) -> ServedFile:
        """The file of a signed link.

        Raises:
            NotFoundError: the signature is wrong or has expired, or the file was deleted.
            FileMissingError: the file is gone from the storage.
        """
        if not self._signer.verify(file_id, expires, signature, self._store.clock()):
            raise NotFoundError
        file, title = self._store.get_media(file_id)
        row = file if isinstance(file, FileRow) else None
        is_export, ending = row is not None and row.kind == EXPORT_KIND, file.key.rpartition(".")[2]
        used = row if row is not None and (is_export or row.kind in ("video", "image")) else None
        name = None
        if used is not None:
            name = export_name(title, used.generation_id, ending) if is_export else file_name(title, ending)
        try:
            opened = replace(open_stored(self._storage, file.key, file.content_type, name), attached=is_export)
            # The list shows posters and previews, which is no use of what they stand for.
            return opened if used is None else held(opened, self._in_use, used.generation_id)
        except OSError:
            kind, advice = (file.kind, RENDER_AGAIN) if isinstance(file, FileRow) else ("image", "Upload it again.")
            raise FileMissingError(f"The {kind} is gone from the data folder. {advice}") from None
