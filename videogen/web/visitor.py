"""The address of a visitor, for whom limits count; behind the page's own client it comes in a signed header."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from videogen.core.addresses import visitor_name
from videogen.web.dependencies import app_state

HEADER: Final = "Videogen-Visitor"
"""`address timestamp signature`, from the page to the API. Without a valid signature it is ignored."""
VALID_SECONDS: Final = 60
"""How far the timestamp may be from the time here, in both directions."""


def visitor(connection: HTTPConnection) -> str:
    """The visitor of a request: of the page's signed header, else of the connection; see `visitor_name`."""
    signed = _signed_name(connection.headers.get(HEADER, ""), app_state(connection).visitor_key)
    return signed or visitor_name(connection.client.host if connection.client else "")


VisitorDep = Annotated[str, Depends(visitor)]


def visitor_headers(app: FastAPI, client: str) -> Mapping[str, str]:
    """The header for one call that the page makes for the browser at this address. Valid for `VALID_SECONDS`."""
    stamped = f"{visitor_name(client)} {int(time.time())}"
    return {HEADER: f"{stamped} {_signature(stamped, app.state.videogen.visitor_key)}"}


def _signature(stamped: str, key: str) -> str:
    return hmac.digest(key.encode(), stamped.encode(), "sha256").hex()


def _signed_name(value: str, key: str) -> str | None:
    """The visitor's name in a header that has our signature and is not too old, else None."""
    stamped, _, signature = value.rpartition(" ")
    if not value.isascii() or not hmac.compare_digest(_signature(stamped, key), signature):
        return None
    name, _, timestamp = stamped.rpartition(" ")
    return name if abs(time.time() - int(timestamp)) <= VALID_SECONDS else None
