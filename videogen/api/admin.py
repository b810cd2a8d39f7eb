"""`/api/v1/admin`: what the operator sees and does. Without `VIDEOGEN_ADMIN_TOKEN` nothing of it exists."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse

from videogen.core.errors import (
    AdminRequiredError,
    DatabaseBusyError,
    InvalidRequestError,
    LimitExceededError,
    NotFoundError,
    NotTerminalError,
)
from videogen.schemas.admin import AuditPage, AuditQuery, BanList, CancelAsked, FlagList, OperatorQueue, Overview
from videogen.web.admin_access import OperatorDep
from videogen.web.dependencies import ServicesDep
from videogen.web.problems import documented

_OPERATOR: Final = documented(AdminRequiredError, NotFoundError, LimitExceededError, DatabaseBusyError)
router = APIRouter(prefix="/api/v1/admin", tags=["operator"], responses=_OPERATOR)
_NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@router.get("/overview")
def get_overview(services: ServicesDep, _who: OperatorDep) -> Overview:
    """The queue of everybody, engines, storage, sessions by use, refused requests, bans, and what was reported.

    It has prompts, and neither tokens nor addresses, which are keyed hashes.
    """
    return services.admin.overview()


@router.get("/generations/{generation_id}/log", response_class=PlainTextResponse)
def get_any_log(services: ServicesDep, _who: OperatorDep, generation_id: str) -> PlainTextResponse:
    """What the engine of a generation of any session has printed, also while it runs."""
    return PlainTextResponse(services.admin.log(generation_id), headers=_NO_STORE)


@router.post("/generations/{generation_id}/cancel")
def cancel_any(services: ServicesDep, who: OperatorDep, generation_id: str) -> CancelAsked:
    """Cancel a generation of any session. Safe to repeat."""
    return services.admin.cancel(who, generation_id)


@router.post("/generations/{generation_id}/unshare")
def end_any_share(services: ServicesDep, who: OperatorDep, generation_id: str) -> FlagList:
    """End the public link of a generation of any session. Safe to repeat."""
    return services.admin.end_share(who, generation_id)


@router.post("/generations/{generation_id}/dismiss")
def dismiss(services: ServicesDep, who: OperatorDep, generation_id: str) -> FlagList:
    """Forget what was reported about a generation, and its flag. Safe to repeat."""
    return services.admin.dismiss(who, generation_id)


@router.post("/generations/{generation_id}/remove", responses=documented(NotTerminalError))
def remove_any(services: ServicesDep, who: OperatorDep, generation_id: str) -> FlagList:
    """Remove a generation of any session for good, with its files. Its public link answers 410 then.

    Cancel it first where it is queued or running.
    """
    return services.admin.remove(who, generation_id)


@router.post("/pause")
def pause_all(services: ServicesDep, who: OperatorDep) -> OperatorQueue:
    """Let nothing start until `POST /admin/resume`, also after a restart. What runs goes on, and submits are taken."""
    return services.admin.pause(who)


@router.post("/resume")
def resume_all(services: ServicesDep, who: OperatorDep) -> OperatorQueue:
    """Undo `pause` and `drain`. Safe to repeat."""
    return services.admin.resume(who)


@router.post("/drain")
def drain(services: ServicesDep, who: OperatorDep) -> OperatorQueue:
    """Let what runs end and nothing start, until `POST /admin/resume` or the next start of the server.

    `/healthz` and `/readyz` have `queue: draining`, and `drained` once nothing runs any more.
    """
    return services.admin.drain(who)


@router.post("/sessions/{session_id}/ban")
def ban_session(services: ServicesDep, who: OperatorDep, session_id: str) -> BanList:
    """Let a session make nothing new: submits, uploads and imports are 403 `banned`. What it has, it keeps."""
    return services.admin.ban_session(who, session_id, banned=True)


@router.post("/sessions/{session_id}/unban")
def unban_session(services: ServicesDep, who: OperatorDep, session_id: str) -> BanList:
    """Undo the ban of a session."""
    return services.admin.ban_session(who, session_id, banned=False)


@router.post("/addresses/{address}/ban", responses=documented(InvalidRequestError))
def ban_address(services: ServicesDep, who: OperatorDep, address: str) -> BanList:
    """The same for an address, which can make no new session either.

    `address` is an IP address, or its hash as in the overview; only the hash is stored. Of IPv6 the /64 network counts.
    """
    return services.admin.ban_address(who, address, banned=True)


@router.post("/addresses/{address}/unban", responses=documented(InvalidRequestError))
def unban_address(services: ServicesDep, who: OperatorDep, address: str) -> BanList:
    """Undo the ban of an address."""
    return services.admin.ban_address(who, address, banned=False)


@router.get("/bans")
def list_bans(services: ServicesDep, _who: OperatorDep) -> BanList:
    """All bans, the newest first."""
    return services.admin.bans()


@router.get("/audit", responses=documented(InvalidRequestError))
def get_audit(services: ServicesDep, _who: OperatorDep, query: Annotated[AuditQuery, Query()]) -> AuditPage:
    """What the operator has done, the newest first: when, who, what, and to what."""
    return services.admin.audit(query.limit, query.before)
