"""An export, brought in: all or nothing, and nothing twice. No word of the zip is believed: it may be anybody's."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, cast

import orjson
from PIL import Image
from pydantic import ValidationError

from videogen.core.errors import NotAnExportError, StorageError
from videogen.core.security import new_id
from videogen.core.validation import faults
from videogen.db.tables import FileRow, GenerationRow, ProjectRow
from videogen.media import BrokenMediaError, probe
from videogen.schemas.export_manifest import (
    FORMAT,
    MAX_BYTES,
    MAX_ENTRIES,
    NAME,
    VERSION,
    ExportedFile,
    ExportedGeneration,
    Manifest,
)
from videogen.schemas.portability import Imported
from videogen.storage.disk import DiskStorage
from videogen.store import Store
from videogen.store.portability import Arrival

CHUNK: Final = 256 * 1024
MAX_RATIO: Final = 200
"""How much larger than its packed form a file may be: videos and pictures hardly shrink at all."""
_TYPES: Final = {"mp4": "video/mp4", "png": "image/png", "jpg": "image/jpeg"}
_PICTURES: Final = {"png": "PNG", "jpg": "JPEG"}


class Imports:
    """Takes exports in. Every method blocks on the disk and the database."""

    def __init__(self, store: Store, storage: DiskStorage, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._store = store
        self._storage = storage
        self._folder = storage.root / "imports"
        # Nobody else works on this folder: what is there was cut short.
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """A folder of its own for one import, gone afterwards; the zip goes to `upload.zip` in it.

        Raises:
            StorageError: it cannot be made.
        """
        folder = self._folder / secrets.token_hex(8)
        try:
            folder.mkdir(parents=True)
        except OSError as problem:
            raise StorageError(f"The import could not be begun: {problem.strerror}.") from problem
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def take(self, session_id: str, folder: Path) -> Imported:
        """Bring in `upload.zip` of this folder.

        Raises:
            NotAnExportError: it is none, is damaged, or is made to do harm; says what is wrong. Nothing was imported.
            StorageError: the disk is full or cannot be written. Nothing was imported.
        """
        placed: list[str] = []
        try:
            with _opened(folder / "upload.zip") as archive:
                _check(archive, self.max_bytes)
                manifest = _manifest(archive)
                known = self._store.known_origins(session_id)
                fresh = [entry for entry in manifest.generations if entry.id not in known]
                unpacked = [(entry, _unpack(archive, entry, folder)) for entry in fresh]
            arrivals = [self._place(session_id, entry, files, placed) for entry, files in unpacked]
            brought = self._store.bring_in(session_id, arrivals) if arrivals else []
            back = self._store.restore_origins(session_id, [entry.id for entry in manifest.generations])
        except BaseException:
            for generation_id in placed:
                self._storage.remove(generation_id)
            raise
        for generation_id in set(placed) - set(brought):
            self._storage.remove(generation_id)
        came = [*back, *brought]
        return Imported(imported=len(came), known=len(manifest.generations) - len(came), generation_ids=came)

    def _place(self, session_id: str, entry: ExportedGeneration, files: dict[str, Path], placed: list[str]) -> Arrival:
        """Put the files of one in their place, and make its rows."""
        now = self._store.clock()
        project, generation = _rows(session_id, entry, now)
        rows = []
        for kind, path in files.items():
            placed.append(generation.id)
            ending = path.suffix[1:]
            key = f"{generation.id}/a0-{kind}.{ending}"
            size = self._storage.put(path, key)
            row = FileRow(
                id=new_id("fil"),
                session_id=session_id,
                generation_id=generation.id,
                kind=kind,
                key=key,
                content_type=_TYPES[ending],
                size_bytes=size,
                created_at=now,
            )
            rows.append(row)
            if kind == "poster":
                generation.poster_file_id = row.id
            else:
                generation.file_id, generation.size_bytes = row.id, size
        return Arrival(entry.id, project, generation, tuple(rows))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError) as problem:
        raise NotAnExportError(
            f"Expected a whole zip of `export`, got one that cannot be read ({problem})."
        ) from problem


def _check(archive: zipfile.ZipFile, max_bytes: int) -> None:
    """Refuse by the table of contents what need not be unpacked to be refused."""
    found = archive.infolist()
    names = [info.filename for info in found]
    if NAME not in names:
        raise NotAnExportError(
            f"Expected a zip with {NAME} in it, got one without. Only exports of videogen can be imported."
        )
    if len(found) > 2 * MAX_ENTRIES + 1 or len(set(names)) < len(names):
        raise NotAnExportError(f"Expected at most {2 * MAX_ENTRIES + 1} files, each name once, got {len(found)}.")
    for info in found:
        parts = info.filename.split("/")
        if info.filename.startswith("/") or "\\" in info.filename or ".." in parts or ":" in parts[0]:
            raise NotAnExportError(f"Expected plain file names, got {info.filename[:100]!r}.")
        if info.flag_bits & 0x1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NotAnExportError(f"{info.filename[:100]}: expected a file without a password, stored or deflated.")
        if info.file_size > MAX_RATIO * (info.compress_size + 1024):
            raise NotAnExportError(
                f"{info.filename[:100]}: expected a file that unpacks to what it is, got {info.file_size} bytes out of "
                f"{info.compress_size}."
            )
    if (total := sum(info.file_size for info in found)) > max_bytes:
        raise NotAnExportError(
            f"Expected at most {max_bytes} bytes when unpacked (VIDEOGEN_MAX_IMPORT_MB), got {total}."
        )


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    info = archive.getinfo(NAME)
    if info.file_size > MAX_BYTES:
        raise NotAnExportError(f"{NAME}: expected at most {MAX_BYTES} bytes, got {info.file_size}.")
    try:
        told = orjson.loads(archive.read(info))
    except ValueError as problem:
        raise NotAnExportError(f"{NAME}: expected JSON, got something else ({problem}).") from problem
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise NotAnExportError(f'{NAME}: expected "format": "{FORMAT}", got another.')
    version = told.get("version")
    if isinstance(version, int) and version > VERSION:
        raise NotAnExportError(f"{NAME}: expected version {VERSION}, got {version}. Import it into a newer videogen.")
    try:
        manifest = Manifest.model_validate(told)
    except ValidationError as problem:
        first = faults(problem)[0]
        raise NotAnExportError(f"{NAME}: {first['field']}: expected {first['expected']}, got {first['got']}.") from None
    ids = [entry.id for entry in manifest.generations]
    if len(set(ids)) < len(ids):
        raise NotAnExportError(f"{NAME}: expected each generation once.")
    return manifest


def _unpack(archive: zipfile.ZipFile, entry: ExportedGeneration, folder: Path) -> dict[str, Path]:
    """The files of one generation, by kind, each checked to be what it is said to be."""
    if (entry.status == "completed") != (entry.result is not None):
        raise NotAnExportError(f"{NAME}: {entry.id}: expected a result where it is completed, and only there.")
    found: dict[str, Path] = {}
    for kind, told in ((entry.type, entry.result), ("poster", entry.poster)):
        if told is None:
            continue
        # A name of ours: nothing in the zip decides where anything is written.
        path = folder / f"{len(list(folder.iterdir()))}.{told.path.rpartition('.')[2]}"
        _extract(archive, told, path)
        _check_media(told, path, is_video=kind == "video")
        found[kind] = path
    return found


def _extract(archive: zipfile.ZipFile, told: ExportedFile, path: Path) -> None:
    digest = hashlib.sha256()
    try:
        info = archive.getinfo(told.path)
    except KeyError:
        raise NotAnExportError(f"{told.path}: the manifest names it, and it is not there.") from None
    try:
        with archive.open(info) as source, path.open("wb") as target:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
    except OSError as problem:
        raise StorageError(f"The import could not be unpacked: {problem.strerror}.") from problem
    if path.stat().st_size != told.size_bytes or digest.hexdigest() != told.sha256:
        raise NotAnExportError(f"{told.path}: expected the bytes that the manifest tells of, got others.")


def _check_media(told: ExportedFile, path: Path, *, is_video: bool) -> None:
    try:
        if is_video:
            if path.suffix != ".mp4":
                raise NotAnExportError(f"{told.path}: expected an MP4.")
            probe(path)
            return
        if path.suffix[1:] not in _PICTURES:
            raise NotAnExportError(f"{told.path}: expected a PNG or a JPEG.")
        with Image.open(cast(BinaryIO, path), formats=[_PICTURES[path.suffix[1:]]]) as image:
            image.verify()
    except BrokenMediaError as problem:
        raise NotAnExportError(f"{told.path}: expected a whole video, got something else.") from problem
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as problem:
        raise NotAnExportError(f"{told.path}: expected a whole picture, got something else.") from problem


def _rows(session_id: str, entry: ExportedGeneration, now: float) -> tuple[ProjectRow, GenerationRow]:
    def moment(value: datetime | None) -> float | None:
        return None if value is None else min(max(value.timestamp(), 0.0), now)

    created = moment(entry.created_at) or now
    project = ProjectRow(
        id=new_id("prj"), session_id=session_id, request_id=new_id("req"), body_hash="", created_at=created
    )
    copied = entry.model_dump(exclude={"id", "error", "result", "poster", "created_at", "started_at", "finished_at"})
    error = entry.error if entry.status != "completed" else None
    generation = GenerationRow(
        **copied,
        id=new_id("gen"),
        session_id=session_id,
        project_id=project.id,
        request_id=project.request_id,
        # Not the other app's recipe: it goes to an engine as it is. A retry makes its own from the settings.
        recipe={},
        progress=100.0 if entry.status == "completed" else 0.0,
        stage=entry.status,
        error_code=error.code[:100] if error else None,
        error_message=error.message[:2000] if error else None,
        error_retryable=error.retryable if error else None,
        created_at=created,
        started_at=moment(entry.started_at),
        updated_at=now,
        finished_at=moment(entry.finished_at) or now,
    )
    return project, generation
