"""What a proxy in front of the app says of a request: believed where it is trusted, unheard where it is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]
# Gradio reads some of these itself, whoever sent them: so they end here.
_SPOKEN_FOR: Final = (b"x-forwarded-", b"forwarded", b"x-gradio-server", b"x-original-")


class TrustedProxy:
    """ASGI middleware: takes scheme, host and client from a trusted proxy, and removes what proxies say in any case.

    Of `X-Forwarded-For` the last address that is not a trusted proxy's is the client. The path under which a proxy
    shows the app is a setting (`VIDEOGEN_ROOT_PATH`), and never taken from a header; the proxy may pass it on or
    strip it.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str], root_path: str = "") -> None:
        self.app = app
        self._root = root_path
        self._everyone = "*" in trusted
        self._trusted = [ip_network(one) for one in trusted if one != "*"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as the browser has sent it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers: list[Header] = scope["headers"]
        spoken = [header for header in headers if header[0].startswith(_SPOKEN_FOR)]
        if spoken:
            kept = [header for header in headers if not header[0].startswith(_SPOKEN_FOR)]
            scope = {**scope, "headers": kept}
            if self._is_trusted((scope.get("client") or ("", 0))[0]):
                self._believe(scope, dict(spoken))
        if self._root:
            scope = {**scope, "root_path": self._root, "path": self._whole(scope["path"])}
        await self.app(scope, receive, _unbuffered(send))

    def _whole(self, path: str) -> str:
        """The path with the root in front, as ASGI has it."""
        return path if f"{path}/".startswith(f"{self._root}/") else self._root + path

    def _believe(self, scope: Scope, told: dict[bytes, bytes]) -> None:
        scheme = _first(told.get(b"x-forwarded-proto"))
        if scheme in (b"http", b"https"):
            scope["scheme"] = scheme.decode()
        if host := _first(told.get(b"x-forwarded-host")):
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"host"] + [(b"host", host)]
        if chain := told.get(b"x-forwarded-for"):
            clients = [part.strip().decode("latin-1") for part in chain.split(b",")]
            client = next((one for one in reversed(clients) if not self._is_trusted(one)), clients[0])
            scope["client"] = (client, 0)

    def _is_trusted(self, client: str) -> bool:
        if self._everyone:
            return True
        try:
            return _in(client, self._trusted)
        except ValueError:
            return False  # a Unix socket, or made up


def _in(client: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    address = ip_address(client)
    return any(address in network for network in networks)


def _first(value: bytes | None) -> bytes:
    return (value or b"").split(b",")[0].strip()


def _unbuffered(send: Send) -> Send:
    """Have proxies pass on each event of a stream as it comes, Gradio's own streams too."""

    async def passed_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[Header] = list(message.get("headers", []))
            streams = any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers)
            if streams and all(name != b"x-accel-buffering" for name, _ in headers):
                message = {**message, "headers": [*headers, (b"x-accel-buffering", b"no")]}
        await send(message)

    return passed_on
