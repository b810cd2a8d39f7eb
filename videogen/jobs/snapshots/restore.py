"""Restores the newest good snapshot into a folder without a database. Files come later, when they are asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from videogen.core.errors import DatabaseTooNewError, StartError
from videogen.core.security import SECRET_FILE
from videogen.db.database import Database
from videogen.db.integrity import check, wal_of
from videogen.db.migrate import REVISIONS, migrate
from videogen.jobs.snapshots.place import FileCopy, Place, Snapshot, at_text
from videogen.jobs.snapshots.take import Source, scratch_folder
from videogen.storage.sealed import SealError
from videogen.store import Store

logger = logging.getLogger(__name__)


def restore(
    place: Place, entries: Iterable[Snapshot], target: Source, *, number: int | None = None
) -> dict[str, FileCopy] | None:
    """Restore the newest of the snapshots that is whole: secret key and database. The database comes last.

    Args:
        place: where they are.
        entries: all entries, the newest first.
        target: where it is restored; its files are not.
        number: the one to restore, if not the newest.

    Returns:
        the files of the snapshot; None where there are no snapshots.

    Raises:
        StartError: there are snapshots, and none is whole; or the newest was written by a newer videogen.
        OSError: the place cannot be used, or the disk is full.
    """
    entries = list(entries)
    snapshots = [entry for entry in entries if entry.database and number in (None, entry.number)]
    with scratch_folder(target.data_dir) as folder:
        path = folder / "videogen.sqlite"
        for entry in snapshots:
            try:
                files = _fetch(place, entry, path, folder)
            except (SealError, FileNotFoundError) as problem:
                logger.warning("The snapshot of %s is not whole, and is left out: %s.", at_text(entry.at), problem)
                continue
            is_complete = entry.clean and entry is entries[0]
            _prepare(path, entry, is_complete=is_complete)
            _put_in_place(place, entry, path, target)
            _log(place, entry, len(files), is_complete=is_complete)
            return files
    if snapshots:
        raise StartError(
            f"None of the {len(snapshots)} snapshots in {place.name} is whole, so nothing was restored. "
            "Look at that place; to start without them, set VIDEOGEN_SNAPSHOT_URL to another one."
        )
    return None


def _put_in_place(place: Place, entry: Snapshot, path: Path, target: Source) -> None:
    """First the secret, last the database: until then, the next start restores again."""
    if entry.secret and not target.secret:
        _write_secret(target.data_dir / SECRET_FILE, place.sealer().open_text(entry.secret))
    database = target.database
    database.parent.mkdir(parents=True, exist_ok=True)
    for old in (wal_of(database), database.with_name(f"{database.name}-shm")):
        old.unlink(missing_ok=True)
    path.replace(database)
    if target.instance != entry.instance:
        logger.warning("VIDEOGEN_SECRET_KEY is not that of the snapshot: links and codes of before are not valid.")


def _fetch(place: Place, entry: Snapshot, target: Path, folder: Path) -> dict[str, FileCopy]:
    if entry.revision not in REVISIONS:
        raise DatabaseTooNewError(
            f"The newest snapshot in {place.name} has a database of revision {entry.revision}, which this videogen "
            "does not know. Install the newer videogen that wrote it."
        )
    assert entry.database is not None
    place.get(entry.database, target)
    if faults := check(target).faults:
        raise SealError(f"its database is damaged ({faults[0]})")
    return place.file_index(entry, folder)


def _prepare(path: Path, entry: Snapshot, *, is_complete: bool) -> None:
    """Bring the database to the current schema, and note in it that it was restored."""
    url = f"sqlite:///{path}"
    migrate(url)
    database = Database(url)
    try:
        Store(database).record_restore(entry.at.timestamp(), is_complete=is_complete)
    finally:
        database.close()  # the last connection moves the write-ahead log into the file
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _write_secret(path: Path, secret: str) -> None:
    part = path.with_name(f".secret.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _log(place: Place, entry: Snapshot, files: int, *, is_complete: bool) -> None:
    lost = "nothing was lost" if is_complete else "what came later is lost"
    text = (
        "Restored from the snapshot of %s in %s: %s. %d files are fetched when they are needed, and in the background."
    )
    logger.warning(text, at_text(entry.at), place.name, lost, files)
