"""`/api/v1/generations`: submit, list, change, cancel, retry, delete; trash, restore and zip for many at once."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import PlainTextResponse

from videogen.core.errors import (
    IdempotencyConflictError,
    InvalidRequestError,
    LimitExceededError,
    NeedsNoAttentionError,
    NotFoundError,
    NotQueuedError,
    NotTerminalError,
)
from videogen.schemas.generations import (
    Generation,
    GenerationCreate,
    GenerationMove,
    GenerationPage,
    GenerationPatch,
    GenerationResolve,
    ListQuery,
    Project,
)
from videogen.schemas.history import Bundle, Chosen, IdsPage, IdsQuery, Restored, Trashed, TrashPage, TrashQuery
from videogen.schemas.shots import ShotRemake
from videogen.web.dependencies import AppStateDep, ServicesDep
from videogen.web.pagination import decode_cursor, encode_cursor
from videogen.web.problems import documented
from videogen.web.sessions import MAKES, READS, WRITES, SessionDep, StoredSessionDep
from videogen.web.visitor import VisitorDep

router = APIRouter(prefix="/api/v1/generations", tags=["generations"])
_WRITE: Final = WRITES | documented(NotFoundError)
_MAKE: Final = MAKES | documented(NotFoundError)
_WRITE_MANY: Final = WRITES | documented(InvalidRequestError)


@router.post(
    "",
    status_code=201,
    responses=MAKES
    | documented(IdempotencyConflictError, InvalidRequestError, LimitExceededError)
    | {200: {"model": Project, "description": "The same key and body came before: the same project."}},
)
def create_generation(
    services: ServicesDep,
    session_id: StoredSessionDep,
    create: GenerationCreate,
    visitor: VisitorDep,
    response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=128, min_length=1)] = None,
) -> Project:
    """Submit a prompt. When this answers, the generation is durable: no crash loses it.

    Send an `Idempotency-Key` of your own with each submit. The same key and body give the same project again,
    however often they are sent.
    """
    project, new = services.generations.submit(session_id, create, idempotency_key, visitor)
    response.status_code = 201 if new else 200
    return project


@router.get("", responses=READS | documented(InvalidRequestError))
def list_generations(
    services: ServicesDep, session_id: SessionDep, query: Annotated[ListQuery, Query()]
) -> GenerationPage:
    """The session's generations, newest first."""
    page, following = services.generations.list(session_id, query, decode_cursor(query.cursor))
    return page.model_copy(update={"next_cursor": encode_cursor(following)})


@router.get("/ids", responses=READS | documented(InvalidRequestError))
def list_ids(services: ServicesDep, session_id: SessionDep, query: Annotated[IdsQuery, Query()]) -> IdsPage:
    """The ids of all matching generations, newest first, up to 1000 a page: for calls that take many ids."""
    ids, following = services.generations.list_ids(session_id, query, decode_cursor(query.cursor))
    return IdsPage(ids=ids, next_cursor=encode_cursor(following))


@router.post("/trash", responses=_WRITE_MANY)
def trash_generations(services: ServicesDep, session_id: SessionDep, chosen: Chosen) -> Trashed:
    """Delete these in a way that can be undone. They and their links are hidden at once.

    `POST /generations/restore` brings them back until `restorableUntil`; then they are removed with their files.
    Queued and running ones are left out (`not_terminal`), and so are those that do not exist or are not yours
    (`not_found`). Safe to repeat.
    """
    return services.trash.trash(session_id, chosen)


@router.get("/trash", responses=READS | documented(InvalidRequestError))
def list_trash(services: ServicesDep, session_id: SessionDep, query: Annotated[TrashQuery, Query()]) -> TrashPage:
    """What can be restored, newest first, each with `restorableUntil`. Its links are null until it is restored."""
    page, following = services.trash.list(session_id, query, decode_cursor(query.cursor))
    return page.model_copy(update={"next_cursor": encode_cursor(following)})


@router.post("/restore", responses=_WRITE_MANY)
def restore_generations(services: ServicesDep, session_id: SessionDep, chosen: Chosen) -> Restored:
    """Undo `POST /generations/trash`: they are as they were, public links included. Safe to repeat."""
    return services.trash.restore(session_id, chosen)


@router.post("/zip", status_code=201, responses=_WRITE_MANY)
def create_archive(services: ServicesDep, state: AppStateDep, session_id: SessionDep, chosen: Chosen) -> Bundle:
    """Get a link to a zip of these: videos, pictures, posters, and a `manifest.json` that `POST /import` takes.

    Generations that have not ended or are not yours are left out. If none is left, it is an `invalid_request`.
    """
    return services.exports.create_link(session_id, chosen, state.config.base_url + state.config.root_path)


@router.get("/{generation_id}", responses=READS | documented(NotFoundError))
def get_generation(services: ServicesDep, session_id: SessionDep, generation_id: str) -> Generation:
    """One generation as it is now."""
    return services.generations.get(session_id, generation_id)


@router.get("/{generation_id}/log", response_class=PlainTextResponse, responses=READS | documented(NotFoundError))
def get_log(services: ServicesDep, session_id: SessionDep, generation_id: str) -> PlainTextResponse:
    """What its engine printed and logged in all attempts, with the traceback of an error. Empty if it was nothing.

    It is there while the generation runs, and is kept as long as the generation. Of more than 256 KiB the middle is
    left out.
    """
    text = services.generations.log(session_id, generation_id)
    return PlainTextResponse(text, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


@router.patch("/{generation_id}", responses=_WRITE | documented(NotQueuedError, InvalidRequestError))
def patch_generation(
    services: ServicesDep, session_id: SessionDep, generation_id: str, patch: GenerationPatch
) -> Generation:
    """Change its title or its favourite mark; while it is queued also prompt, negative prompt and settings.

    Those are checked as in a submit, and the recipe is made again: `settings` that are not named stay, seed included.
    All of the request happens, or nothing.
    """
    return services.generations.patch(session_id, generation_id, patch)


@router.post(
    "/{generation_id}/cancel",
    status_code=202,
    responses=_WRITE | {200: {"model": Generation, "description": "It had ended or was being cancelled: unchanged."}},
)
def cancel_generation(
    services: ServicesDep, session_id: SessionDep, generation_id: str, response: Response
) -> Generation:
    """Cancel it. Safe at any time; a running generation ends when its renderer confirms."""
    generation, changed = services.generations.cancel(session_id, generation_id)
    response.status_code = 202 if changed else 200
    return generation


@router.post("/{generation_id}/move", responses=_WRITE | documented(NotQueuedError))
def move_generation(
    services: ServicesDep, session_id: SessionDep, generation_id: str, move: GenerationMove
) -> Generation:
    """Move a queued generation before another one of this session, or after all of them. Safe to repeat.

    The order of other sessions stays. If the other one has begun in the meantime, it becomes the first of the session.
    """
    return services.generations.move(session_id, generation_id, move.before)


@router.post(
    "/{generation_id}/retry",
    status_code=201,
    responses=_MAKE | documented(NotTerminalError, InvalidRequestError, LimitExceededError),
)
def retry_generation(
    services: ServicesDep, session_id: SessionDep, visitor: VisitorDep, generation_id: str
) -> Generation:
    """Make a new generation with the recipe and the seed of one that has ended."""
    return services.generations.retry(session_id, generation_id, visitor).generations[0]


@router.post(
    "/{generation_id}/shots/{number}",
    status_code=201,
    responses=_MAKE | documented(InvalidRequestError, LimitExceededError),
)
def remake_shot(
    services: ServicesDep,
    session_id: SessionDep,
    visitor: VisitorDep,
    generation_id: str,
    number: int,
    change: ShotRemake,
) -> Generation:
    """Make a new generation in which one shot of a finished video, counted from 1, is made again.

    The shots before it are copied. It keeps what it needs: the old generation may be deleted.
    """
    return services.remakes.remake(session_id, generation_id, number, change, visitor)


@router.post(
    "/{generation_id}/resolve",
    responses=_MAKE
    | documented(NeedsNoAttentionError, InvalidRequestError, LimitExceededError)
    | {201: {"model": Generation, "description": "`resubmit`: the new generation. The old one ended as failed."}},
)
def resolve_generation(
    services: ServicesDep,
    session_id: SessionDep,
    visitor: VisitorDep,
    generation_id: str,
    resolve: GenerationResolve,
    response: Response,
) -> Generation:
    """Say what becomes of a generation in the stage `needs_attention`: a service may have its job, or not.

    Nothing is sent to a service again unless you ask for it with `resubmit`, which may be paid twice. `look` and `fail`
    answer with the same generation. One call succeeds; a repeated one is a 409 `needs_no_attention`, until the
    generation needs attention again.
    """
    generation = services.generations.resolve(session_id, generation_id, resolve, visitor)
    response.status_code = 201 if resolve.action == "resubmit" else 200
    return generation


@router.delete("/{generation_id}", status_code=204, responses=_WRITE | documented(NotTerminalError))
def delete_generation(services: ServicesDep, session_id: SessionDep, generation_id: str) -> Response:
    """Delete one that has ended, and its files, for good. `POST /generations/trash` can be undone."""
    services.generations.delete(session_id, generation_id)
    return Response(status_code=204)
