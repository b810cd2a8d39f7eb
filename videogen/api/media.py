"""Outside `/api/v1`: files by signed link, and health."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse

from videogen.api.auth import ServiceDep
from videogen.api.problems import documented
from videogen.core.errors import FileMissing, NotFound, NotReady, StorageFault
from videogen.core.text import disposition
from videogen.core.version import __version__
from videogen.schemas.system import Health

router = APIRouter()


@router.head("/media/{file_id}", include_in_schema=False)
@router.get(
    "/media/{file_id}",
    tags=["media"],
    response_class=FileResponse,
    responses=documented(NotFound, FileMissing, also={206: {"description": "The part that `Range` asks for."}}),
)
def media(service: ServiceDep, file_id: str, exp: str = "", sig: str = "") -> FileResponse:
    """A video, picture or poster. Its link is signed and holds for a day: ask for its generation to get a new one."""
    file = service.media(file_id, exp, sig)
    response = FileResponse(file.path, media_type=file.content_type)
    if file.name is not None:
        response.headers["Content-Disposition"] = disposition("inline", file.name)
    # A finished file never changes; a preview is replaced, under a new link.
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@router.get("/healthz", tags=["health"])
async def healthz(service: ServiceDep) -> JSONResponse:
    """The process lives and answers; who it is, in which version, on whose data."""
    health = Health(status="ok", name="videogen", version=__version__, instance=service.instance)
    return JSONResponse(health.model_dump(mode="json", by_alias=True), headers={"Cache-Control": "no-store"})


@router.get("/readyz", tags=["health"], responses=documented(NotReady, StorageFault))
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
        NotFound: always.
    """
    raise NotFound(f"There is nothing at /api/{path}. See /docs for what there is.")
