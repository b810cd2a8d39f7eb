"""For a page that runs beside the API (`VIDEOGEN_API_URL`): the calls of its history, passed on to where the API is."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter, Request, Response

from videogen.client import ClientError
from videogen.ui.page_client import PageClient

PATH: Final = "/page/api"
MAX_BODY: Final = 200_000
"""Bytes: more than a thousand ids."""
_WANTED: Final = re.compile(
    r"GET generations|GET generations/ids|PATCH generations/[\w-]{1,100}|POST generations/(trash|restore|zip)"
)
_KEPT: Final = ("content-type", "retry-after")


def passing_on(client: PageClient) -> APIRouter:
    """The routes below `PATH`. Only a Bearer token opens them, so that no other site can use a visitor's cookie."""
    router = APIRouter()

    @router.api_route(PATH + "/{path:path}", methods=["GET", "PATCH", "POST"], include_in_schema=False)
    async def pass_on(request: Request, path: str) -> Response:
        """The API's own answer to the calls that the history makes; nothing else passes."""
        if _WANTED.fullmatch(f"{request.method} {path}") is None:
            return Response(status_code=404)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        body = await request.body()
        if len(body) > MAX_BODY:
            return Response(status_code=413)
        try:
            answer = (
                await client.of(request).as_session(token).raw(request.method, path, str(request.query_params), body)
            )
        except ClientError:
            return Response(status_code=502)
        headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        return Response(answer.content, answer.status_code, {**headers, "Cache-Control": "no-store"})

    return router
