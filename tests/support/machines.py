"""A data folder whose snapshots go to a place, without a server process: what `server.build` opens, and no more."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.rows import Clock, Submitter, result
from videogen.core.config import AppConfig
from videogen.core.security import load_secret
from videogen.db.database import Database
from videogen.db.tables import GenerationRow
from videogen.jobs.snapshots import Snapshot
from videogen.jobs.snapshots.keeper import SnapshotKeeper
from videogen.jobs.snapshots.start import SnapshotStart, begin_snapshots
from videogen.storage import DataFolder, DiskStorage
from videogen.store import Fence, Store


class Machine:
    """One machine with a disk: `start`, work, `snapshot`, `lose_disk`, and `start` again."""

    def __init__(self, data_dir: Path, place: object, clock: Clock, new: Path, **settings: object) -> None:
        """`new`: an empty database at the current schema."""
        self.config = AppConfig.model_validate({"data_dir": data_dir, "snapshot_url": f"{place}", **settings})
        self.folder = DataFolder(data_dir)
        self.disk = DiskStorage(self.folder.files)
        self._clock, self._new = clock, new
        self._database: Database | None = None

    @property
    def path(self) -> Path:
        """The database."""
        return self.folder.root / "videogen.sqlite"

    def start(self) -> Machine:
        """As a server starts."""
        self.folder.open()
        begun = begin_snapshots(self.config, self.path, self.disk)
        assert begun is not None
        self.snapshots: SnapshotStart = begun
        self.storage = begun.storage
        self.secret = load_secret(self.folder.root, "")
        if not self.path.exists():
            shutil.copy(self._new, self.path)
        self._database = Database(self.config.database)
        self.store = Store(self._database, self._clock)
        self.submit = Submitter(self.store)
        self.keeper = SnapshotKeeper(begun, self.folder, 60)
        return self

    def complete(self, session: str, content: bytes = b"video") -> GenerationRow:
        """A generation of the session with a video and a poster."""
        row = self.submit(session)
        with self.store.database.write() as unit:
            unit.connection.exec_driver_sql(
                "UPDATE generations SET status = 'processing', attempt = 1 WHERE id = ?", (row.id,)
            )
        done = result(row)
        for file in (done.video, done.poster):
            assert file is not None
            self.storage.put(content + file.kind.encode(), file.key)
        self.store.complete(Fence(row.id, 1), done)
        return self.store.get_generation(session, row.id)

    def snapshot(self, *, clean: bool = False) -> Snapshot:
        """Take one, and remove the old ones."""
        taker = self.snapshots.taker
        assert taker is not None
        entry = taker.take(clean=clean)
        assert entry is not None
        taker.remove_old()
        return entry

    def stop(self) -> None:
        """The process is gone. Nothing more is written."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def lose_disk(self) -> Machine:
        """The process and its disk are gone."""
        self.stop()
        shutil.rmtree(self.folder.root)
        return self
