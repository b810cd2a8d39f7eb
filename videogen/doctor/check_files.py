"""Rows and files: each has the other."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from videogen.core.config import AppConfig
from videogen.db.integrity import read_only
from videogen.doctor.findings import FIX, Finding, amount, count, fault, ok, warning
from videogen.storage.disk import DiskStorage

LOST: Final = "lost+found"
_ACTIVE: Final = ("queued", "processing")


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database says of files."""

    files: list[tuple[str, str, str, int]]
    """Generation, kind, key, size in bytes."""
    others: frozenset[str]
    """Keys of what belongs to no generation."""
    statuses: dict[str, str]
    """Of each generation."""

    @property
    def keys(self) -> set[str]:
        return {key for _, _, key, _ in self.files} | self.others


def _read(path: Path) -> _Known:
    with read_only(path) as connection:
        files = connection.execute("SELECT generation_id, kind, key, size_bytes FROM files").fetchall()
        statuses = dict(connection.execute("SELECT id, status FROM generations").fetchall())
        return _Known(files, frozenset(_uploads(connection)), statuses)


def _uploads(connection: sqlite3.Connection) -> list[str]:
    """Where uploaded images lie, in a database that knows of such."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'uploads'").fetchone() is None:
        return []
    return [str(key) for (key,) in connection.execute("SELECT key FROM uploads")]


def rows_without_files(config: AppConfig, path: Path) -> Iterator[Finding]:
    """Files that the database knows and that are gone, or not whole."""
    known, storage = _read(path), DiskStorage(config.data_dir)
    lost: list[str] = []
    lesser = 0
    for generation_id, kind, key, size in known.files:
        place = storage.path(key)
        if place.is_file() and (kind == "preview" or place.stat().st_size == size):
            continue
        if kind in ("poster", "preview"):
            lesser += 1
        elif known.statuses.get(generation_id) == "completed":
            lost.append(generation_id)
    lost_images = [key for key in sorted(known.others) if not storage.path(key).is_file()]
    if lost:
        more = "" if len(lost) == 1 else f" (and those of {count(len(lost) - 1, 'other')})"
        yield fault(
            "files",
            f"the video of {lost[0]}{more} is gone or not whole",
            "Restore it from a backup of the data folder; or press Retry on its page: the same recipe and seed.",
        )
    if lost_images:
        yield fault("files", f"{count(len(lost_images), 'uploaded image')} gone", "Restore a backup, or upload again.")
    if lesser:
        yield warning("files", f"{count(lesser, 'poster or preview', 'posters or previews')} gone", "None is needed.")
    if not (lost or lesser or lost_images):
        yield ok("files", f"all {len(known.keys)} that the database knows are there")


def files_without_rows(config: AppConfig, path: Path) -> Iterator[Finding]:
    """Files that nothing tells about: after a database was restored, they may be the newest videos."""
    known, root = _read(path), config.data_dir / "files"
    active = {name for name, status in known.statuses.items() if status in _ACTIVE}
    stray = [
        place
        for place in sorted(root.rglob("*"))
        if place.is_file()
        and (key := place.relative_to(root).as_posix()) not in known.keys
        and not key.startswith(".removing-")
        and key.partition("/")[0] not in active
    ]
    if stray:
        size = amount(sum(place.stat().st_size for place in stray))
        yield warning(
            "stray files",
            f"{count(len(stray), 'file')} ({size}) that nothing tells about, such as {stray[0]}",
            f"{FIX} moves them to {config.data_dir / LOST}; look there, then remove them.",
            lambda: _set_aside(config.data_dir, stray),
        )
    else:
        yield ok("stray files", "none")


def _set_aside(root: Path, places: list[Path]) -> str:
    target = root / LOST / time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for place in places:
        goal = target / place.relative_to(root / "files")
        goal.parent.mkdir(parents=True, exist_ok=True)
        place.replace(goal)
        if not any(place.parent.iterdir()):
            place.parent.rmdir()
    return f"{count(len(places), 'stray file')} moved to {target}"


def leftovers(config: AppConfig, path: Path, holder: int | None) -> Iterator[Finding]:
    """What a crash leaves. While a server runs, this is its own affair."""
    if holder is not None:
        yield ok("leftovers", "not looked at while a server works here")
        return
    statuses = _read(path).statuses if path.exists() and path.stat().st_size else {}
    storage, work = DiskStorage(config.data_dir), config.data_dir / "work"
    stale = [place for place in sorted(work.glob("*")) if statuses.get(place.name) not in _ACTIVE]
    cut = [place for place in work.rglob("*.part") if not any(parent in stale for parent in place.parents)]
    scratch = [*storage.scratch(), *cut]
    begun = storage.announced_removals()
    for number, what, remove in (
        (len(stale), count(len(stale), "work folder") + " of renders that have ended", _remover(stale)),
        (len(scratch), count(len(scratch), "file") + " of writes that were cut short", _remover(scratch)),
    ):
        if number:
            yield warning("leftovers", what, f"The next start removes them, or {FIX} does.", remove)
    if begun:
        yield warning(
            "leftovers", f"{count(len(begun), 'removal')} that a crash cut short", "The next start ends them."
        )
    if not (stale or scratch or begun):
        yield ok("leftovers", "none")


def _remover(places: list[Path]) -> Callable[[], str]:
    def remove() -> str:
        for place in places:
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
        return f"{count(len(places), 'leftover')} removed"

    return remove
