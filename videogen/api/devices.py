"""`/api/v1/devices`: the devices that can open a session; sign one of them or all others out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from videogen.core.errors import NotFoundError
from videogen.schemas.system import DeviceList, SessionCreated
from videogen.web.dependencies import ServicesDep
from videogen.web.problems import documented
from videogen.web.sessions import READS, WRITES, IdentityDep, SessionDep, StoredSessionDep, TokenDep, session_cookie

router = APIRouter(prefix="/api/v1/devices", tags=["sessions"])


@router.get("", responses=READS)
def list_devices(services: ServicesDep, identity: IdentityDep) -> DeviceList:
    """The devices that can open the session, the one that was used last first; none while nothing is stored in it."""
    return services.sessions.list_devices(identity)


@router.delete("/{device_id}", status_code=204, responses=WRITES | documented(NotFoundError))
def sign_out(services: ServicesDep, session_id: SessionDep, device_id: str) -> Response:
    """Sign a device out: its token never opens the session again. A pending one-time code is revoked too.

    Every event stream of the session ends; reconnect with `Last-Event-ID`, and you miss nothing.
    """
    services.sessions.sign_out(session_id, device_id)
    return Response(status_code=204)


@router.delete("", responses=WRITES)
def sign_out_others(
    services: ServicesDep, session_id: StoredSessionDep, token: TokenDep, request: Request, response: Response
) -> SessionCreated:
    """Sign all other devices out, and replace the token of this one: use the returned token from now on.

    Sets the browser's cookie, if the request came with it. A pending one-time code is revoked too.
    """
    created = services.sessions.sign_out_others(session_id, token)
    if "authorization" not in request.headers:
        response.headers["Set-Cookie"] = session_cookie(request, created.token)
    response.headers["Cache-Control"] = "no-store"
    return created
