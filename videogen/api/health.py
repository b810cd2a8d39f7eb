"""`/healthz` and `/readyz`, and the answer for an API address that does not exist."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from videogen.core.errors import NotFoundError, NotReadyError, StorageError
from videogen.core.version import __version__
from videogen.schemas.system import Health
from videogen.web.problems import documented
from videogen.web.sessions import ServiceDep

router = APIRouter()


@router.get("/healthz", tags=["health"])
async def healthz(service: ServiceDep) -> JSONResponse:
    """The process lives and answers; who it is, in which version, on whose data."""
    health = Health(status="ok", name="videogen", version=__version__, instance=service.instance)
    return JSONResponse(health.model_dump(mode="json", by_alias=True), headers={"Cache-Control": "no-store"})


@router.get("/readyz", tags=["health"], responses=documented(NotReadyError, StorageError))
def readyz(service: ServiceDep) -> JSONResponse:
    """The database answers and the workers live.

    `degraded` where all but rendering works; `detail` says what is amiss. It is no error, since then a load balancer
    would take the pages away from those who only want to see their videos.
    """
    lack = service.ready()
    body = {"status": "ready"} if lack is None else {"status": "degraded", "detail": lack}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
async def nothing_here(path: str) -> None:
    """An address of the API that does not exist; without this, the page's catch-all would answer.

    Raises:
        NotFoundError: always.
    """
    raise NotFoundError(f"There is nothing at /api/{path}. See /docs for what there is.")
