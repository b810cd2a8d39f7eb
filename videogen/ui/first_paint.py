"""What is seen before Gradio has started: the page's own parts in the document itself, and what the API says."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.client import AsyncClient, ClientError
from videogen.core.i18n import VARY, Catalog, languages, negotiate
from videogen.ui import views
from videogen.ui.page_client import PageClient
from videogen.ui.pages import Page, Visit, find_session, texts_of
from videogen.ui.views import View
from videogen.web.public_url import is_page
from videogen.web.same_origin import is_foreign
from videogen.web.security_headers import NONCE

HEAD_ENDS: Final = b"</head>"
BODY_BEGINS: Final = b"<gradio-app"
LANGUAGE: Final = re.compile(rb'(<html\b[^>]*?\blang=")[^"]*')
SOCIAL: Final = re.compile(rb'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>')
"""What Gradio tells other sites of itself; the page has words of its own for them."""
_FRESH: Final = {"Cache-Control": "no-store"}


class FirstPaint:
    """ASGI middleware: puts styles and scripts into the head of Gradio's document, and markup before its app.

    Gradio's own way puts them in by script, when it has started: half a second later. The whole document is in the
    language of its request, Gradio's labels included: they are marks in its configuration until then.
    """

    def __init__(self, app: ASGIApp, head: Callable[[Catalog], str], shell: Callable[[Catalog], str]) -> None:
        self.app = app
        self._parts = {
            words.tag: (head(words).encode(), shell(words).encode(), words) for words in languages().values()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; complete the answer where it is the page's document."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or not is_page(scope):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        words = negotiate(request.query_params, request.cookies, request.headers)
        start: Message = {}
        parts: list[bytes] = []

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = self._document(b"".join(parts), words.tag, scope.get(NONCE, ""))
            headers = MutableHeaders(scope=start)
            headers["content-language"] = words.tag
            headers.add_vary_header(VARY)
            if scope["method"] == "GET":
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, complete)

    def _document(self, body: bytes, tag: str, nonce: str) -> bytes:
        head, shell, words = self._parts[tag]
        body = words.fill(SOCIAL.sub(b"", LANGUAGE.sub(rb"\g<1>" + tag.encode(), body, count=1)).decode()).encode()
        body = body.replace(HEAD_ENDS, head + HEAD_ENDS, 1)
        body = body.replace(BODY_BEGINS, shell + BODY_BEGINS, 1)
        # JSON in the document escapes "<", so that nothing but the document's own scripts gets the nonce.
        return body.replace(b"<script", b'<script nonce="%b"' % nonce.encode()) if nonce else body


def early_room(client: PageClient) -> APIRouter:
    """The route that the document asks before Gradio has started."""
    router = APIRouter()

    @router.get("/page/room", include_in_schema=False)
    async def room(request: Request, selected: str = "", language: str = "") -> Response:
        """The room of this browser's session and its history; 204 where that cannot be told now."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        # For another site the cookie is not read: it could let the server work.
        cookies = {} if is_foreign(request) else request.cookies
        visit = Visit.read({"token": token, "selected": selected, "language": language}, cookies, request.headers)
        # What goes wrong here is told by the watcher, which tries again.
        with suppress(ClientError):
            if (found := await _room(client.of(request), visit)) is not None:
                return JSONResponse(found, headers=_FRESH)
        return Response(status_code=204, headers=_FRESH)

    return router


async def _room(client: AsyncClient, visit: Visit) -> View | None:
    arrival = await find_session(client, visit)
    if arrival is None:
        return None
    page = Page(client.as_session(arrival.token), texts_of(visit))
    page.board.put_page(arrival.page)
    if visit.selected and page.board.get(visit.selected) is None:
        await page.fetch(visit.selected)
    page.board.select_on_arrival(visit.selected)
    notice = page.texts.welcome(len(page.board.active()))
    return {"room": views.room(page.board, page.texts) | {"notice": notice}, "history": views.history(arrival.page)}
