"""Stored files for an HTTP response, and the use case of signed links."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from videogen.core.errors import FileMissingError, NotFoundError
from videogen.core.in_use import InUse
from videogen.core.text import disposition, file_name
from videogen.db.tables import FileRow
from videogen.services.parts import Parts
from videogen.services.serializers import RENDER_AGAIN, export_name
from videogen.storage import FileVersion, Storage
from videogen.store.exports import FILE_KIND as EXPORT_KIND

LINK_SECONDS: Final = 600
"""How long a link to the bucket works, where browsers reach it: so long after the last request that we answered."""


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A stored file to be sent. Whoever gets it must call `close`."""

    version: FileVersion
    content_type: str
    name: str | None
    """The name under which a person saves it; None for previews and posters."""
    close: Callable[[], None]
    link_to: Callable[[str], str | None]
    """Makes a link to the bucket for a `Content-Disposition`; None where we send the file."""
    attached: bool = False
    """Whether a browser is to save it rather than to show it."""

    @property
    def disposition(self) -> str | None:
        """The `Content-Disposition`."""
        return disposition("attachment" if self.attached else "inline", self.name) if self.name is not None else None

    def link(self) -> str | None:
        """A link to the bucket. What pages show in numbers, previews and posters, is always sent by us."""
        return self.link_to(self.disposition) if self.disposition is not None else None


def open_stored(storage: Storage, key: str, content_type: str, name: str | None = None) -> ServedFile:
    """Open a stored file to send it.

    Raises:
        OSError: it cannot be read; FileNotFoundError: there is none.
    """
    version = storage.version(key)
    link_to = partial(storage.url, key, LINK_SECONDS, content_type)
    return ServedFile(version, content_type, name, version.close, link_to)


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
