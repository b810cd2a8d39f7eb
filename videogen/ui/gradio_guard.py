"""Which of Gradio's own routes are open, and to whom. All others do not exist, also those of a later Gradio."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from videogen.core.errors import CrossSiteError, MethodNotAllowedError, UnknownRouteError
from videogen.web.same_origin import is_foreign, is_same_origin

PUBLIC: Final = re.compile(
    r"(GET|HEAD) /|"
    # The files of Gradio's package. `..` is refused by Gradio itself.
    r"(GET|HEAD) /(assets|static)/([\w.@-]{1,100}/){0,5}[\w.@-]{1,100}|"
    r"(GET|HEAD) /theme\.css|GET /favicon\.ico"
)
"""The document and its files, which anybody may load."""
PAGE: Final = re.compile(
    r"POST /gradio_api/run/\w+|POST /gradio_api/queue/join|GET /gradio_api/queue/data|"
    # Asked when the stream broke, until the server is back.
    r"GET /gradio_api/app_id|"
    # What the document carries too: Gradio's script asks for it where it finds none there.
    r"GET /config"
)
"""What the page calls while it is open: for pages of this origin alone."""
AGENTS: Final = re.compile(r"POST /gradio_api/mcp/?|GET /gradio_api/mcp/schema")
"""MCP over streamable HTTP: for programs, with a token of their own. The server never begins to speak, so that there is
no stream to open by GET."""
NO_STREAM: Final = re.compile(r"(GET|DELETE) /gradio_api/mcp/?")


class GradioGuard:
    """ASGI middleware around the mounted Gradio app: nothing comes to Gradio in another way.

    - A route that is not named above is 404, whatever its method.
    - A request of another site is 403, before its cookies are looked at.
    - A cookie is passed on only where the browser says that the page itself sent it.
    - Gradio never learns the `Origin`, so it answers no other site with `Access-Control-*` headers.
    """

    def __init__(self, app: ASGIApp, *, agents: bool) -> None:
        """
        Args:
            app: Gradio's.
            agents: whether the tools for agents are there.
        """
        self.app = app
        self._agents = agents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on.

        Raises:
            UnknownRouteError: the route is closed.
            CrossSiteError: another site sent it.
        """
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})  # Gradio has none
            return
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        route = f"{scope['method']} {path}"
        connection = HTTPConnection(scope)
        keeps_cookie = True
        if PUBLIC.fullmatch(route) is None:
            is_agent = self._agents and AGENTS.fullmatch(route) is not None
            if self._agents and NO_STREAM.fullmatch(route) is not None:
                raise MethodNotAllowedError(("POST",))
            if not is_agent and PAGE.fullmatch(route) is None:
                raise UnknownRouteError(path)
            if is_foreign(connection):
                raise CrossSiteError(
                    "Only the page itself may call this. Programs use the API with a Bearer header: see /docs."
                )
            keeps_cookie = not is_agent and is_same_origin(connection)
        await self.app(_without(scope, "origin", *(() if keeps_cookie else ("cookie",))), receive, send)


def _without(scope: Scope, *names: str) -> Scope:
    headers = MutableHeaders(raw=list(scope["headers"]))
    for name in names:
        del headers[name]
    return {**scope, "headers": headers.raw}
