"""Who may read `/metrics`: programs on this machine, and whoever has the token."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from videogen.core.addresses import parse_address
from videogen.web.proxy_headers import is_forwarded
from videogen.web.same_origin import is_foreign


def may_read_metrics(connection: HTTPConnection, token: str) -> bool:
    """Whether a request comes from this machine itself, or has the token (`VIDEOGEN_METRICS_TOKEN`)."""
    given = connection.headers.get("authorization", "")
    if token and given:
        # A wrong token is wrong on this machine too.
        scheme, _, value = given.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(value.strip().encode(), token.encode())
    return is_local(connection)


def is_local(connection: HTTPConnection) -> bool:
    """Whether a program on this machine sent this request.

    Not what a proxy forwards, whose client may be wrong where the proxy is set up wrong. Not what a page of another
    site lets a browser on this machine send, even if the name of that site leads to this machine (DNS rebinding).
    """
    client = connection.client.host if connection.client else ""
    return (
        not is_forwarded(connection.scope)
        and _is_loopback(client)
        and _is_loopback(_host_name(connection))
        and not is_foreign(connection)
    )


def _host_name(connection: HTTPConnection) -> str:
    try:
        return urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
    except ValueError:  # half an IPv6 address
        return ""


def _is_loopback(name: str) -> bool:
    address = parse_address(f"[{name}]" if ":" in name else name)
    return name == "localhost" or (address is not None and address.is_loopback)
