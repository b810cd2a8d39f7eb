"""Database rows and stored files: each file row has its file, and each file has its row."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from videogen.core.config import AppConfig
from videogen.db.integrity import read_only
from videogen.doctor.findings import FIX, Finding, amount, count, fault, ok, warning
from videogen.storage import DataFolder, DiskStorage, Storage, StoredFile

LOST: Final = "lost+found"
_ACTIVE: Final = ("queued", "processing")


@dataclass(frozen=True, slots=True)
class _Database:
    """What the database says about files."""

    files: list[tuple[str, str, str, int]]
    """Generation id, kind, key and size in bytes of each file of a generation."""
    uploads: frozenset[str]
    """The keys of uploaded images."""
    statuses: dict[str, str]
    """The status of each generation, by its id."""
    removals: int
    """How many generations are removed, and may still have files."""

    @property
    def keys(self) -> set[str]:
        return {key for _, _, key, _ in self.files} | self.uploads


def _read(path: Path) -> _Database:
    with read_only(path) as connection:
        files = connection.execute("SELECT generation_id, kind, key, size_bytes FROM files").fetchall()
        statuses = dict(connection.execute("SELECT id, status FROM generations").fetchall())
        # The database of an older version has not all of them.
        tables = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        uploads = connection.execute("SELECT key FROM uploads") if "uploads" in tables else ()
        removals = connection.execute("SELECT count(*) FROM removals").fetchone()[0] if "removals" in tables else 0
        return _Database(files, frozenset(str(key) for (key,) in uploads), statuses, removals)


def rows_without_files(config: AppConfig, path: Path) -> Iterator[Finding]:
    """Report files that are missing or incomplete though the database names them."""
    database = _read(path)
    sizes = dict(_storage(config).list())
    videos: list[str] = []
    pictures = 0
    for generation_id, kind, key, size in database.files:
        if key in sizes and (kind == "preview" or sizes[key] == size):
            continue
        if kind in ("poster", "preview"):
            pictures += 1
        elif database.statuses.get(generation_id) == "completed":
            videos.append(generation_id)
    uploads = database.uploads - sizes.keys()
    if videos:
        more = "" if len(videos) == 1 else f" (and those of {count(len(videos) - 1, 'other')})"
        yield fault(
            "files",
            f"the video of {videos[0]}{more} is missing or incomplete",
            "Restore it from a backup of the data folder; or press Retry on its page: the same recipe and seed.",
        )
    if uploads:
        what = f"{count(len(uploads), 'uploaded image')} missing"
        yield fault("files", what, "Restore them from a backup, or upload them again.")
    if pictures:
        what = f"{count(pictures, 'poster or preview', 'posters or previews')} missing"
        yield warning("files", what, "Nothing needs to be done.")
    if not (videos or pictures or uploads):
        yield ok("files", f"all {len(database.keys)} files of the database are there")


def files_without_rows(config: AppConfig, path: Path) -> Iterator[Finding]:
    """Report files that no row names. After a database was restored from a backup, they may be the newest videos."""
    database, storage = _read(path), _storage(config)
    active = {generation_id for generation_id, status in database.statuses.items() if status in _ACTIVE}
    known = database.keys
    stray = sorted(file for file in storage.list() if file.key not in known and file.key.split("/")[0] not in active)
    if stray:
        size = amount(sum(file.size_bytes for file in stray))
        yield warning(
            "stray files",
            f"{count(len(stray), 'file')} ({size}) that the database does not name, such as {stray[0].key}",
            f"{FIX} moves them to {config.data_dir / LOST}; look there, then remove them.",
            lambda: _set_aside(storage, config.data_dir / LOST, stray),
        )
    else:
        yield ok("stray files", "none")


def _storage(config: AppConfig) -> DiskStorage:
    return DiskStorage(DataFolder(config.data_dir).files)


def _set_aside(storage: Storage, lost: Path, files: list[StoredFile]) -> str:
    target = lost / time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for file in files:
        path = target / file.key
        path.parent.mkdir(parents=True, exist_ok=True)
        with storage.local_copy(file.key) as source:
            try:
                path.hardlink_to(source)  # needs no space
            except OSError:
                shutil.copy2(source, path)
        storage.delete(file.key)
    return f"{count(len(files), 'stray file')} moved to {target}"


def leftovers(config: AppConfig, path: Path, holder: int | None) -> Iterator[Finding]:
    """Report what a crash left behind. A running server cleans up by itself."""
    if holder is not None:
        yield ok("leftovers", "not checked while a server uses this folder")
        return
    known = _read(path) if path.exists() and path.stat().st_size else _Database([], frozenset(), {}, 0)
    data_folder, work = DataFolder(config.data_dir), config.data_dir / "work"
    stale = [folder for folder in sorted(work.glob("*")) if known.statuses.get(folder.name) not in _ACTIVE]
    parts = [part for part in work.rglob("*.part") if not any(parent in stale for parent in part.parents)]
    scratch = [*data_folder.list_scratch(), *parts]
    for paths, what in (
        (stale, f"{count(len(stale), 'work folder')} of renders that have ended"),
        (scratch, f"{count(len(scratch), 'file')} of writes that were interrupted"),
    ):
        if paths:
            yield warning("leftovers", what, f"The next start removes them, or {FIX} does.", partial(_remove, paths))
    if known.removals:
        what = f"{count(known.removals, 'removal')} that a crash interrupted"
        yield warning("leftovers", what, "The next start completes them.")
    if not (stale or scratch or known.removals):
        yield ok("leftovers", "none")


def _remove(paths: list[Path]) -> str:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return f"{count(len(paths), 'leftover')} removed"
