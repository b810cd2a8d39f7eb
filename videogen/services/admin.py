"""The use cases of the operator: see what goes on, hold the queue, cancel, ban.

Who may call them is decided in `web.admin_access`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Final

from videogen.core.addresses import parse_address, visitor_name
from videogen.core.clock import to_datetime
from videogen.core.errors import BannedError, InvalidRequestError
from videogen.db.operating_tables import BanRow
from videogen.jobs.cleanup import remove_generations
from videogen.jobs.render_logs import RenderLogs
from videogen.live.hub import VISITORS
from videogen.schemas.admin import (
    AuditEntry,
    AuditPage,
    Ban,
    BanList,
    CancelAsked,
    FlagList,
    OperatorQueue,
    Overview,
    QueueState,
)
from videogen.schemas.status import Status
from videogen.services.overview import make_flags, make_overview
from videogen.services.parts import Parts
from videogen.services.quotas import QuotaService
from videogen.store import OperatorState
from videogen.store.operator_state import OPERATOR, Act

_HASH: Final = re.compile(r"[0-9a-f]{32}")


class Bans:
    """Who may make nothing new. Blocks on the database."""

    def __init__(self, parts: Parts) -> None:
        self._store, self._address_hash = parts.store, QuotaService(parts).address_hash

    def check(self, address: str, session_id: str | None = None) -> None:
        """Raise BannedError where the operator has banned the address or the session."""
        if self._store.is_banned(session_id, self._address_hash(address)):
            raise BannedError


class AdminService:
    """What the operator sees and does. Every method blocks: call it from a thread, never in the event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._store = parts, parts.store
        self._logs = RenderLogs(parts.store, parts.storage, parts.data_folder)
        self._address_hash = QuotaService(parts).address_hash
        self._is_alone = not parts.config.uses_postgresql
        state = parts.store.operator_state()
        # Where this process is alone, a drain ends with its start.
        self._known = replace(state, draining=False) if self._is_alone else state
        parts.store.database.subscribe(OPERATOR, self._hear)

    def _hear(self, text: str) -> None:
        # Without a text something may have been missed.
        self._known = OperatorState.of(text) if text else self._store.operator_state()

    def overview(self) -> Overview:
        """All that goes on."""
        return make_overview(self._parts, self.state())

    def state(self) -> OperatorQueue:
        """Whether the whole queue is held, and how many generations still run."""
        running = len(self._parts.workers.held)
        if not self._is_alone:
            self._known = self._store.operator_state()
            running = sum(one.count for one in self._store.active_counts() if one.state == Status.PROCESSING)
        return OperatorQueue(queue=_state_name(self._known, running), running_count=running)

    def state_in_memory(self) -> QueueState:
        """Whether the whole queue is held, without asking the database.

        Where other processes render, a drained queue is said to be draining.
        """
        return _state_name(self._known, len(self._parts.workers.held) if self._is_alone else 1)

    def log(self, generation_id: str) -> str:
        """What the engine of a generation has printed. Raises NotFoundError."""
        return self._logs.read(self._store.owner_of(generation_id), generation_id)

    def pause(self, who: str) -> OperatorQueue:
        """Let nothing start, also after a restart. Safe to repeat."""
        return self._hold(Act(who, "pause"), paused=True)

    def drain(self, who: str) -> OperatorQueue:
        """Let nothing start until the next start of the server. Safe to repeat."""
        return self._hold(Act(who, "drain"), draining=True)

    def resume(self, who: str) -> OperatorQueue:
        """Undo `pause` and `drain`. Safe to repeat."""
        return self._hold(Act(who, "resume"), paused=False, draining=False)

    def _hold(self, act: Act, *, paused: bool | None = None, draining: bool | None = None) -> OperatorQueue:
        self._known = self._store.set_operator_state(act, paused=paused, draining=draining)
        self._parts.queue.notify()
        return self.state()

    def cancel(self, who: str, generation_id: str) -> CancelAsked:
        """Cancel a generation of any session. Safe at any time. Raises NotFoundError."""
        row, changed = self._store.cancel_any(Act(who, "cancel", generation_id))
        if changed:
            self._parts.queue.cancel(generation_id)
        return CancelAsked(id=row.id, status=row.status, changed=changed)

    def ban_session(self, who: str, session_id: str, *, banned: bool) -> BanList:
        """Let a session make nothing new, or undo it. Raises NotFoundError."""
        if banned:
            self._store.ban(Act(who, "ban", session_id), "session")
        else:
            self._store.unban(Act(who, "unban", session_id), "session")
        return self.bans()

    def ban_address(self, who: str, address: str, *, banned: bool) -> BanList:
        """The same for an address: its hash as in the overview, or the address itself, of which the hash is stored.

        Raises:
            InvalidRequestError: it is neither.
            NotFoundError: it is not banned.
        """
        if _HASH.fullmatch(address) is None:
            if parse_address(address) is None:
                raise InvalidRequestError("address", "an IP address, or its hash as in the overview", address)
            address = self._address_hash(visitor_name(address))
        if banned:
            self._store.ban(Act(who, "ban_address", address), "address")
        else:
            self._store.unban(Act(who, "unban_address", address), "address")
        return self.bans()

    def end_share(self, who: str, generation_id: str) -> FlagList:
        """End the public link of a generation of any session, at once. Safe to repeat. Raises NotFoundError."""
        self._store.end_any_share(Act(who, "unshare", generation_id))
        self._parts.hub.end((VISITORS, generation_id))
        return self.flags()

    def dismiss(self, who: str, generation_id: str) -> FlagList:
        """Forget what was reported about a generation, and its flag. Safe to repeat. Raises NotFoundError."""
        self._store.dismiss(Act(who, "dismiss", generation_id))
        return self.flags()

    def remove(self, who: str, generation_id: str) -> FlagList:
        """Remove a generation of any session for good, with its files. Raises NotFoundError, NotTerminalError."""
        owner = self._store.owner_of(generation_id)
        delete_rows = partial(self._store.remove_any, Act(who, "remove", generation_id))
        remove_generations(self._store, self._parts.storage, self._parts.data_folder, delete_rows)
        self._parts.hub.end((VISITORS, generation_id))
        self._parts.hub.retention_changed(owner, [generation_id])
        return self.flags()

    def flags(self) -> FlagList:
        """What was reported or flagged."""
        return FlagList(items=make_flags(self._parts))

    def bans(self) -> BanList:
        """All bans, the newest first."""
        return BanList(items=[ban_of(row) for row in self._store.list_bans()])

    def note(self, who: str, act: str) -> None:
        """Add what changes nothing in the database to the audit log."""
        self._store.record_act(Act(who, act))

    def audit(self, limit: int, before: int | None) -> AuditPage:
        """A page of the audit log, the newest first."""
        rows = self._store.list_audit(limit, before)
        items = [
            AuditEntry(id=row.id or 0, at=to_datetime(row.at), who=row.who, act=row.act, target=row.target)
            for row in rows
        ]
        return AuditPage(items=items, next_before=items[-1].id if len(items) == limit else None)


def ban_of(row: BanRow) -> Ban:
    """A ban as the operator sees it."""
    return Ban.model_validate({"kind": row.kind, "target": row.target, "at": to_datetime(row.created_at)})


def _state_name(state: OperatorState, running: int) -> QueueState:
    """The state in one word. A drain is the stronger one."""
    if state.draining:
        return "draining" if running else "drained"
    return "paused" if state.paused else "running"
