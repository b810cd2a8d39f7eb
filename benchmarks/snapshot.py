"""A snapshot of 10,000 generations while the app writes: how long it takes, and how long a write takes meanwhile."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.metrics import GENERATIONS, fill_sessions
from benchmarks.table import Row, percentile
from videogen.core.config import AppConfig
from videogen.core.security import load_secret
from videogen.db.backup import file_keys
from videogen.db.database import Database
from videogen.jobs.snapshots.start import SnapshotStart, begin_snapshots
from videogen.server.lifespan import SWITCH_SECONDS
from videogen.storage import DataFolder, DiskStorage
from videogen.store import Store

ROUNDS: Final = 9
BOUND_SECONDS: Final = 2.0
WRITE_BOUND_MS: Final = 100.0
PAUSE_SECONDS: Final = 0.01
FILES: Final = 1_000
FILE_BYTES: Final = 100_000
KEY: Final = "a passphrase of a benchmark"


def measure() -> list[Row]:
    """Take snapshots of one data folder, plain and encrypted, beside a thread that writes 100 times a second."""
    sys.setswitchinterval(SWITCH_SECONDS)  # as the server does it
    with tempfile.TemporaryDirectory() as name:
        folder = DataFolder(Path(name) / "data")
        folder.open()
        path = folder.root / "videogen.sqlite"
        fill_sessions(path)
        megabytes = path.stat().st_size / 1e6
        # One that is missing costs more in each snapshot than one that was copied.
        for key in file_keys(path)[:FILES]:
            target = folder.files / key
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(b"v" * FILE_BYTES)
        rows = [_first(folder, path, name)]
        for key, text in (("", "plain"), (KEY, "encrypted")):
            rows += _repeat(_begin(folder, path, f"{name}/place{len(key)}", key), path, f"{text}, {megabytes:.0f} MB")
        return rows


def _begin(folder: DataFolder, path: Path, place: str, key: str) -> SnapshotStart:
    (folder.root / "snapshots.json").unlink(missing_ok=True)
    load_secret(folder.root, "")
    config = AppConfig(data_dir=folder.root, snapshot_url=place, snapshot_key=key)
    begun = begin_snapshots(config, path, DiskStorage(folder.files))
    assert begun is not None
    assert begun.taker is not None
    return begun


def _first(folder: DataFolder, path: Path, name: str) -> Row:
    taker = _begin(folder, path, f"{name}/first", "").taker
    assert taker is not None
    started = time.perf_counter()
    taker.take()
    seconds = time.perf_counter() - started
    return Row(f"the first snapshot, which copies {taker.files:,} files", f"{seconds:.1f} s")


def _repeat(begun: SnapshotStart, path: Path, what: str) -> list[Row]:
    taker = begun.taker
    assert taker is not None
    taker.take()
    quiet: list[float] = []
    beside: list[float] = []
    stop = threading.Event()
    database = Database(f"sqlite:///{path}")
    store = Store(database)

    def write(took: list[float]) -> None:
        while not stop.is_set():
            started = time.perf_counter()
            store.create_session()
            took.append((time.perf_counter() - started) * 1000)
            time.sleep(PAUSE_SECONDS)

    def writing(took: list[float]) -> threading.Thread:
        stop.clear()
        thread = threading.Thread(target=write, args=(took,))
        thread.start()
        return thread

    seconds = []
    thread = writing(beside)
    for _ in range(ROUNDS):
        started = time.perf_counter()
        taker.take()
        taker.remove_old()
        seconds.append(time.perf_counter() - started)
    stop.set()
    thread.join()
    thread = writing(quiet)
    time.sleep(sum(seconds))
    stop.set()
    thread.join()
    database.close()
    waits = f"p99 {percentile(beside, 0.99):.1f} ms, longest {max(beside):.1f} ms"
    before = f"without snapshots: p99 {percentile(quiet, 0.99):.1f} ms, longest {max(quiet):.1f} ms"
    took = median(seconds)
    text = f"{took:.2f} s, longest {max(seconds):.2f} s"
    return [
        Row(
            f"snapshot of {GENERATIONS:,} generations ({what})",
            text,
            f"<= {BOUND_SECONDS:g} s",
            "",
            took <= BOUND_SECONDS,
        ),
        Row("a write meanwhile", waits, f"longest <= {WRITE_BOUND_MS:.0f} ms", before, max(beside) <= WRITE_BOUND_MS),
    ]
