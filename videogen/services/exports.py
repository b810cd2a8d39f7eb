"""Everything that a session has finished, as one zip that is made while it is sent."""

from __future__ import annotations

import hashlib
import re
import time
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from typing import Final

from videogen.core.clock import to_datetime
from videogen.core.version import __version__
from videogen.db.tables import GenerationRow
from videogen.schemas.export_manifest import NAME, ExportedFile, ExportedGeneration, Manifest
from videogen.schemas.generations import ErrorInfo
from videogen.schemas.status import Status
from videogen.storage import Storage
from videogen.store import Store

CHUNK: Final = 256 * 1024


class Exports:
    """Makes exports."""

    def __init__(self, store: Store, storage: Storage) -> None:
        self._store = store
        self._storage = storage

    def stream(self, session_id: str, ids: Sequence[str] | None = None) -> Iterator[bytes]:
        """The bytes of the zip, in pieces. Blocks on the disk; nothing is kept in memory but the manifest.

        With `ids` only these generations are in it, their files under names that say what they show.
        Videos and posters come first, each stored as it is, the manifest last: it tells what really went along.
        """
        sink, told, gone = _Sink(), list[ExportedGeneration](), 0
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for row, files, origin in self._store.iter_finished(session_id, ids):
                entry, kept = _entry(row, origin), {file.id: file for file in files}
                for field, file_id in (("result", row.file_id), ("poster", row.poster_file_id)):
                    file = kept.get(file_id or "")
                    if file is None:
                        continue
                    try:
                        source = self._storage.open(file.key)
                    except FileNotFoundError:
                        continue
                    folder = f"{entry.type}s" if field == "result" else "posters"
                    path = f"{folder}/{_stem(entry, named=ids is not None)}.{file.key.rpartition('.')[2]}"
                    digest, size = hashlib.sha256(), 0
                    with source, archive.open(_info(path, row.updated_at), "w", force_zip64=True) as target:
                        while chunk := source.read(CHUNK):
                            target.write(chunk)
                            digest.update(chunk)
                            size += len(chunk)
                            yield sink.take()
                    made = ExportedFile(path=path, sha256=digest.hexdigest(), size_bytes=size)
                    entry = entry.model_copy(update={field: made})
                if entry.status == "completed" and entry.result is None:
                    gone += 1  # its file is gone from the data folder
                    continue
                told.append(entry)
            left_out = gone + self._store.count_active(session_id) if ids is None else len(ids) - len(told)
            archive.writestr(_info(NAME, self._store.clock()), self._manifest(told, left_out))
        yield sink.take()

    def _manifest(self, told: list[ExportedGeneration], left_out: int) -> bytes:
        now = to_datetime(self._store.clock())
        manifest = Manifest(exported_at=now, app_version=__version__, left_out=left_out, generations=told)
        return manifest.model_dump_json(by_alias=True, indent=1).encode()


class _Sink:
    """Takes what the zip writer writes, until it is fetched. It cannot seek, and need not."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _info(path: str, seconds: float) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, time.gmtime(max(seconds, 315_532_800))[:6])  # zip begins in 1980
    info.external_attr = 0o644 << 16
    return info


def _stem(entry: ExportedGeneration, *, named: bool) -> str:
    """The name of its files without their ending: plain letters, digits and dashes, as the manifest allows them."""
    if not named:
        return entry.id
    words = re.findall(r"[a-z0-9]+", unicodedata.normalize("NFKD", entry.title or entry.prompt).lower())
    return f"{'-'.join(words)[:60].strip('-') or entry.type}-{entry.id[-8:]}"


def _entry(row: GenerationRow, origin: str | None) -> ExportedGeneration:
    failed = row.status != Status.COMPLETED and row.error_code is not None
    error = ErrorInfo(code=row.error_code or "", message=row.error_message or "", retryable=bool(row.error_retryable))
    names = ExportedGeneration.model_fields.keys() & GenerationRow.model_fields.keys()
    values = {name: getattr(row, name) for name in names}
    for name in ("created_at", "started_at", "finished_at"):
        values[name] = None if values[name] is None else to_datetime(values[name])
    # Without checks: what is in the database was checked when it came in.
    return ExportedGeneration.model_construct(
        **values | {"id": origin or row.id, "error": error if failed else None, "result": None, "poster": None}
    )
