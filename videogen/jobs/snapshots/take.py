"""Takes a snapshot: first the files that are not at the place yet, then the database, last the entry."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import orjson

from videogen.core.security import SECRET_FILE, instance_of, load_secret
from videogen.db.backup import copy_database, file_keys
from videogen.db.migrate import revision
from videogen.jobs.snapshots.place import ENTRIES, FileCopy, Place, Snapshot, now
from videogen.storage import Storage

SCRATCH: Final = ".snapshot-"
"""How temporary folders in the data folder begin."""
FILES: Final = "files/"
LOOKED_FOR_AGAIN: Final = 200
"""Of the files that were not there, so many are looked for in each snapshot."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is saved: a data folder, its database and its files."""

    data_dir: Path
    database: Path
    files: Storage
    secret: str = field(default="", repr=False)
    """The secret key where it is a setting. It is not saved then."""

    @property
    def instance(self) -> str:
        """What `/healthz` shows of the secret."""
        return instance_of(load_secret(self.data_dir, self.secret))


@contextmanager
def scratch_folder(data_dir: Path) -> Iterator[Path]:
    """A temporary folder, on the disk of the data folder."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=data_dir, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def remove_scratch(data_dir: Path) -> None:
    """Remove the temporary folders of a process that was killed. Only the holder of the data folder may call this."""
    for folder in data_dir.glob(f"{SCRATCH}*"):
        shutil.rmtree(folder, ignore_errors=True)


class Taker:
    """Takes the snapshots of one run: it knows which files are at the place, and the number of its last entry."""

    def __init__(self, place: Place, source: Source, last: Snapshot, copies: dict[str, FileCopy]) -> None:
        """
        It reads the names of all files at the place, which raises OSError where that cannot be used.

        Args:
            place: where they go.
            source: what is saved.
            last: the last entry of this run, such as its claim.
            copies: the files that are at the place, by key. New ones are added.
        """
        self._place, self._source, self.last, self._copies = place, source, last, copies
        self.files = self.missing = 0
        """Files of the last snapshot, and how many of its database were neither here nor there."""
        self._absent: dict[str, None] = {}
        """Keys without a file. Some are looked for again each time; looking for all would take most of a snapshot."""
        self._named: dict[int, frozenset[str]] = {}
        """The objects of the files of each snapshot that is kept."""
        # Only these are ever removed: never what a later run on the same place has written.
        self._present = {*place.objects.list(FILES)}

    def take(self, *, clean: bool = False) -> Snapshot | None:
        """Take one. None: another server has claimed the snapshots; nothing was changed.

        Raises:
            StorageError: the database cannot be copied.
            OSError: the disk is full, or the place cannot be used.
        """
        place, source, at = self._place, self._source, now()
        with scratch_folder(source.data_dir) as folder:
            database = folder / "videogen.sqlite"
            copy_database(source.database, database)
            files = self._copy_files(file_keys(database), folder)
            number = self.last.number + 1
            # Of two tries at one number, each has names of its own.
            name = f"{ENTRIES}{number:012d}-{secrets.token_hex(6)}"
            index = folder / "index"
            rows = {key: (one.object, one.size, one.digest) for key, one in files.items()}
            index.write_bytes(orjson.dumps(rows))
            secret = "" if source.secret else (source.data_dir / SECRET_FILE).read_text()
            entry = Snapshot(
                number=number,
                folder=self.last.folder,
                writer=self.last.writer,
                at=at,
                clean=clean,
                revision=revision(f"sqlite:///{database}") or "",
                instance=source.instance,
                secret=place.sealer().seal_text(secret),
                database=place.put(f"{name}.database", database, folder, compress=True),
                files=place.put(f"{name}.files", index, folder, compress=True),
            )
        if not place.add(entry):
            if (newest := place.newest()) is None or newest.writer != self.last.writer:
                return None
            self.last = newest  # `videogen backup` wrote it, for this run
            return self.take(clean=clean)
        self.last = entry
        return entry

    def _copy_files(self, keys: list[str], folder: Path) -> dict[str, FileCopy]:
        """Copy what is not at the place. A file that was removed meanwhile, or never was there, is left out."""
        for key in [*islice(self._absent, LOOKED_FOR_AGAIN)]:
            del self._absent[key]
        for key in keys:
            if key in self._copies or key in self._absent:
                continue
            try:
                with self._source.files.local_copy(key) as path:
                    copy = self._place.put(f"{FILES}{self.last.writer}/{key}", path, folder)
                self._copies[key] = copy
                self._present.add(copy.object)
            except FileNotFoundError:
                self._absent[key] = None
        found = {key: self._copies[key] for key in keys if key in self._copies}
        self.files, self.missing = len(found), len(keys) - len(found)
        return found

    def remove_old(self) -> None:
        """Remove all but the last snapshots, and the files that none of them has. Raises OSError."""
        kept = self._place.remove_old(self._place.entries())
        if not kept or kept[0].writer != self.last.writer:
            return
        with scratch_folder(self._source.data_dir) as folder:
            for entry in kept:
                if entry.number not in self._named:
                    self._named[entry.number] = _objects(self._place.file_index(entry, folder))
        self._named = {entry.number: self._named[entry.number] for entry in kept}
        needed = frozenset().union(*self._named.values())
        for name in self._present - needed:
            self._place.objects.delete(name)
            self._present.discard(name)
        for key in [key for key, one in self._copies.items() if one.object not in needed]:
            self._copies.pop(key, None)


def _objects(files: dict[str, FileCopy]) -> frozenset[str]:
    return frozenset(one.object for one in files.values())
