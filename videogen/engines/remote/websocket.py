"""Websockets of providers: the same hosts and the same key as for their HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
from websockets.sync.client import ClientConnection, connect

from videogen.engines.remote.http import HttpClient

MAX_MESSAGE: Final = 16 << 20
"""Bytes of one message."""


@contextmanager
def open_websocket(http: HttpClient, path: str) -> Iterator[ClientConnection]:
    """Open a websocket at `path` below the provider's address, for the block.

    Raises:
        RemoteFault: the host is not allowed.
        OSError, websockets.WebSocketException: it cannot be opened.
    """
    url = httpx.URL(f"{http.base_url}{path}")
    http.connections.hosts.check(url)
    headers = http.connections.headers(url, None)
    headers.pop("Accept-Encoding")
    user_agent = headers.pop("User-Agent")
    seconds = min(15.0, http.connections.options.request_seconds)
    with connect(
        str(url.copy_with(scheme="wss" if url.scheme == "https" else "ws")),
        additional_headers=headers,
        user_agent_header=user_agent,
        open_timeout=seconds,
        close_timeout=1.0,
        max_size=MAX_MESSAGE,
    ) as socket:
        yield socket
