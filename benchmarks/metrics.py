"""The time in which `/metrics` answers at 10,000 generations, all counts read anew, and at a million."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

import httpx
from sqlalchemy import insert

from benchmarks.history import fill
from benchmarks.rows import generation, project
from benchmarks.table import Row, percentile
from tests.support.app import App
from videogen.db.database import Database
from videogen.db.migrate import migrate
from videogen.db.tables import EventRow, FileRow, GenerationRow, ProjectRow
from videogen.store import Store

GENERATIONS: Final = 10_000
FILES: Final = 3
EVENTS: Final = 20
ACTIVE: Final = 200
ENGINES: Final = ("bars", "slow", "steady", "procedural")
ROUNDS: Final = 100
BOUND_MS: Final = 20.0
PAUSE_SECONDS: Final = 0.3
"""Longer than counts are kept that took 3 ms to read, so that most rounds read all of them."""


def measure() -> list[Row]:
    """Ask a server for its metrics, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        few = _took(Path(folder) / "few", fill_sessions)
        many = _took(Path(folder) / "many", fill)
    kept = median(few) <= BOUND_MS
    return [
        Row(f"/metrics at {GENERATIONS:,} generations", _text(few), f"p50 <= {BOUND_MS:.0f} ms", "", kept),
        Row("/metrics at 1,000,000 generations", _text(many)),
    ]


def _text(took: list[float]) -> str:
    return f"p50 {median(took):.1f} ms, p99 {percentile(took, 0.99):.1f} ms, first {took[0]:.1f} ms"


def _took(data: Path, fill_database: Callable[[Path], object]) -> list[float]:
    data.mkdir()
    fill_database(data / "videogen.sqlite")
    took = []
    app = App(data, ENGINES, workers=0, page=False).start(300)
    with app, httpx.Client(base_url=app.base_url, trust_env=False, timeout=60) as http:
        http.get("/healthz")
        for _ in range(ROUNDS):
            started = time.perf_counter()
            http.get("/metrics").raise_for_status()
            took.append((time.perf_counter() - started) * 1000)
            time.sleep(PAUSE_SECONDS)
    return took


def fill_ended(folder: Path, count: int, kept_from: Callable[[], float]) -> None:
    """Generations that have ended, each with small files and its last event, in a data folder."""
    url = f"sqlite:///{folder / 'videogen.sqlite'}"
    migrate(url)
    database = Database(url)
    session_id, _ = Store(database).create_session()
    owner, at = project(session_id), kept_from()
    rows = [generation(owner).model_dump(exclude={"seq"}) for _ in range(count)]
    ended = {"status": "completed", "kept_from": at, "used_at": at, "finished_at": at, "search_text": "a"}
    owned = {"session_id": session_id, "created_at": at}
    files = []
    for row in rows:
        row.update(ended)
        for kind in ("video.mp4", "poster.jpg", "log.txt"):
            key = f"{row['id']}/{kind}"
            path = folder / "files" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x" * 1000)
            file = {"id": f"{row['id']}-{kind}", "generation_id": row["id"], "kind": kind.partition(".")[0], "key": key}
            files.append(owned | file | {"content_type": "video/mp4", "size_bytes": 1000})
    event = {"project_id": owner.id, "type": "render_result", "data": {}}
    with database.write() as unit:
        unit.connection.execute(insert(ProjectRow), [owner.model_dump()])
        unit.connection.execute(insert(GenerationRow), rows)
        unit.connection.execute(insert(FileRow), files)
        unit.connection.execute(insert(EventRow), [owned | event | {"generation_id": row["id"]} for row in rows])
    database.close()


def fill_sessions(path: Path) -> None:
    """A session with generations that have ended, each with its files and events, and a full queue."""
    url = f"sqlite:///{path}"
    migrate(url)
    database = Database(url)
    session_id, _ = Store(database).create_session()
    owner = project(session_id)
    rows = [generation(owner).model_dump(exclude={"seq"}) for _ in range(GENERATIONS + ACTIVE)]
    for number, row in enumerate(rows):
        ended = number < GENERATIONS
        row |= {"engine": ENGINES[number % 4], "status": "completed" if ended else "queued"}
        row |= {"prompt": "a sailing boat", "search_text": "a sailing boat"}
    ids = [row["id"] for row in rows[:GENERATIONS]]
    owned = {"session_id": session_id, "created_at": time.time()}
    files = [
        owned | {"id": f"{one}-{kind}", "generation_id": one, "kind": "video", "key": f"{one}/{kind}", "size_bytes": 1}
        for one in ids
        for kind in range(FILES)
    ]
    events = [
        owned | {"project_id": owner.id, "generation_id": one, "type": "render_progress", "data": {}}
        for one in ids
        for _ in range(EVENTS)
    ]
    with database.write() as unit:
        unit.connection.execute(insert(ProjectRow), [owner.model_dump()])
        unit.connection.execute(insert(GenerationRow), rows)
        unit.connection.execute(insert(FileRow), [file | {"content_type": "video/mp4"} for file in files])
        unit.connection.execute(insert(EventRow), events)
    database.close()
