"""Whether a page of this app sent a request, as its browser says. No script of another page can change what it says."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

_SIGNS: Final = ("sec-fetch-site", "origin", "referer")


def is_same_origin(connection: HTTPConnection) -> bool:
    """Whether the browser says that one of this app's own pages, or the person, sent this request.

    Over plain http browsers send no `Sec-Fetch-Site`, and with a GET no `Origin`.
    """
    headers = connection.headers
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    try:
        origin = urlsplit(headers.get("origin", headers.get("referer", "")))
    except ValueError:  # half an IPv6 address
        return False
    return bool(origin.netloc) and origin.netloc == headers.get("host")


def is_foreign(connection: HTTPConnection) -> bool:
    """Whether the browser says that something else sent it. Programs say nothing, and have no cookies to protect.

    What a person opens from the address bar (`Sec-Fetch-Site: none`) never writes.
    """
    if connection.headers.get("sec-fetch-site") == "none":
        return connection.scope["method"] not in ("GET", "HEAD")
    return any(sign in connection.headers for sign in _SIGNS) and not is_same_origin(connection)
