"""What a start does with snapshots before the database is opened: claims them, and restores where there is no data."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from videogen.core.config import AppConfig
from videogen.core.errors import StartError, VideogenError
from videogen.jobs.snapshots.identity import claim
from videogen.jobs.snapshots.place import FileCopy, Place, Snapshot, open_place
from videogen.jobs.snapshots.restore import restore
from videogen.jobs.snapshots.take import Source, Taker, remove_scratch, scratch_folder
from videogen.storage.disk import DiskStorage
from videogen.storage.fetching import FetchingStorage

logger = logging.getLogger(__name__)
PATIENCE_SECONDS: Final = 20.0
"""How long a start without data waits for a place that does not answer."""
_PAUSE_SECONDS: Final = 2.0
FETCHED: Final = ".snapshot-files"


@dataclass
class SnapshotStart:
    """The snapshots of one run, as far as they were opened."""

    place: Place
    storage: FetchingStorage
    source: Source
    copies: dict[str, FileCopy] = field(default_factory=dict)
    taker: Taker | None = None
    """None while the place could not be claimed: it does not answer."""
    on_open: Callable[[], None] = lambda: None
    """Called when it is claimed."""

    def open(self, *, is_empty: bool = False) -> None:
        """Claim the place, restore where the data folder is empty, and learn which files are there.

        Raises:
            StartError: they are another folder's, the key is wrong, or nothing can be restored.
            OSError: the place cannot be used.
        """
        data_dir = self.source.data_dir
        entry, entries = claim(self.place, data_dir, is_empty=is_empty)
        files = restore(self.place, entries, self.source) if is_empty else self._index(entries)
        for key, copy in (files or {}).items():
            self.copies.setdefault(key, copy)
        self.taker = Taker(self.place, self.source, entry, self.copies)
        self.on_open()

    def _index(self, entries: list[Snapshot]) -> dict[str, FileCopy]:
        newest = next((entry for entry in entries if entry.database), None)
        if newest is None:
            return {}
        with scratch_folder(self.source.data_dir) as folder:
            return self.place.file_index(newest, folder)

    def before_migration(self) -> None:
        """Take a snapshot. If that fails, the log says so."""
        if self.taker is None:
            return
        try:
            self.taker.take()
        except (OSError, VideogenError) as problem:
            logger.warning("No snapshot could be taken before the migration: %s", problem)


def begin_snapshots(config: AppConfig, database: Path, files: DiskStorage) -> SnapshotStart | None:
    """Open the snapshots of the configuration; None where it names no place.

    Raises:
        StartError: see `SnapshotStart.open`; or there is no data here, and the place cannot be used.
    """
    remove_scratch(config.data_dir)
    if not config.snapshot_url:
        return None
    place = open_place(config.snapshot_url, config.snapshot_key)
    copies: dict[str, FileCopy] = {}

    def fetch(key: str, path: Path) -> None:
        if (copy := copies.get(key)) is None:
            raise FileNotFoundError(key)
        place.get(copy, path)

    storage = FetchingStorage(files, copies, fetch, config.data_dir / FETCHED)
    source = Source(config.data_dir, database, storage, config.secret_key)
    start = SnapshotStart(place, storage, source, copies)
    if not database.exists():
        _patiently(start)
        return start
    try:
        start.open()
    except OSError as problem:
        logger.warning(
            "The snapshots in %s cannot be used; it is tried again: %s. Until then nothing is sent to services: a "
            "snapshot there may have the same jobs.",
            place.name,
            problem,
        )
    return start


def _patiently(start: SnapshotStart, pause: Callable[[float], None] = time.sleep) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            start.open(is_empty=True)
            return
        except OSError as problem:
            if time.monotonic() > deadline:
                raise StartError(
                    f"There is no database in the data folder, and the snapshots in {start.place.name} cannot be "
                    f"used: {problem}. A start without them would seem to have lost everything. Start again when the "
                    "place answers, or unset VIDEOGEN_SNAPSHOT_URL."
                ) from problem
            logger.warning("The snapshots in %s cannot be used yet: %s", start.place.name, problem)
        pause(_PAUSE_SECONDS)
