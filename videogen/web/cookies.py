"""The attributes of the cookies that the app sets."""

from __future__ import annotations

from starlette.requests import HTTPConnection


def cookie_header(connection: HTTPConnection, name: str, value: str, seconds: int, *, http_only: bool) -> str:
    """A value of Set-Cookie: Lax, or partitioned where the app is framed over https.

    Args:
        connection: the request that it answers.
        name: of the cookie.
        value: as it may stand in a header.
        seconds: for which the browser keeps it.
        http_only: whether scripts must not read it.
    """
    path = connection.scope.get("root_path", "") or "/"
    cookie = f"{name}={value}; Path={path}; Max-Age={seconds}{'; HttpOnly' if http_only else ''}"
    if connection.url.scheme != "https":
        return f"{cookie}; SameSite=Lax"
    framed = connection.headers.get("sec-fetch-dest") in ("iframe", "frame")
    return f"{cookie}; SameSite=None; Secure; Partitioned" if framed else f"{cookie}; SameSite=Lax; Secure"
