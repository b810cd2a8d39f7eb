"""The cleanup of the next day, on a stopped server's data folder."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Final

from videogen.db.database import Database
from videogen.jobs.unused import UnusedRemover
from videogen.storage import DiskStorage
from videogen.store import Store

DAY_SECONDS: Final = 25 * 3600.0


def clean_up(data_dir: Path) -> None:
    """Do what the cleanup thread will do in 25 hours."""
    with closing(Database(f"sqlite:///{data_dir / 'videogen.sqlite'}")) as database:
        store = Store(database, lambda: time.time() + DAY_SECONDS)
        UnusedRemover(store, DiskStorage(data_dir / "files")).run(lambda: False)
