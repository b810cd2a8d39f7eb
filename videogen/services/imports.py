"""Imports the zip of an export: all of it or nothing, and each generation once."""

from __future__ import annotations

import logging
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from videogen.core.errors import ModerationRefusedError, StorageError
from videogen.core.security import new_id
from videogen.core.text import shorten
from videogen.db.tables import FileRow, GenerationRow, ProjectRow
from videogen.jobs.moderation import Item, Moderator
from videogen.media.types import CONTENT_TYPES
from videogen.schemas.export_manifest import ExportedFile, ExportedGeneration
from videogen.schemas.portability import Imported
from videogen.services import import_archive
from videogen.services.storage_limits import StorageLimits
from videogen.storage import DataFolder, Storage
from videogen.store import Store
from videogen.store.portability import ImportedGeneration, KnownGeneration
from videogen.store.progress import LAST_FRAME

logger = logging.getLogger(__name__)
_Unpacked = list[tuple[ExportedGeneration, dict[str, Path]]]
"""Entries with the paths of their unpacked files, by kind."""


class ImportService:
    """Imports exports. Every method blocks on the disk and the database."""

    def __init__(
        self,
        store: Store,
        storage: Storage,
        data_folder: DataFolder,
        max_bytes: int,
        storage_limits: StorageLimits,
        moderator: Moderator | None = None,
    ) -> None:
        """`moderator` is asked before anything is imported."""
        self.max_bytes, self._moderator = max_bytes, moderator or Moderator()
        self._store = store
        self._storage = storage
        self._storage_limits = storage_limits
        self._data_folder = data_folder
        self._folder = data_folder.root / "imports"
        # Only this process uses the folder, so what it contains is left from a crash.
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def upload_folder(self) -> Iterator[Path]:
        """A new folder for one import, removed afterwards. The caller writes the zip to `upload.zip` in it.

        Raises:
            StorageError: the folder cannot be made.
        """
        folder = self._folder / secrets.token_hex(8)
        try:
            folder.mkdir(parents=True)
        except OSError as problem:
            raise StorageError(f"The import could not be started: {problem.strerror}.") from problem
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def check_space(self, session_id: str, size: int) -> None:
        """Check that a session may store a zip of `size` bytes, and that the disk has space. Cheap.

        Raises:
            LimitExceededError: the session or all sessions would store too much.
            StorageError: the disk is almost full or cannot be written.
        """
        self._storage_limits.check(session_id, size)
        if (shortage := self._data_folder.shortage()) is not None:
            raise StorageError(shortage)

    def import_zip(self, session_id: str, folder: Path) -> Imported:
        """Import `upload.zip` of this folder. A known generation whose file is missing gets the file of the zip.

        Files are unpacked, checked and moved before the write transaction, which stores all rows at once.

        Raises:
            NotAnExportError: the zip is no export, is damaged or is malicious. Nothing was imported.
            ModerationRefusedError, ModerationUnavailableError: see `Moderator.check`. Nothing was imported.
            LimitExceededError: the session or all sessions would store too much. Nothing was imported.
            StorageError: the disk is full or cannot be written. No generation was added.
        """
        media: dict[Path, tuple[str, ExportedFile]] = {}
        with import_archive.open_export(folder / "upload.zip", self.max_bytes) as export:
            origins = {entry.id for entry in export.manifest.generations}
            known = self._store.known_generations(session_id, origins)
            wanted = [self._wanted_files(entry, known.get(entry.id)) for entry in export.manifest.generations]
            if size := sum(file.size_bytes for files in wanted for file in files.values()):
                self.check_space(session_id, size)
            unpacked: _Unpacked = []
            for number, (entry, files) in enumerate(zip(export.manifest.generations, wanted, strict=True)):
                paths = {}
                for kind, file in files.items():
                    # A name of ours: nothing in the zip decides where anything is written.
                    paths[kind] = folder / f"{number}-{kind}.{file.path.rpartition('.')[2]}"
                    import_archive.extract(export, file, paths[kind])
                    media[paths[kind]] = kind, file
                if paths or entry.id not in known:
                    unpacked.append((entry, paths))
        import_archive.check_media(media)
        return self._store_unpacked(session_id, unpacked, known, origins)

    def _store_unpacked(
        self, session_id: str, unpacked: _Unpacked, known: Mapping[str, KnownGeneration], origins: Collection[str]
    ) -> Imported:
        """Move the files of what may be imported into the storage, then store all rows at once."""
        flags = self._review(session_id, unpacked)
        added: list[ImportedGeneration] = []
        repaired, moved = list[FileRow](), list[FileRow]()
        try:
            for entry, paths in unpacked:
                if entry.id in known:
                    repaired += self._move_files(session_id, known[entry.id], paths, moved)
                else:
                    added.append(self._add(session_id, entry, paths, moved))
                    added[-1].generation.flagged = flags.get(entry.id)
            flagged = {known[name].id: words for name, words in flags.items() if name in known}
            ids = self._store.import_generations(session_id, added, repaired, origins, flagged)
        finally:
            self._delete_unreferenced(moved)
        return Imported(imported=len(ids), known=len(origins) - len(ids), generation_ids=ids)

    def _review(self, session_id: str, unpacked: _Unpacked) -> dict[str, str]:
        """Ask the moderation hook about each entry; the words of its flags, by the id of the entry."""
        if self._moderator.hook is None:
            return {}
        flags: dict[str, str] = {}
        account = self._store.username_of(session_id)
        for entry, paths in unpacked:
            asked = {name: getattr(entry, name) for name in ("prompt", "negative_prompt", "engine", "type")}
            item = Item("import", **asked, session=session_id, account=account)
            try:
                words = self._moderator.check(replace(item, file=paths.get(entry.type), poster=paths.get("poster")))
            except ModerationRefusedError as problem:
                raise ModerationRefusedError(f"{problem.detail} (“{shorten(entry.prompt, 80)}”)") from None
            if words is not None:
                logger.warning("%s of an import was flagged: %s", entry.id, words)
                flags[entry.id] = words
        return flags

    def _wanted_files(self, entry: ExportedGeneration, known: KnownGeneration | None) -> dict[str, ExportedFile]:
        """The files of an entry that are not stored here, by kind."""
        pairs = ((entry.type, entry.result), ("poster", entry.poster), (LAST_FRAME, entry.last_frame))
        files = {kind: file for kind, file in pairs if file}
        if known is None:
            return files
        if (known.type, known.status) != (entry.type, "completed"):
            return {}
        return {kind: file for kind, file in files.items() if kind in known.files and not self._is_stored(known, kind)}

    def _is_stored(self, known: KnownGeneration, kind: str) -> bool:
        key = known.files[kind][1]
        return key is not None and self._storage.exists(key)

    def _add(
        self, session_id: str, entry: ExportedGeneration, paths: dict[str, Path], moved: list[FileRow]
    ) -> ImportedGeneration:
        project, generation = _rows(session_id, entry, self._store.clock())
        files = self._move_files(session_id, KnownGeneration(generation.id, entry.type, entry.status, {}), paths, moved)
        for file in files:
            if file.kind == "poster":
                generation.poster_file_id = file.id
            elif file.kind == entry.type:
                generation.file_id, generation.size_bytes = file.id, file.size_bytes
        return ImportedGeneration(entry.id, project, generation, files)

    def _move_files(
        self, session_id: str, generation: KnownGeneration, paths: dict[str, Path], moved: list[FileRow]
    ) -> list[FileRow]:
        """Move unpacked files into the storage, and make their rows, which are added to `moved` as well."""
        rows = []
        for kind, path in paths.items():
            file_id, key = generation.files.get(kind, (None, None))
            if key is None or not key.endswith(path.suffix):
                key = f"{generation.id}/a0-{kind}{path.suffix}"
            row = FileRow(
                id=file_id or new_id("fil"),
                session_id=session_id,
                generation_id=generation.id,
                kind=kind,
                key=key,
                content_type=CONTENT_TYPES[path.suffix[1:]],
                size_bytes=path.stat().st_size,
                created_at=self._store.clock(),
            )
            rows.append(row)
            moved.append(row)
            self._storage.put(path, key)
        return rows

    def _delete_unreferenced(self, files: list[FileRow]) -> None:
        """Delete those of these files that no row names, because the import failed or another one was faster.

        If the database cannot be read, they stay: a committed row may name them. `videogen doctor` lists them.
        """
        try:
            for file in files:
                if file.key not in (self._store.keys_kept(file.generation_id) or ()):
                    self._storage.delete(file.key)
        except (StorageError, OSError) as problem:
            logger.warning("Files of an import could not be cleaned up, see `videogen doctor`: %s", problem)


def _rows(session_id: str, entry: ExportedGeneration, now: float) -> tuple[ProjectRow, GenerationRow]:
    """The rows of an entry: times in seconds since the epoch, none later than `now`."""

    def seconds(value: datetime | None) -> float | None:
        return None if value is None else min(max(value.timestamp(), 0.0), now)

    created_at = seconds(entry.created_at) or now
    project = ProjectRow(
        id=new_id("prj"), session_id=session_id, request_id=new_id("req"), body_hash="", created_at=created_at
    )
    copied = entry.model_dump(
        exclude={"id", "error", "result", "poster", "last_frame", "created_at", "started_at", "finished_at"}
    )
    error = entry.error if entry.status != "completed" else None
    generation = GenerationRow(
        **copied,
        id=new_id("gen"),
        session_id=session_id,
        project_id=project.id,
        request_id=project.request_id,
        # Not the recipe of the other app: an engine would get it unchecked. A retry makes one from the settings.
        recipe={},
        progress=100.0 if entry.status == "completed" else 0.0,
        stage=entry.status,
        error_code=error.code[:100] if error else None,
        error_message=error.message[:2000] if error else None,
        error_retryable=error.retryable if error else None,
        created_at=created_at,
        started_at=seconds(entry.started_at),
        updated_at=now,
        finished_at=seconds(entry.finished_at) or now,
        kept_from=now,
        used_at=now,
    )
    return project, generation
