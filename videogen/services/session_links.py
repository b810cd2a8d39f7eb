"""Signed links with which a browser fetches or sends a zip of a session where it cannot send the session's token."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal
from urllib.parse import urlencode

from videogen.core.clock import to_datetime
from videogen.core.errors import NotFoundError
from videogen.core.security import Signer

SECONDS: Final = 600
"""How long a link is valid."""
Purpose = Literal["exports", "imports"]


class SessionLinks:
    """Makes and checks links. Nothing of them is stored, so they are valid over a restart."""

    def __init__(self, signer: Signer, clock: Callable[[], float]) -> None:
        self._key = signer.derive("session-links").encode()
        self._clock = clock

    def create(self, purpose: Purpose, session_id: str) -> tuple[str, datetime]:
        """The path of a link for one purpose, with its query, and when it expires."""
        expires = int(self._clock()) + SECONDS
        signature = self._sign(purpose, session_id, str(expires))
        query = urlencode({"session": session_id, "exp": expires, "sig": signature})
        return f"/{purpose}?{query}", to_datetime(expires)

    def check(self, purpose: Purpose, session_id: str, expires: str, signature: str) -> None:
        """Check the values of a link's query.

        Raises:
            NotFoundError: it is not one of `create` for this purpose, or has expired.
        """
        expected = self._sign(purpose, session_id, expires).encode()
        if not hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass")):
            raise NotFoundError("There is no such link.")
        if int(expires) < self._clock():
            raise NotFoundError("This link has expired. Ask for a new one.")

    def _sign(self, *values: str) -> str:
        return hmac.digest(self._key, "\n".join(values).encode("utf-8", "surrogatepass"), "sha256").hex()
