"""Errors as RFC 9457 problem+json, with a stable `code`."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any, Final

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from videogen.core.errors import (
    AdminRequiredError,
    DatabaseBusyError,
    InvalidRequestError,
    LimitExceededError,
    MethodNotAllowedError,
    NotFoundError,
    PayloadTooLargeError,
    RequestTimeoutError,
    ServerBusyError,
    SessionMovedError,
    SessionRequiredError,
    UnknownRouteError,
    UnsupportedFormatError,
    VideogenError,
)
from videogen.core.log_context import add_context, current_context
from videogen.core.validation import invalid_request
from videogen.schemas.system import LimitInfo, Problem

logger = logging.getLogger(__name__)
SESSION_ID: Final = "videogen.session"
"""The key of the ASGI scope under which the id of a request's session stands."""
_NOT_LOGGED: Final = (DatabaseBusyError, UnsupportedFormatError, SessionMovedError)
MEDIA_TYPE: Final = "application/problem+json"
HTML: Final = "text/html"


def problem_response(error: VideogenError) -> JSONResponse:
    """The response for an error."""
    add_context(code=error.code)
    body: dict[str, Any] = {"type": error.type, "title": error.title, "status": error.status}
    body |= {"detail": error.detail, "code": error.code}
    headers = {"Cache-Control": "no-store"}
    if error.status >= 500 and (request_id := current_context().get("request_id")):
        headers["X-Request-ID"] = str(request_id)
    if isinstance(error, InvalidRequestError):
        body["errors"] = error.errors
    if isinstance(error, LimitExceededError | DatabaseBusyError | ServerBusyError | SessionMovedError):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, LimitExceededError) and error.limit is not None:
        limit = LimitInfo(**asdict(error.limit), retry_after_seconds=error.retry_after)
        body["limit"] = limit.model_dump(by_alias=True)
    if isinstance(error, SessionRequiredError | AdminRequiredError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = ", ".join(error.allowed)
    return JSONResponse(body, error.status, headers, MEDIA_TYPE)


Responses = dict[int | str, dict[str, Any]]


def documented(*errors: type[VideogenError]) -> Responses:
    """The OpenAPI responses of a route that may return these errors."""
    responses: Responses = {}
    for error in errors:
        description = f"`{error.code}`: {(error.__doc__ or error.title).strip().splitlines()[0]}"
        before = responses.get(error.status, {}).get("description")
        text = f"{before} Or {description}" if before else description
        responses[error.status] = {"model": Problem, "description": text}
    return responses


def _describe_errors(app: FastAPI) -> None:
    """Describe every error in OpenAPI as a problem. FastAPI describes them as JSON of its own format."""
    original = app.openapi
    # Limits of all bodies, see `videogen.web.body_limit`.
    of_bodies = documented(RequestTimeoutError, PayloadTooLargeError, LimitExceededError, ServerBusyError)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            for path in original()["paths"].values():
                for operation in path.values():
                    if "requestBody" in operation:
                        for status, response in of_bodies.items():
                            described = {"description": response["description"]}
                            operation["responses"].setdefault(str(status), described)
                    for status, response in operation["responses"].items():
                        if int(status) >= 400:
                            pages: dict[str, Any] = {HTML: {}} if HTML in response.get("content", {}) else {}
                            problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
                            response["content"] = {**pages, MEDIA_TYPE: problem}
        return app.openapi_schema or original()

    app.openapi = openapi  # type: ignore[method-assign]


async def _has_moved(request: Request) -> bool:
    """Whether what was not found is another session's only since its session was merged, during this request."""
    session_id = request.scope.get(SESSION_ID)
    if session_id is None:
        return False
    # By name: the page imports this module too, and must not import what is behind the API.
    accounts = request.app.state.videogen.services.accounts
    return bool(await anyio.to_thread.run_sync(accounts.has_moved, session_id))


def install(app: FastAPI) -> None:
    """Return every error of this app as a problem."""
    _describe_errors(app)

    @app.exception_handler(VideogenError)
    async def _ours(request: Request, error: VideogenError) -> JSONResponse:
        if isinstance(error, NotFoundError) and await _has_moved(request):
            error = SessionMovedError()
        # The database logs once when it is held, not once for each request.
        if error.status >= 500 and not isinstance(error, _NOT_LOGGED):
            logger.error("%s: %s", error.code, error.detail)
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(invalid_request(error.errors()))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 404:
            return problem_response(UnknownRouteError(request.url.path))
        if error.status_code == 400:  # FastAPI could not decode the body
            return problem_response(InvalidRequestError("body", "valid JSON in UTF-8", "something else"))
        code = "method_not_allowed" if error.status_code == 405 else "http_error"
        body = {"type": "about:blank", "title": str(error.detail), "status": error.status_code}
        body |= {"detail": str(error.detail), "code": code}
        return JSONResponse(body, error.status_code, error.headers, MEDIA_TYPE)

    @app.exception_handler(Exception)
    async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
        logger.error("Unexpected error", exc_info=error)
        response = problem_response(VideogenError("The server had an unexpected error. It was logged; try again."))
        # Starlette sends this one from outside of every other middleware.
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        return response
