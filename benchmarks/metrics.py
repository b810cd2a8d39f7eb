"""The time in which `/metrics`, and the operator's overview, answer at 10,000 generations and at a million."""

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
OVERVIEW: Final = "/api/v1/admin/overview"
OVERVIEW_BOUND_MS: Final = 200.0
TOKEN: Final = "the-token-of-the-benchmark"
SESSIONS: Final = 1000
PAUSE_SECONDS: Final = 0.3
"""Longer than counts are kept that took 3 ms to read, so that most rounds read all of them."""


def measure() -> list[Row]:
    """Ask a server for its metrics and its overview, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        few = _took(Path(folder) / "few", fill_sessions)
        many = _took(Path(folder) / "many", fill)
    rows = []
    for path, bound in (("/metrics", BOUND_MS), (OVERVIEW, OVERVIEW_BOUND_MS)):
        kept, of = median(few[path]) <= bound, f"{GENERATIONS:,} generations of {SESSIONS:,} sessions"
        rows.append(Row(f"{path} at {of}", _text(few[path]), f"p50 <= {bound:.0f} ms", "", kept))
        rows.append(Row(f"{path} at 1,000,000 generations", _text(many[path])))
    return rows


def _text(took: list[float]) -> str:
    return f"p50 {median(took):.1f} ms, p99 {percentile(took, 0.99):.1f} ms, first {took[0]:.1f} ms"


def _took(data: Path, fill_database: Callable[[Path], object]) -> dict[str, list[float]]:
    """The milliseconds of each answer, by path."""
    data.mkdir()
    fill_database(data / "videogen.sqlite")
    took: dict[str, list[float]] = {"/metrics": [], OVERVIEW: []}
    app = App(data, ENGINES, workers=0, page=False, admin_token=TOKEN).start(300)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with app, httpx.Client(base_url=app.base_url, trust_env=False, timeout=60) as http:
        http.get("/healthz")
        for path, times in took.items():
            for _ in range(ROUNDS):
                started = time.perf_counter()
                http.get(path, headers=headers if path == OVERVIEW else None).raise_for_status()
                times.append((time.perf_counter() - started) * 1000)
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
    """Sessions with generations that have ended, each with its files and events, and a full queue."""
    url = f"sqlite:///{path}"
    migrate(url)
    database = Database(url)
    store = Store(database)
    owners = [project(store.create_session()[0]) for _ in range(SESSIONS)]
    rows = [generation(owners[number % SESSIONS]).model_dump(exclude={"seq"}) for number in range(GENERATIONS + ACTIVE)]
    for number, row in enumerate(rows):
        ended = number < GENERATIONS
        row |= {"engine": ENGINES[number % 4], "status": "completed" if ended else "queued"}
        row |= {"prompt": "a sailing boat", "search_text": "a sailing boat"}
        if ended:
            row |= {"used_at": time.time(), "kept_from": time.time(), "finished_at": time.time()}
    owned = [
        {"generation_id": row["id"], "session_id": row["session_id"], "created_at": time.time()}
        for row in rows[:GENERATIONS]
    ]
    files = [
        one | {"id": f"{name}-{kind}", "kind": "video", "key": f"{name}/{kind}", "size_bytes": 1}
        for one in owned
        for name in [one["generation_id"]]
        for kind in range(FILES)
    ]
    projects = {row["id"]: row["project_id"] for row in rows}
    events = [
        one | {"project_id": projects[one["generation_id"]], "type": "render_progress", "data": {}}
        for one in owned
        for _ in range(EVENTS)
    ]
    with database.write() as unit:
        unit.connection.execute(insert(ProjectRow), [owner.model_dump() for owner in owners])
        unit.connection.execute(insert(GenerationRow), rows)
        unit.connection.execute(insert(FileRow), [file | {"content_type": "video/mp4"} for file in files])
        unit.connection.execute(insert(EventRow), events)
    database.close()
