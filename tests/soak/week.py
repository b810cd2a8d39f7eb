"""A simulated week on one data folder: people make, play, share and mark results; the clock is turned forward.

`python -m tests.soak --week`: exit status 1 if the storage is above its cap at the end of any hour, or if something is
left that nobody keeps.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from tests.support.rows import Clock, generation_row, project_row
from videogen.core.in_use import InUse
from videogen.core.security import new_id
from videogen.db.database import Database
from videogen.db.migrate import migrate
from videogen.db.tables import FileRow, UploadRow
from videogen.jobs import retention
from videogen.jobs.queue import EmbeddedQueue
from videogen.jobs.retention import RetentionThread
from videogen.jobs.unused import UnusedRemover
from videogen.storage import DataFolder, DiskStorage
from videogen.store import Limits, Result, RetentionRules, Store

HOURS: Final = 7 * 24
SESSIONS: Final = 12
PER_HOUR: Final = 5
SIZES: Final = (2_000, 60_000)
"""Bytes of a result: a thousandth of real ones, as is the cap."""
RULES: Final = RetentionRules(48 * 3600.0, keeps_shared=False, max_bytes=3_000_000, max_bytes_per_session=500_000)


class Week:
    """One run; `faults` says what was wrong."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng, self.clock, self.faults = random.Random(seed), Clock(), list[str]()
        self.folder = DataFolder(folder)
        self.folder.open()
        self.storage = DiskStorage(self.folder.files)
        url = f"sqlite:///{folder / 'videogen.sqlite'}"
        migrate(url)
        self.database = Database(url)
        self.store = Store(self.database, self.clock)
        self.queue = EmbeddedQueue(self.store, lease_seconds=600, steady=self.clock.steady)
        self.in_use = InUse(self.clock)
        self.retention = RetentionThread(self.store, self.storage, self.folder, RULES, self.in_use)
        self.unused = UnusedRemover(self.store, self.storage)
        self.sessions = [self.store.create_session()[0] for _ in range(SESSIONS)]
        self.made: list[tuple[str, str]] = []
        self.most = 0

    def run(self) -> None:
        """Live through the week, an hour at a time."""
        for _ in range(HOURS):
            for _ in range(PER_HOUR):
                self._make()
                self._use()
                self.clock.now += 3600 / PER_HOUR
            self.retention.remove_due()
            self.unused.run(lambda: False)
            self._check()
        self.clock.now += RULES.seconds + 24 * 3600
        self.retention.remove_due()
        self.unused.run(lambda: False)
        self._check_end()

    def _make(self) -> None:
        session = self.rng.choice(self.sessions)
        project = project_row(session, self.clock.now)
        row = generation_row(project)
        self.store.create_project(project, [row], Limits(1000, 1000, 1000))
        lease = self.queue.claim("worker")
        assert lease is not None
        files = [self._file(session, row.id, kind) for kind in ("video", "poster")]
        self.queue.finish(lease, Result(files[0], files[1], 64, 64, 8, 0.5))
        self.made.append((session, row.id))
        if self.rng.random() < 0.1:
            upload = UploadRow(
                id=new_id("fil"), session_id=session, digest=new_id("x"), key=f"uploads/{new_id('x')}.png",
                content_type="image/png", width=1, height=1, size_bytes=5_000, created_at=self.clock.now,
            )  # fmt: skip
            self.storage.put(b"x" * upload.size_bytes, upload.key)
            self.store.add_upload(upload, 200)

    def _file(self, session: str, generation_id: str, kind: str) -> FileRow:
        size = self.rng.randrange(*SIZES) if kind == "video" else 1_000
        key = f"{generation_id}/{kind}.mp4"
        self.storage.put(b"x" * size, key)
        return FileRow(
            id=new_id("fil"), session_id=session, generation_id=generation_id, kind=kind, key=key,
            content_type="video/mp4", size_bytes=size, created_at=self.clock.now,
        )  # fmt: skip

    def _use(self) -> None:
        session, generation_id = self.rng.choice(self.made)
        if generation_id not in self._stored():
            return
        match self.rng.randrange(12):
            case 0:
                self.store.keep(session, generation_id)
            case 1 if self.rng.random() < 0.2:
                self.store.patch_generation(session, generation_id, {"favorite": True})
            case 2:
                self.store.put_share(session, generation_id, {"expires_at": None})
            case 3:
                self.store.trash(session, [generation_id], self.clock.now + 3600)
            case _:
                self.in_use.note(generation_id)

    def _stored(self) -> set[str]:
        with self.database.read() as session:
            found = session.connection().exec_driver_sql("SELECT id FROM generations WHERE trashed_until IS NULL")
            return {row[0] for row in found}

    def _check(self) -> None:
        on_disk = sum(file.size_bytes for file in self.storage.list())
        self.most = max(self.most, on_disk)
        if on_disk > RULES.max_bytes:
            self.faults.append(f"{on_disk} bytes at {self.clock.now:.0f}; the cap is {RULES.max_bytes}")
        if on_disk != self.store.stored_bytes():
            self.faults.append(f"{on_disk} bytes on the disk, {self.store.stored_bytes()} in the database")

    def _check_end(self) -> None:
        with self.database.read() as session:
            query = "SELECT count(*), coalesce(sum(favorite), 0) FROM generations"
            rows, favorites = session.connection().exec_driver_sql(query).one()
        print(
            f"week: {len(self.made)} results made, at most {self.most} of {RULES.max_bytes} bytes stored; {rows} kept"
        )
        if rows != favorites:
            self.faults.append(f"{rows} generations are left, and {favorites} are favourites")
        self._check()


@contextmanager
def _without_rest() -> Iterator[None]:
    rest, retention.REST = retention.REST, 0.0  # type: ignore[misc]
    try:
        yield
    finally:
        retention.REST = rest  # type: ignore[misc]


def run(seed: int) -> int:
    """Live through a week; print its figures and faults, and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="videogen-week-") as folder, _without_rest():
        week = Week(Path(folder), seed)
        with closing(week.database):
            week.run()
    print("\n".join(f"FAULT {fault}" for fault in week.faults) or "no faults")
    return 1 if week.faults else 0
