"""Exports finished generations as one zip, which is made while it is sent, and makes links to such zips."""

from __future__ import annotations

import hashlib
import secrets
import time
import zipfile
from collections.abc import Iterator, Sequence
from typing import Final

from videogen.core.clock import to_datetime
from videogen.core.errors import InvalidRequestError, NotFoundError
from videogen.core.in_use import InUse
from videogen.core.text import file_stem, numbered
from videogen.core.version import __version__
from videogen.db.tables import GenerationRow
from videogen.schemas.export_manifest import NAME, ExportedFile, ExportedGeneration, Manifest
from videogen.schemas.generations import Cost, ErrorInfo
from videogen.schemas.history import Bundle, Chosen
from videogen.schemas.status import Status
from videogen.storage import Storage
from videogen.store import Store
from videogen.store.progress import LAST_FRAME

CHUNK: Final = 256 * 1024
LINK_SECONDS: Final = 600.0
"""How long a link to a zip is valid."""
MAX_LINKS_PER_SESSION: Final = 10
"""Links that are valid at once. A further link ends the oldest."""
_ZIP: Final = "zip:"
_FOLDERS: Final = {"poster": "posters", "last_frame": "frames"}
"""Of the zip, by the field of the manifest."""


class ExportService:
    """Exports generations. Every method blocks on the disk and the database."""

    def __init__(self, store: Store, storage: Storage, in_use: InUse) -> None:
        self._store = store
        self._in_use = in_use
        self._storage = storage

    def create_link(self, session_id: str, chosen: Chosen, base: str) -> Bundle:
        """Make a link to a zip of these generations; `base` is the public address of the app.

        A browser downloads by following a link, which is too short for a thousand ids.

        Raises:
            InvalidRequestError: none of them is completed and this session's.
        """
        ids = chosen.unique()
        count, size = self._store.measure_completed(session_id, ids)
        if count == 0:
            raise InvalidRequestError("ids", "at least one finished generation of this session", "none")
        self._in_use.note(*ids)
        token, expires = secrets.token_urlsafe(24), self._store.clock() + LINK_SECONDS
        self._store.put_ticket(_ZIP + token, ids, expires, session_id)
        self._store.limit_tickets(session_id, MAX_LINKS_PER_SESSION)
        return Bundle(url=f"{base}/zips/{token}", expires_at=to_datetime(expires), count=count, size_bytes=size)

    def open_link(self, token: str) -> tuple[str, Iterator[bytes]]:
        """The file name of the zip of a link, such as `calm-lake-and-2-more.zip`, and its bytes in chunks.

        Raises:
            NotFoundError: there is no such link, or it has expired.
        """
        session_id, ids = self._link(token)
        titles = self._store.completed_titles(session_id, ids)
        first = file_stem(titles[0] if titles else "", "videogen")
        name = f"{first.rstrip('_')}-and-{len(titles) - 1}-more" if len(titles) > 1 else first
        return f"{name}.zip", self.stream(session_id, ids)

    def owner(self, token: str) -> str:
        """The session of a link. Raises NotFoundError as `open_link`."""
        return self._link(token)[0]

    def _link(self, token: str) -> tuple[str, list[str]]:
        row = self._store.get_ticket(_ZIP + token)
        if row is None or row.session_id is None:
            raise NotFoundError("The link to this zip has expired. Ask for a new one.")
        return row.session_id, row.value

    def stream(self, session_id: str, ids: Sequence[str] | None = None) -> Iterator[bytes]:
        """Yield the bytes of the zip in chunks. Only the manifest is kept in memory.

        Args:
            session_id: the owner.
            ids: export only these generations, with readable file names; None: all, with their ids as file names.
        """
        with self._in_use.hold(*([session_id] if ids is None else ids)):
            yield from self._stream(session_id, ids)

    def _stream(self, session_id: str, ids: Sequence[str] | None) -> Iterator[bytes]:
        buffer, exported, missing, stems = _ZipBuffer(), list[ExportedGeneration](), 0, set[str]()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for row, files, origin in self._store.iter_finished(session_id, ids):
                entry, by_id = _manifest_entry(row, origin), {file.id: file for file in files}
                stem = entry.id if ids is None else _readable_stem(entry, stems)
                last = next((file.id for file in files if ids is None and file.kind == LAST_FRAME), None)
                for field, file_id in (("result", row.file_id), ("poster", row.poster_file_id), ("last_frame", last)):
                    file = by_id.get(file_id or "")
                    if file is None:
                        continue
                    try:
                        source = self._storage.open(file.key)
                    except FileNotFoundError:
                        continue
                    folder = f"{entry.type}s" if field == "result" else _FOLDERS[field]
                    path = f"{folder}/{stem}.{file.key.rpartition('.')[2]}"
                    digest, size = hashlib.sha256(), 0
                    with source, archive.open(_zip_info(path, row.updated_at), "w", force_zip64=True) as target:
                        while chunk := source.read(CHUNK):
                            target.write(chunk)
                            digest.update(chunk)
                            size += len(chunk)
                            yield buffer.drain()
                    exported_file = ExportedFile(path=path, sha256=digest.hexdigest(), size_bytes=size)
                    entry = entry.model_copy(update={field: exported_file})
                if entry.status == "completed" and entry.result is None:
                    missing += 1  # its file is not in the storage any more
                    continue
                exported.append(entry)
            left_out = missing + self._store.count_active(session_id) if ids is None else len(ids) - len(exported)
            # The manifest comes last: only now it is known which files could be read.
            archive.writestr(_zip_info(NAME, self._store.clock()), self._manifest(exported, left_out))
        yield buffer.drain()

    def _manifest(self, exported: list[ExportedGeneration], left_out: int) -> bytes:
        now = to_datetime(self._store.clock())
        manifest = Manifest(exported_at=now, app_version=__version__, left_out=left_out, generations=exported)
        return manifest.model_dump_json(by_alias=True, indent=1).encode()


class _ZipBuffer:
    """A file object that keeps what is written to it until `drain` takes it out. It cannot seek."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._chunks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def drain(self) -> bytes:
        data = b"".join(self._chunks)
        self._chunks.clear()
        return data


def _zip_info(path: str, seconds: float) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, time.gmtime(max(seconds, 315_532_800))[:6])  # zip has no earlier years than 1980
    info.external_attr = 0o644 << 16
    return info


def _readable_stem(entry: ExportedGeneration, used: set[str]) -> str:
    """The name of its files without ending, from its title or prompt; no other of this zip has it."""
    stems = numbered(file_stem(entry.title or entry.prompt, entry.type))
    # Systems that ignore case would write one file over the other.
    stem = next(stem for stem in stems if stem.casefold() not in used)
    used.add(stem.casefold())
    return stem


def _manifest_entry(row: GenerationRow, origin: str | None) -> ExportedGeneration:
    failed = row.status != Status.COMPLETED and row.error_code is not None
    error = ErrorInfo(code=row.error_code or "", message=row.error_message or "", retryable=bool(row.error_retryable))
    names = ExportedGeneration.model_fields.keys() & GenerationRow.model_fields.keys()
    values = {name: getattr(row, name) for name in names}
    for name in ("created_at", "started_at", "finished_at"):
        values[name] = None if values[name] is None else to_datetime(values[name])
    values["cost"] = Cost.model_validate(row.cost) if row.cost else None
    # No validation: the values were validated before they were stored.
    return ExportedGeneration.model_construct(
        **values
        | {
            "id": origin or row.id,
            "error": error if failed else None,
            "result": None,
            "poster": None,
            "last_frame": None,
        }
    )
