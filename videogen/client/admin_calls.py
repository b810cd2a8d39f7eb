"""The calls of the operator, for a client whose token is that of `VIDEOGEN_ADMIN_TOKEN`."""

from __future__ import annotations

from typing import Final, Literal

from videogen.client.calls import API, Call, Text, segment
from videogen.client.transport import Transport
from videogen.schemas.admin import AuditPage, BanList, CancelAsked, FlagList, OperatorQueue, Overview

_ADMIN: Final = f"{API}/admin"
HoldAction = Literal["pause", "resume", "drain"]
SettleAction = Literal["unshare", "dismiss", "remove"]


class AdminCalls(Transport):
    """A part of `AsyncClient`."""

    async def admin_overview(self) -> Overview:
        """The queue of everybody, engines, storage, sessions by use, refused requests, bans, and what was reported."""
        return await self._send(Call("GET", f"{_ADMIN}/overview", Overview))

    async def admin_hold(self, action: HoldAction) -> OperatorQueue:
        """Pause or drain the whole queue, or let it go on."""
        return await self._send(Call("POST", f"{_ADMIN}/{action}", OperatorQueue))

    async def admin_cancel(self, generation_id: str) -> CancelAsked:
        """Cancel a generation of any session."""
        return await self._send(Call("POST", f"{_ADMIN}/generations/{segment(generation_id)}/cancel", CancelAsked))

    async def admin_settle(self, generation_id: str, action: SettleAction) -> FlagList:
        """Settle what was reported or flagged: end the public link, dismiss it, or remove the generation for good."""
        return await self._send(Call("POST", f"{_ADMIN}/generations/{segment(generation_id)}/{action}", FlagList))

    async def admin_log(self, generation_id: str) -> str:
        """What the engine of a generation of any session has printed."""
        return (await self._send(Call("GET", f"{_ADMIN}/generations/{segment(generation_id)}/log", Text))).text

    async def admin_ban(self, target: str, *, banned: bool = True) -> BanList:
        """Let a session make nothing new, or an address (itself, or its hash); with `banned=False`, undo it."""
        kind = "sessions" if target.startswith("ses_") else "addresses"
        path = f"{_ADMIN}/{kind}/{segment(target)}/{'ban' if banned else 'unban'}"
        return await self._send(Call("POST", path, BanList, repeatable=banned))

    async def admin_audit(self, limit: int = 100, before: int | None = None) -> AuditPage:
        """What the operator has done, the newest first; `before` is `next_before` of the page before."""
        params = {"limit": limit} | ({} if before is None else {"before": before})
        return await self._send(Call("GET", f"{_ADMIN}/audit", AuditPage, {"params": params}))
