"""`videogen backup` and `videogen restore`: snapshots by hand, in the same form."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError, StartError, StorageError
from videogen.core.lock import NAME as LOCK_NAME
from videogen.core.lock import DataLock, holder
from videogen.core.security import new_id
from videogen.core.text import counted
from videogen.db.database import Database
from videogen.jobs.snapshots.identity import Identity, claim, require_own
from videogen.jobs.snapshots.place import ForeignSnapshotsError, Place, Snapshot, at_text, now, open_place
from videogen.jobs.snapshots.restore import restore
from videogen.jobs.snapshots.take import Source, Taker, scratch_folder
from videogen.storage import DataFolder, DiskStorage


def backup(config: AppConfig, to: str | None) -> str:
    """Take a snapshot; return a line for people. A server may run.

    Raises:
        StartError: there is no database, the place is another folder's, or it cannot be used.
    """
    place, source = _place(config, to), _source(config)
    if not source.database.exists():
        raise StartError(f"There is no database in {source.data_dir}: nothing to back up. See VIDEOGEN_DATA_DIR.")
    try:
        place.sealer()
        newest = place.newest()
        last = _last(place, config, newest, is_own=_is_own(config, to))
        with scratch_folder(source.data_dir) as folder:
            copies = place.file_index(newest, folder) if newest else {}
        taker = Taker(place, source, last, copies)
        entry = taker.take()
        if entry is None:
            raise StartError(f"Another videogen writes to {place.name} at the same time.")
        # A server that runs may be about to name files there that no snapshot has yet.
        if not (_is_own(config, to) and holder(config.data_dir) is not None):
            taker.remove_old()
    except (OSError, StorageError) as problem:
        raise StartError(f"The backup to {place.name} failed: {problem}.") from problem
    left = f" {counted(taker.missing, 'file')} of the database could not be found." if taker.missing else ""
    return (
        f"Snapshot {entry.number} of {at_text(entry.at)} is in {place.name}, with {counted(taker.files, 'file')}.{left}"
    )


def list_snapshots(config: AppConfig, source: str | None) -> str:
    """The snapshots of a place, one a line, the newest first.

    Raises:
        StartError: the place cannot be used.
    """
    place = _place(config, source)
    try:
        found = [entry for entry in place.entries() if entry.database]
    except OSError as problem:
        raise StartError(f"{place.name} cannot be read: {problem}.") from problem
    lines = [
        f"{entry.number:>6}  {at_text(entry.at)}  {entry.database.size / 1e6:8.1f} MB of database  {entry.folder}"
        for entry in found
        if entry.database
    ]
    return "\n".join(lines) or f"There are no snapshots in {place.name}."


def restore_by_hand(config: AppConfig, source: str | None, *, number: int | None = None, force: bool = False) -> str:
    """Restore a snapshot with all its files into the data folder; return a line for people. No server may run.

    Raises:
        StartError: there is a database already and not `force`; or nothing can be restored.
    """
    place, target = _place(config, source), _source(config)
    with closing(DataLock.take(config.data_dir)):
        if target.database.exists() and not force:
            raise StartError(
                f"There is a database already: {target.database}. With --force it is moved aside, with its files."
            )
        try:
            wanted = [entry for entry in place.entries() if entry.database and number in (None, entry.number)]
            if not wanted:
                which = f"no snapshot {number}" if number is not None else "no snapshots"
                raise StartError(f"There are {which} in {place.name}. See `videogen restore --list`.")
            aside = _move_aside(config.data_dir, target.database) if force else None
            DataFolder(config.data_dir).open()
            missing = _restore(config, place, target, is_own=_is_own(config, source), number=number)
        except OSError as problem:
            raise StartError(f"The restore from {place.name} failed: {problem}. It can be repeated.") from problem
    moved = f" What was there is in {aside}." if aside else ""
    left = f" {counted(missing, 'file')} could not be fetched; see the log." if missing else ""
    return f"Restored from {place.name} into {config.data_dir}.{left}{moved}"


def _restore(config: AppConfig, place: Place, target: Source, *, is_own: bool, number: int | None) -> int:
    place.sealer()
    if is_own:
        _, entries = claim(place, config.data_dir, is_empty=True)
    else:
        # The folder is on its own from here on; whoever writes to that place may go on.
        entries = place.entries()
        Identity(folder=new_id("fld")).save(config.data_dir)
    copies = restore(place, entries, target, number=number) or {}
    missing = 0
    with scratch_folder(config.data_dir) as folder:
        for key, copy in copies.items():
            try:
                place.get(copy, folder / "file")
            except FileNotFoundError:
                missing += 1
                continue
            target.files.put(folder / "file", key)
    return missing


def _place(config: AppConfig, given: str | None) -> Place:
    url = given or config.snapshot_url
    if not url:
        raise ConfigError("VIDEOGEN_SNAPSHOT_URL", "a place, or one on the command line", "")
    return open_place(url, config.snapshot_key, "The place")


def _is_own(config: AppConfig, given: str | None) -> bool:
    """Whether it is the place to which the server of this data folder writes."""
    if not config.snapshot_url:
        return False
    return given is None or open_place(given).name == open_place(config.snapshot_url).name


def _source(config: AppConfig) -> Source:
    if config.uses_postgresql:
        raise StartError("The database is PostgreSQL, which has its own backups, such as pg_dump.")
    database = Database(config.database)
    database.close()
    files = DiskStorage(DataFolder(config.data_dir).files)
    return Source(config.data_dir, database.path, files, config.secret_key)


def _last(place: Place, config: AppConfig, newest: Snapshot | None, *, is_own: bool) -> Snapshot:
    """The entry after which the backup comes, as this data folder's."""
    identity = Identity.load(config.data_dir)
    if is_own:
        require_own(place, identity, newest)
    elif newest is not None and newest.folder != identity.folder:
        raise ForeignSnapshotsError(place.name, newest)
    if not identity.writer:
        identity = identity.model_copy(update={"writer": new_id("run")})
        identity.save(config.data_dir)
    return newest or Snapshot(folder=identity.folder, writer=identity.writer, at=now())


def _move_aside(data_dir: Path, database: Path) -> Path:
    """Move all that is in the data folder, and the database, into a folder beside them."""
    aside = data_dir / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    aside.mkdir()
    stays = (aside.name, LOCK_NAME)
    there = [path for path in data_dir.iterdir() if path.name not in stays and not path.name.startswith("replaced-")]
    if database.parent != data_dir.resolve():
        there += [*database.parent.glob(f"{database.name}*")]
    for path in there:
        path.rename(aside / path.name)
    return aside
