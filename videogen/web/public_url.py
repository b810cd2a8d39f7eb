"""The public address of the app: configured, or a tunnel's, or the one that the request names."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from videogen.core.config import AppConfig

_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


class PublicUrl:
    """The public address of one app. `tunnel` is set once a share tunnel has given it one."""

    def __init__(self, config: AppConfig) -> None:
        self._config = config
        self.local = ""
        """Where this process listens, such as http://127.0.0.1:7860; set by the server, else by the first request."""
        self.tunnel = ""

    @property
    def root(self) -> str:
        """The path under which a proxy serves the app; no slash at the end."""
        return self._config.root_path

    @property
    def fixed(self) -> str | None:
        """The public address with its path, or None where it depends on the request; no slash at the end."""
        origin = self._config.base_url or self.tunnel
        return origin + self._config.root_path if origin else None

    def of(self, connection: HTTPConnection) -> str:
        """The public address for this request: `fixed`, else what the request names. No slash at the end."""
        if self.fixed is not None:
            return self.fixed
        # A malformed host comes from a forged request, and must not get into links.
        host = connection.headers.get("host", "")
        if not _HOST.fullmatch(host):
            return self.local + self._config.root_path
        scheme = "https" if connection.scope["scheme"] == "https" else "http"
        return f"{scheme}://{host}{self._config.root_path}"


def local_url(host: str, port: int) -> str:
    """The address of a server in this process, from the host and port on which it listens."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only compared
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_page(scope: Scope) -> bool:
    """Whether a request is for the page's document, at the root of the app."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path in ("", "/")


class LocalUrlFromRequest:
    """ASGI middleware: learns from the first request where this process listens, if the server did not say so.

    The page's own client needs that address. It comes from the socket, not from a header.
    """

    def __init__(self, app: ASGIApp, public_url: PublicUrl) -> None:
        self.app = app
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if not self._public_url.local and scope["type"] == "http":
            host, port = scope.get("server") or ("", None)
            if port:  # a Unix socket has none
                self._public_url.local = local_url(host, port)
        await self.app(scope, receive, send)
