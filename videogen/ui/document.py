"""Completes Gradio's document: styles, scripts, words in the visitor's language, and the state of the session."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import orjson
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.client import ClientError
from videogen.core.i18n import COOKIE, COOKIE_SECONDS, PARAMETER, VARY, Catalog, negotiate
from videogen.ui.account import read_account
from videogen.ui.address import parse
from videogen.ui.arrival import read_address, show_address
from videogen.ui.page_client import PageClient
from videogen.ui.pages import LOCKED, Visit, find_session
from videogen.ui.panels import PANELS, panel_mark, render_panel
from videogen.ui.static_files import head
from videogen.ui.tab import Site, Tab
from videogen.ui.templating import render
from videogen.ui.texts import Texts
from videogen.web.cookies import cookie_header
from videogen.web.public_url import is_page
from videogen.web.security_headers import NONCE

PATIENCE: Final = 0.3
"""Seconds that a document waits for the API; the watcher reports what goes wrong, and tries again."""
_LANGUAGE: Final = re.compile(rb'(<html\b[^>]*?\blang=")[^"]*')
_SOCIAL: Final = re.compile(rb'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>')
"""What Gradio states about itself for other sites."""


_API_INFO: Final = re.compile(rb"(window\.gradio_api_info = ).*?(;</script>)")
"""The description of the tools for agents, for which a page has no use: Gradio's script only wants that it is there."""
_PANEL: Final = re.compile(b'"%b"' % panel_mark("([a-z_]+)").encode())
"""A panel's value in Gradio's configuration."""


class Document:
    """ASGI middleware around the document's route; everything else passes."""

    def __init__(self, app: ASGIApp, client: PageClient, site: Callable[[], Site]) -> None:
        self.app, self._client, self._site = app, client, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; complete the answer where it is the page's document."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or not is_page(scope):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        words = negotiate(request.query_params, request.cookies, request.headers)
        start: Message = {}
        parts: list[bytes] = []
        # The API answers while Gradio writes its document.
        panels = asyncio.create_task(self._panels(request, words))

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = _completed(b"".join(parts), words, await panels, scope.get(NONCE, ""))
            headers = MutableHeaders(scope=start)
            headers["content-language"] = words.tag
            headers.add_vary_header(VARY)
            if PARAMETER in request.query_params:
                headers.append("set-cookie", cookie_header(request, COOKIE, words.tag, COOKIE_SECONDS, http_only=True))
            if scope["method"] == "GET":
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        try:
            await self.app(scope, receive, complete)
        finally:
            panels.cancel()

    async def _panels(self, request: Request, words: Catalog) -> dict[str, str]:
        """Every panel's HTML, of the session as it is now; without a known session, as for somebody new."""
        tab = Tab(self._client.of(request), Texts(words), site=self._site(), arrival=parse(request.url.query))
        tab.locked = LOCKED[0] if tab.site.requires_login else ""
        visit = Visit.read(None, request.cookies, request.headers)
        if visit.cookie:
            with suppress(ClientError, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    if (arrival := await find_session(tab.client, visit)) is not None:
                        tab.client, tab.locked = tab.client.as_session(arrival.token), arrival.locked
                        if not tab.locked:
                            tab.account = await read_account(tab)
                            await read_address(tab, tab.arrival, arrival.page)
                            show_address(tab)
        return {panel.name: render_panel(panel, tab) for panel in PANELS}


def _completed(document: bytes, words: Catalog, panels: dict[str, str], nonce: str) -> bytes:
    document = _SOCIAL.sub(b"", _LANGUAGE.sub(rb"\g<1>" + words.tag.encode(), document, count=1))
    document = _API_INFO.sub(rb'\1{"named_endpoints":{},"unnamed_endpoints":{}}\2', document, count=1)
    begin, end = (part.encode() for part in head())
    document = document.replace(b"<head>", b"<head>" + begin, 1).replace(b"</head>", end + b"</head>", 1)
    document = words.fill(document.decode()).encode()
    # After the words were filled in: what a person wrote may look like a mark.
    document = _PANEL.sub(lambda mark: _json(panels[mark[1].decode()]), document)
    document = document.replace(
        b"<gradio-app", render("shell", Texts(words), panels=panels).encode() + b"<gradio-app", 1
    )
    # JSON in the document escapes "<", so that nothing but the document's own scripts gets the nonce.
    return document.replace(b"<script", b'<script nonce="%b"' % nonce.encode()) if nonce else document


def _json(html: str) -> bytes:
    return orjson.dumps(html).replace(b"<", b"\\u003c")
