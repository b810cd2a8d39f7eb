"""The headers that a proxy adds to a request: used if the proxy is trusted, removed if not."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.core.addresses import parse_address

Header = tuple[bytes, bytes]
# Gradio reads some of these from any sender, so they are removed from every request.
_PROXY_HEADERS: Final = (b"x-forwarded-", b"forwarded", b"x-gradio-server", b"x-original-")
_SIGNS: Final = (*_PROXY_HEADERS, b"via", b"x-real-ip", b"cf-", b"true-client-ip", b"client-ip")
_FORWARDED: Final = "videogen.forwarded"


class TrustedProxy:
    """ASGI middleware: takes scheme, host and client from a trusted proxy, and removes the headers of any proxy.

    The client is the last address of `X-Forwarded-For` that is not a trusted proxy; where every proxy is trusted (`*`),
    the last public address, or the last of all. What a visitor sends stands before what the proxies add, so that it
    never counts. The path under which a proxy serves the app is a setting (`VIDEOGEN_ROOT_PATH`), never a header; the
    proxy may forward it or strip it.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str], root_path: str = "") -> None:
        self.app = app
        self._root = root_path
        self._trusts_all = "*" in trusted
        self._trusted = [ip_network(network) for network in trusted if network != "*"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as the browser sent it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers: list[Header] = scope["headers"]
        if any(name.startswith(_SIGNS) for name, _ in headers):
            scope = {**scope, _FORWARDED: True}
        forwarded = [header for header in headers if header[0].startswith(_PROXY_HEADERS)]
        if forwarded:
            others = [header for header in headers if not header[0].startswith(_PROXY_HEADERS)]
            scope = {**scope, "headers": others}
            if self._is_trusted((scope.get("client") or ("", 0))[0]):
                self._apply(scope, forwarded)
        if self._root:
            scope = {**scope, "root_path": self._root, "path": self._full_path(scope["path"])}
        await self.app(scope, receive, _unbuffered(send))

    def _full_path(self, path: str) -> str:
        """The path with the root path in front, as ASGI requires."""
        return path if f"{path}/".startswith(f"{self._root}/") else self._root + path

    def _apply(self, scope: Scope, headers: Sequence[Header]) -> None:
        forwarded = dict(headers)
        scheme = _first(forwarded.get(b"x-forwarded-proto"))
        if scheme in (b"http", b"https"):
            scope["scheme"] = scheme.decode()
        if host := _first(forwarded.get(b"x-forwarded-host")):
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"host"] + [(b"host", host)]
        # Several headers of one name are one list: a proxy may add its own behind the one that a visitor sent.
        if chain := b",".join(value for name, value in headers if name == b"x-forwarded-for"):
            scope["client"] = (self._client([client.strip() for client in chain.decode("latin-1").split(",")]), 0)

    def _client(self, chain: list[str]) -> str:
        """The visitor's address in `X-Forwarded-For`, the nearest proxy's entry last."""
        if self._trusts_all:
            client = next((client for client in reversed(chain) if _is_public(client)), chain[-1])
        else:
            client = next((client for client in reversed(chain) if not self._is_trusted(client)), chain[0])
        return str(parse_address(client) or client)

    def _is_trusted(self, client: str) -> bool:
        if self._trusts_all:
            return True
        address = parse_address(client)
        return address is not None and any(address in network for network in self._trusted)


def is_forwarded(scope: Scope) -> bool:
    """Whether a request has a header of any proxy, trusted or not. Its client may then be anybody."""
    return _FORWARDED in scope


def _is_public(client: str) -> bool:
    address = parse_address(client)
    return address is not None and address.is_global


def _first(value: bytes | None) -> bytes:
    return (value or b"").split(b",")[0].strip()


def _unbuffered(send: Send) -> Send:
    """Add the header that makes a proxy forward each event of a stream at once, also for the streams of Gradio."""

    async def send_unbuffered(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[Header] = list(message.get("headers", []))
            streams = any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers)
            if streams and all(name != b"x-accel-buffering" for name, _ in headers):
                message = {**message, "headers": [*headers, (b"x-accel-buffering", b"no")]}
        await send(message)

    return send_unbuffered
