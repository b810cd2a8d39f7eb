"""Removes what has been kept long enough, and where the storage is full what was used longest ago, for good."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Final, Protocol, Self

from sqlalchemy import ColumnElement

from videogen.core.errors import StorageError
from videogen.core.in_use import InUse
from videogen.core.security import new_id
from videogen.core.text import counted
from videogen.db.signals import StoredEvent
from videogen.jobs.cleanup import remove_generations
from videogen.jobs.exports import remove_export_files
from videogen.schemas.events import is_terminal
from videogen.storage import DataFolder, Storage
from videogen.store import Store
from videogen.store.retention import USED_SECONDS, Candidate, RetentionRules

logger = logging.getLogger(__name__)
BATCH: Final = 10
"""Generations that one transaction removes: it takes about 5 ms of processor time, their files twice that."""
REST: Final = 1.0
"""Each batch is followed by a pause of so many times its length, so that streams and requests do not wait for it."""
INTERVAL_SECONDS: Final = 600.0
"""The longest time between two looks."""
PAUSE_SECONDS: Final = 1.0
"""The shortest."""
IN_USE_SECONDS: Final = 60.0
"""When to look again at what was in use."""
SHARED_SECONDS: Final = 10.0
"""How often each of several processes writes what is in use there."""
TASK_SECONDS: Final = 120.0
"""How long another process waits for one that has stopped in the middle."""
FULL: Final = "full"
"""The channel on which the process that removes hears that something is to be stored, and there is no room."""
ROOM: Final = 0.95
"""The part of a storage limit that may stay filled: what is being rendered needs some room."""
UPLOAD_SECONDS: Final = 3600.0
"""How long an image that no generation uses stays where the storage is full."""

EXPORT_SECONDS: Final = 900.0
"""How long an export stays where the storage is full: whoever asked for it has to download it."""


class Streams(Protocol):
    """The open event streams."""

    def watched(self) -> Collection[str]:
        """The generations of which somebody has an open stream."""

    def retention_changed(self, session_id: str, removed: Sequence[str], /) -> None:
        """Let those of a session know what was removed for good, or that something else goes first."""


class RetentionThread:
    """`run` is for a thread of its own; it returns at once where everything is kept for ever."""

    def __init__(
        self,
        store: Store,
        storage: Storage,
        data_folder: DataFolder,
        rules: RetentionRules,
        in_use: InUse,
        streams: Streams,
    ) -> None:
        self._store, self._storage, self._data_folder, self._rules = store, storage, data_folder, rules
        self._in_use, self._streams = in_use, streams
        self._owner = new_id("ret")
        self._write_seconds = SHARED_SECONDS if storage.is_shared else INTERVAL_SECONDS
        self._gone: dict[str, list[str]] = {}
        self._passed_on_at = 0.0
        self._warned: frozenset[str] = frozenset()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._skipped: set[str] = set()
        if rules.seconds:
            store.database.listen(self._check_ended)
            if storage.is_shared:
                store.database.subscribe(FULL, lambda _text: self._wake.set())

    def start(self) -> Self:
        """Run in a thread, until `stop`."""
        if self._rules.seconds:
            self._thread = threading.Thread(target=self.run, name="retention", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread, after the batch that it is removing."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(10)

    def make_room(self) -> None:
        """Look soon whether the storage is full, at whatever process removes."""
        self._wake.set()
        if self._storage.is_shared:
            with suppress(StorageError):  # it looks by itself, only later
                self._store.database.signal(FULL, "look")

    def run(self) -> None:
        """Remove what is due whenever something is, until `stop`."""
        while not self._stopping.is_set():
            due = time.monotonic() + self.remove_due()
            while not self._wake.wait(min(self._write_seconds, max(0.0, due - time.monotonic()))):
                if time.monotonic() >= due:
                    break
                self._write_uses()
            # What ends close together is one look.
            self._stopping.wait(PAUSE_SECONDS)
            self._wake.clear()
        self._write_uses()

    def remove_due(self) -> float:
        """Remove what is due; return in how many seconds to look again."""
        self._skipped.clear()
        try:
            self._write_uses()
            if not self._has_task():
                return IN_USE_SECONDS
            removed = self._remove_overdue() + self._empty_full_storage()
            if removed:
                logger.info("Retention: %s removed.", counted(removed, "generation"))
            self._warn()
            due = self._store.next_expiry(self._rules)
        except Exception:  # the thread must not end
            logger.exception("What is due could not be removed.")
            return IN_USE_SECONDS
        finally:
            self._pass_on()
        waits = [INTERVAL_SECONDS] if due is None else [INTERVAL_SECONDS, max(0.0, due - self._store.clock())]
        return min([*waits, *([IN_USE_SECONDS] if self._skipped else [])])

    def _has_task(self) -> bool:
        """Whether this process removes, of those that use the storage: two at once would remove twice too much."""
        return self._store.hold_task("retention", self._owner, TASK_SECONDS)

    def _write_uses(self) -> None:
        uses, older_by = self._in_use.take_unwritten(), USED_SECONDS
        if self._storage.is_shared:
            # Others remove, who see no more of it than this.
            now, older_by = self._store.clock(), 2 * SHARED_SECONDS
            uses |= dict.fromkeys(self._in_use.held().union(self._streams.watched()), now)
        try:
            self._store.write_generation_uses(uses, older_by)
        except StorageError as problem:
            logger.warning("When generations were used last could not be written: %s", problem)

    def _remove_overdue(self) -> int:
        removed = 0
        while not self._stopping.is_set() and self._has_task():
            found = self._store.due_for_retention(self._rules, self._skipped, BATCH)
            if not found:
                break
            removed += len(self._remove(self._unused(found), self._rules.due(self._store.clock())))
        return removed

    def _unused(self, found: list[Candidate]) -> list[Candidate]:
        """Those that nobody uses. Where all of a batch are used, the next call of the query leaves them out."""
        watched = self._streams.watched()
        used = {one.id for one in found if one.id in watched or self._in_use.is_used(one.id, one.session_id)}
        self._skipped |= used
        return [one for one in found if one.id not in used]

    def _empty_full_storage(self) -> int:
        rules, removed = self._rules, 0
        if rules.max_bytes_per_session:
            for session_id in self._store.sessions_above(round(rules.max_bytes_per_session * ROOM)):
                removed += self._empty(session_id, round(rules.max_bytes_per_session * ROOM))
        if rules.max_bytes:
            removed += self._empty(None, round(rules.max_bytes * ROOM))
        return removed

    def _empty(self, session_id: str | None, target: int) -> int:
        """Remove what was used longest ago until a session, or everything, takes at most `target` bytes."""
        stored, removed = self._store.stored_bytes(session_id), 0
        if stored > target and (uploads := self._store.remove_unused_uploads(self._store.clock() - UPLOAD_SECONDS)):
            for upload in uploads:
                self._storage.delete(upload.key)
            stored = self._store.stored_bytes(session_id)
        stored -= self._remove_exports(session_id, stored - target)
        while stored > target and not self._stopping.is_set() and self._has_task():
            found = self._store.least_recently_used(self._rules, session_id, self._skipped, BATCH)
            if not found:
                break
            chosen, freed = [], 0
            for one in self._unused(found):
                if stored - freed <= target:
                    break
                chosen.append(one)
                freed += one.size_bytes
            gone = self._remove(chosen, self._rules.unused(self._store.clock()))
            stored -= sum(one.size_bytes for one in chosen if one.id in gone)
            removed += len(gone)
        return removed

    def _remove_exports(self, session_id: str | None, excess: int) -> int:
        """Remove exports, which can be made again, the oldest first; return how many bytes that were."""
        before, freed = self._store.clock() - EXPORT_SECONDS, 0
        while freed < excess and (removed := self._store.remove_old_exports(session_id, before, 1)):
            remove_export_files(self._storage, removed)
            freed += sum(size for _, size in removed)
        return freed

    def _remove(self, chosen: list[Candidate], still: ColumnElement[bool]) -> frozenset[str]:
        ids, begun = [one.id for one in chosen], time.monotonic()
        if not ids:
            return frozenset()
        gone = remove_generations(
            self._store, self._storage, self._data_folder, lambda: self._store.remove_ended(ids, still)
        )
        self._skipped |= set(ids) - gone
        for one in chosen:
            if one.id in gone:
                self._gone.setdefault(one.session_id, []).append(one.id)
        if time.monotonic() - self._passed_on_at > PAUSE_SECONDS:
            self._pass_on()
        self._stopping.wait((time.monotonic() - begun) * REST)
        return gone

    def _pass_on(self) -> None:
        """Let open pages know what is gone, about once a second while much goes."""
        gone, self._gone = self._gone, {}
        for session_id, ids in gone.items():
            self._streams.retention_changed(session_id, ids)
        self._passed_on_at = time.monotonic()

    def _warn(self) -> None:
        """Let sessions know that something of theirs goes first from now on, or no longer, as the storage fills up."""
        now = frozenset(self._store.first_to_go(self._rules, None).by_session)
        for session_id in now ^ self._warned:
            self._streams.retention_changed(session_id, ())
        self._warned = now

    def _check_ended(self, events: list[StoredEvent]) -> None:
        if any(is_terminal(event.type) for event in events):
            self._wake.set()
