"""The history of a session with 10,000 generations, in a database of a million: each page through the HTTP API."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx
import orjson
import psutil

from benchmarks.rows import generation, project
from benchmarks.table import Row
from tests.support.app import ROOT, App
from videogen.db.database import Database
from videogen.db.migrate import migrate
from videogen.store import Limits, Store

ROWS: Final = 1_000_000
MANY, FEW = 10_000, 1_000
TIMEOUT_SECONDS: Final = 300.0
BOUND_MS: Final = 50.0
ROUNDS: Final = 15
PAGE: Final = 48
ENDED: Final = "completed,failed,cancelled"
QUERIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "first page": {},
    "common word": {"q": "ocean"},
    "two common words": {"q": "ocean lantern"},
    "rare word": {"q": "quetzal"},
    "word without a match": {"q": "zeppelin"},
    "failed": {"status": "failed"},
    "cancelled": {"status": "cancelled"},
    "stills": {"type": "image"},
    "engine": {"engine": "bars"},
    "engine without a match": {"engine": "nothing"},
    "favourites": {"favorite": True},
    "favourite stills with a rare word": {"favorite": True, "type": "image", "q": "quetzal"},
}
_WORDS: Final = """
lantern harbour glacier meadow comet canyon orchard lighthouse monsoon savanna tundra waterfall volcano bazaar
temple skyline dune forest river valley cathedral carousel regatta blossom firefly geyser iceberg jungle
lagoon mountain nebula oasis peninsula quarry reef sunrise twilight vineyard willow zenith
"""
_RECIPE: Final = {
    "engine": "procedural",
    "understanding": {
        "understood": [
            {"phrase": word, "became": f"a {word} of its own kind"} for word in ("ocean", "rain", "slow pan")
        ],
        "ignored": ["take"],
        "abstract": False,
    },
    "params": {"palette": "dusk", "camera": "pan right", "speed": 0.4, "layers": ["sky", "sea", "light", "weather"]},
}


@dataclass(frozen=True, slots=True)
class _Owner:
    session: str
    token: str


def measure() -> list[Row]:
    """Measure each query in a long and a short history in turn, a page near the end, and the ids of all matches."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        started = time.perf_counter()
        long, short = fill(data / "videogen.sqlite")
        seconds = time.perf_counter() - started
        with App(data, workers=0).start(TIMEOUT_SECONDS) as app, _client(app, long) as many, _client(app, short) as few:
            _wait_until_idle(app)
            rows = [_row(name, many, few, filters) for name, filters in QUERIES.items()]
            rows.insert(1, _row("a page near the end", many, few, {}, cursor=True))
            rows.append(_ids(many, few))
    size = f"{ROWS:,} generations made in {seconds:.0f} s"
    return [*rows, Row("database of the history", size)]


def fill(path: Path) -> tuple[_Owner, _Owner]:
    """Make a database of `ROWS` generations; return the owners of `MANY` and of `FEW` of them."""
    url = f"sqlite:///{path}"
    migrate(url)
    database = Database(url)
    store, owners = Store(database), []
    for _ in range(2):
        owners.append(_Owner(*store.create_session()))
        # One row through the store: it fails here if this file does not know a column.
        submit = project(owners[-1].session)
        store.create_project(submit, [generation(submit)], Limits(10, 10, 10))
    database.close()
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -600000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("DELETE FROM generations")
        _owners(connection, owners)
        _generations(connection, owners)
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    return owners[0], owners[1]


def _owners(connection: sqlite3.Connection, owners: list[_Owner]) -> None:
    now = time.time()
    others = [f"ses_{number}" for number in range(1000)]
    sessions = [(name, now, 0.0) for name in others]
    connection.executemany("INSERT INTO sessions (id, created_at, last_served_at) VALUES (?, ?, ?)", sessions)
    projects = [(f"prj_{name}", name, "req", "", now) for name in (*others, *(owner.session for owner in owners))]
    connection.executemany(
        "INSERT INTO projects (id, session_id, request_id, body_hash, created_at) VALUES (?, ?, ?, ?, ?)", projects
    )


def _generations(connection: sqlite3.Connection, owners: list[_Owner]) -> None:
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'generations' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    connection.execute("CREATE TEMP TABLE words (word TEXT)")
    connection.executemany("INSERT INTO words VALUES (?)", [(word,) for word in _WORDS.split()])
    connection.execute("BEGIN")
    values = {
        "rows": ROWS,
        "of_long": ROWS // MANY,
        "of_short": ROWS // FEW,
        "long": owners[0].session,
        "short": owners[1].session,
        "recipe": orjson.dumps(_RECIPE).decode(),
        "now": time.time(),
    }
    connection.execute((ROOT / "benchmarks" / "million.sql").read_text(), values)
    connection.execute("COMMIT")
    for _, statement in indexes:
        connection.execute(statement)


@contextmanager
def _client(app: App, person: _Owner) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {person.token}"}
    with httpx.Client(base_url=f"{app.base_url}/api/v1", headers=headers, timeout=60, trust_env=False) as client:
        yield client


def _wait_until_idle(app: App) -> None:
    """Wait until the server has checked its whole database, which it does in a thread after its start."""
    assert app.process is not None
    process, end = psutil.Process(app.process.pid), time.monotonic() + TIMEOUT_SECONDS
    while process.cpu_percent(interval=1.0) > 5 and time.monotonic() < end:
        pass


def _ask(client: httpx.Client, filters: Mapping[str, Any], path: str = "/generations") -> tuple[float, dict[str, Any]]:
    params: dict[str, Any] = {"status": ENDED, "limit": PAGE} | dict(filters)
    started = time.perf_counter()
    response = client.get(path, params=params)
    took = (time.perf_counter() - started) * 1000
    return took, response.raise_for_status().json()


def _pairs(ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Measure in turns, so that other load on this machine affects both."""
    took = [(ours(), theirs()) for _ in range(ROUNDS)]
    return [first for first, _ in took], [second for _, second in took]


def _last_cursor(client: httpx.Client) -> str:
    """The cursor of the last page, with 100 entries a page."""
    cursor = _ask(client, {"limit": 100})[1]["nextCursor"]
    while following := _ask(client, {"limit": 100, "cursor": cursor})[1]["nextCursor"]:
        cursor = following
    return str(cursor)


def _row(name: str, many: httpx.Client, few: httpx.Client, filters: Mapping[str, Any], *, cursor: bool = False) -> Row:
    cursors = [{"cursor": _last_cursor(client)} if cursor else {} for client in (many, few)]
    shown = len(_ask(many, {**filters, **cursors[0]})[1]["items"])
    pairs = _pairs(lambda: _ask(many, {**filters, **cursors[0]})[0], lambda: _ask(few, {**filters, **cursors[1]})[0])
    return _result(f"history, {name} ({shown} shown)", *pairs)


def _ids(many: httpx.Client, few: httpx.Client) -> Row:
    filters = {"q": "ocean", "limit": 1000}
    path = "/generations/ids"
    pairs = _pairs(lambda: _ask(many, filters, path)[0], lambda: _ask(few, filters, path)[0])
    return _result("history, 1,000 ids of all matches", *pairs)


def _result(name: str, ours: list[float], theirs: list[float]) -> Row:
    p50, worst, small = median(ours), max(ours), median(theirs)
    return Row(
        name,
        f"p50 {p50:.1f} ms, worst {worst:.1f} ms",
        f"p50 <= {BOUND_MS:g} ms",
        f"with {FEW:,} generations {small:.1f} ms: ratio {p50 / small:.2f}",
        p50 <= BOUND_MS,
    )
