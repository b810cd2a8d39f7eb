"""`/healthz` and `/readyz`, and the answer for an API address that does not exist."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from videogen.core.errors import NotReadyError, StorageError, UnknownRouteError
from videogen.core.version import __version__
from videogen.schemas.system import Health, Readiness
from videogen.web.dependencies import ServicesDep
from videogen.web.problems import documented

router = APIRouter()


@router.get("/healthz", tags=["health"])
async def healthz(services: ServicesDep) -> JSONResponse:
    """The process answers: its name, its version, which data folder it serves, and whether that outlives a restart."""
    health = Health(
        status="ok",
        name="videogen",
        version=__version__,
        instance=services.system.instance,
        queue=services.system.queue_state,
        keeps_data=services.system.keeps_data,
    )
    return JSONResponse(health.model_dump(mode="json", by_alias=True), headers={"Cache-Control": "no-store"})


@router.get("/readyz", tags=["health"], responses=documented(NotReadyError, StorageError))
def readyz(services: ServicesDep) -> JSONResponse:
    """The database answers and the workers live.

    `degraded` where everything but rendering works; `detail` says why. It is not an error, because a load balancer
    would then take the pages away from people who only want to see their videos. `restored` and `snapshots` are about
    snapshots, where there are any.
    """
    reason = services.system.ready()
    status: Literal["ready", "degraded"] = "ready" if reason is None else "degraded"
    system = services.system
    queue = None if system.queue_state == "running" else system.queue_state
    body = Readiness(
        status=status, detail=reason, queue=queue, restored=system.restored(), snapshots=system.snapshots()
    )
    shown = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    return JSONResponse(shown, headers={"Cache-Control": "no-store"})


@router.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
async def unknown_path(path: str) -> None:
    """A path of the API that does not exist. Without this route the page's catch-all would answer.

    Raises:
        UnknownRouteError: always.
    """
    raise UnknownRouteError(f"/api/{path}")
