"""The page's client of the API. What it asks for a visitor counts for that visitor's address, not for the server's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from videogen.client import AsyncClient

VisitorHeaders = Callable[[str], Mapping[str, str]]
"""Makes the headers that name the address of a visitor to the API."""


def _no_headers(_address: str) -> Mapping[str, str]:
    return {}


class PageClient(AsyncClient):
    """An `AsyncClient` whose calls are made for visitors: see `of`."""

    def __init__(
        self,
        base_url: str | Callable[[], str],
        visitor_headers: VisitorHeaders = _no_headers,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(base_url, transport=transport, absolute_links=False)
        self._visitor_headers = visitor_headers

    def of(self, request: Any) -> AsyncClient:
        """The same client for the visitor of a request of Starlette or Gradio, without a session."""
        client = getattr(request, "client", None)
        address = client.host if client else ""
        # The API names a device after its browser.
        agent = str((getattr(request, "headers", None) or {}).get("user-agent") or "")
        own = {"User-Agent": agent} if agent.isascii() and agent else {}
        return self.as_session(None, lambda: {**self._visitor_headers(address), **own})
