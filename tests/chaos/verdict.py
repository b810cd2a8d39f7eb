"""What must hold after the storm: each fault found is one line; none is what is asked for."""

from __future__ import annotations

import io
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import av

from tests.chaos.people import Ledger
from tests.chaos.remains import Remains, parsed
from videogen.engines.base import Recipe
from videogen.engines.registry import load_engine
from videogen.schemas.events import is_terminal
from videogen.schemas.status import TRANSITIONS, Status

ENDS = {"completed": "render_result", "failed": "error", "cancelled": "error"}
# What a storm may end with: what `raises` says, what an owner asked for, what a size that kills would end as.
CODES = {None, "engine_error", "cancelled"}


class Untouched:
    """A render context that nobody disturbs."""

    def __init__(self, workdir: Path) -> None:
        workdir.mkdir(parents=True)
        self.workdir, self.attempt, self.checkpoint = workdir, 1, None

    def report(self, *_: Any) -> None:
        """Nobody asks."""

    preview = save = report

    def raise_if_cancelled(self) -> None:
        """Nobody cancels."""


class Verdict:
    """Reads what an app has left, and compares it with what people were promised and told."""

    def __init__(self, remains: Remains, ledgers: Iterable[Ledger], engine: Callable[[str], str]) -> None:
        self.remains = remains
        self.ledgers = {ledger.session_id: ledger for ledger in ledgers}
        self._engine = engine
        self.generations = {
            row[0]: dict(zip(_COLUMNS, row, strict=True))
            for row in remains.rows(f"SELECT {', '.join(_COLUMNS)} FROM generations")
        }
        self.events: dict[str, list[tuple[int, str, dict[str, Any], float]]] = defaultdict(list)
        for number, generation_id, kind, data, at in remains.rows(
            "SELECT id, generation_id, type, data, created_at FROM events ORDER BY id"
        ):
            self.events[generation_id].append((number, kind, parsed(data), at))

    def faults(self) -> dict[str, list[str]]:
        """Every fault by kind: lost, doubled, stuck, wrong, orphan."""
        found: dict[str, list[str]] = {"lost": [], "doubled": [], "stuck": [], "wrong": [], "orphan": []}
        for ledger in self.ledgers.values():
            self._promises(ledger, found)
            self._told(ledger, found)
        for generation_id, row in self.generations.items():
            self._life(generation_id, row, found)
        found["orphan"] += self._orphans()
        found["wrong"] += self._videos()
        return found

    def _promises(self, ledger: Ledger, found: dict[str, list[str]]) -> None:
        mine = {name for name, row in self.generations.items() if row["session_id"] == ledger.session_id}
        found["lost"] += [f"{name} was accepted and is gone" for name in ledger.accepted.keys() - mine - ledger.deleted]
        found["doubled"] += [
            f"key {key} made {len(made)} projects" for key, made in ledger.projects.items() if len(made) > 1
        ]
        extra = mine - ledger.accepted.keys()
        if len(extra) > ledger.unsure:
            found["doubled"].append(
                f"{len(extra)} generations nobody was told of, after {ledger.unsure} doubtful calls"
            )
        found["orphan"] += [
            f"{name} was deleted and is still there" for name in ledger.deleted if name in mine or self.events.get(name)
        ]

    def _told(self, ledger: Ledger, found: dict[str, list[str]]) -> None:
        numbers = [event.id for event in ledger.told]
        if numbers != sorted(set(numbers)):
            found["doubled"].append(f"{ledger.session_id} was told event numbers that do not rise")
        heard = {name: [event for event in ledger.told if event.generation_id == name] for name in ledger.accepted}
        for name, events in (*heard.items(), *ledger.followed.items()):
            stored = self.events.get(name, [])
            ends = [event.id for event in events if is_terminal(event.type)]
            if len(ends) > 1 or (ends and events[-1].id != ends[0]):
                found["doubled"].append(f"{name}: a watcher was told {len(ends)} ends, or something after the end")
            known = {event.id for event in events}
            newest = max(known, default=0)
            # Only progress that a newer snapshot of the same generation has made worthless may be left out.
            gaps = [number for number, kind, _, _ in stored if number not in known]
            for number, kind, _, _ in stored:
                if number in gaps and (is_terminal(kind) or number > newest):
                    found["lost"].append(f"{name}: a watcher was never told event {number} ({kind})")

    def crowd(self, session_id: str, heard: Iterable[list[tuple[int, str]]]) -> list[str]:
        """What watchers of a session missed, or got twice; each list is what one of them was told, as it came."""
        stored = [
            (number, kind)
            for name, events in self.events.items()
            if name in self.generations and self.generations[name]["session_id"] == session_id
            for number, kind, _, _ in events
        ]
        ends = {number for number, kind in stored if is_terminal(kind)}
        newest = max((number for number, _ in stored), default=0)
        found = []
        for number, events in enumerate(heard):
            ids = [event for event, _ in events]
            if ids != sorted(set(ids)):
                found.append(f"watcher {number} of {session_id} was told event numbers that do not rise")
            if missing := ends - set(ids):
                found.append(f"watcher {number} of {session_id} was never told the ends {sorted(missing)[:5]}")
            if ids and max(ids) < newest:
                found.append(f"watcher {number} of {session_id} stopped at {max(ids)} of {newest}")
        return found

    def _life(self, name: str, row: dict[str, Any], found: dict[str, list[str]]) -> None:
        events = self.events[name]
        ends = [kind for _, kind, _, _ in events if is_terminal(kind)]
        if row["status"] not in ENDS:
            found["stuck"].append(f"{name} is {row['status']} in attempt {row['attempt']}")
            return
        if len(ends) != 1:
            found["doubled" if ends else "lost"].append(f"{name} has {len(ends)} terminal events")
        elif ends[0] != ENDS[row["status"]] or not is_terminal(events[-1][1]):
            found["wrong"].append(f"{name} is {row['status']}, and its events end with {events[-1][1]}")
        if row["error_code"] not in CODES:
            found["lost"].append(f"{name} failed with {row['error_code']}")
        seen = max(data["attempt"] for _, _, data, _ in events) if events else row["attempt"]
        if not row["lost"] <= row["attempt"] or seen != row["attempt"]:
            found["wrong"].append(f"{name} is in attempt {row['attempt']}, {row['lost']} lost, and told of {seen}")
        found["wrong"] += [f"{name}: {fault}" for fault in _history([data for _, _, data, _ in events])]

    def _orphans(self) -> list[str]:
        have, known = self.remains.files(), {row[0] for row in self.remains.rows("SELECT key FROM files")}
        found = [f"file without a row: {key}" for key in have - known]
        found += [f"row without a file: {key}" for key in known - have]
        return found + self.remains.faults()

    def _videos(self) -> list[str]:
        """Every finished video plays to its last frame, and is to the byte what an undisturbed render gives."""
        found = []
        made: dict[tuple[str, str], set[bytes]] = defaultdict(set)
        for name, row in self.generations.items():
            if row["status"] != "completed":
                continue
            keys = self.remains.rows("SELECT key, size_bytes FROM files WHERE id = ?", row["file_id"])
            try:
                content = self.remains.read(keys[0][0]) if keys else b""
            except FileNotFoundError:
                content = b""
            if not keys or len(content) != keys[0][1]:
                found.append(
                    f"{name}: its video {keys} is missing or short: {len(content)} bytes, attempt {row['attempt']}"
                )
                continue
            made[row["engine"], json.dumps(parsed(row["recipe"]), sort_keys=True)].add(content)
        for engine in {engine for engine, _ in made}:
            load_engine(self._engine(engine))  # once, before threads ask for it
        with ThreadPoolExecutor(8) as threads:
            renders = threads.map(lambda one: _undisturbed(self._engine(one[0]), one[1]), made)
            expected = dict(zip(made, renders, strict=True))
        for (engine, recipe), videos in made.items():
            others = len(videos - {expected[engine, recipe]})
            if others:
                found.append(f"{others} files differ from an undisturbed render by {engine} of {recipe}")
            frames = json.loads(recipe)["num_frames"]
            found += [f"a video shows {shown} of {frames} frames" for shown in map(_frames, videos) if shown != frames]
        return found


_COLUMNS = ("id", "session_id", "status", "attempt", "lost", "error_code", "engine", "recipe", "file_id")


def _history(snapshots: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the life that these events tell."""
    found = []
    best: Counter[int] = Counter()
    for before, after in zip([None, *snapshots], snapshots, strict=False):
        attempt, progress = after["attempt"], after["progress"]
        if (
            before
            and before["status"] != after["status"]
            and Status(after["status"]) not in TRANSITIONS[before["status"]]
        ):
            found.append(f"went from {before['status']} to {after['status']}")
        if before and attempt < before["attempt"]:
            found.append(f"attempt fell from {before['attempt']} to {attempt}")
        if progress < best[attempt]:
            found.append(f"progress fell from {best[attempt]} to {progress} in attempt {attempt}")
        best[attempt] = max(best[attempt], progress)
    return found


@cache
def _undisturbed(reference: str, recipe: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        artifact = load_engine(reference).render(Recipe(**json.loads(recipe)), Untouched(Path(folder) / "work"))
        return artifact.path.read_bytes()


def _frames(video: bytes) -> int:
    with av.open(io.BytesIO(video)) as container:
        return sum(1 for _ in container.decode(video=0))
