"""Cursors of pages: positions in a list as opaque text."""

from __future__ import annotations

import base64
import binascii

from videogen.core.errors import InvalidRequestError


def encode_cursor(position: int | None) -> str | None:
    """The cursor of a position; None stays None."""
    return None if position is None else base64.urlsafe_b64encode(b"%d" % position).decode().rstrip("=")


def decode_cursor(text: str | None) -> int | None:
    """The position of a cursor; None stays None.

    Raises:
        InvalidRequestError: the text is not a cursor.
    """
    if not text:
        return None
    try:
        digits = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
        if digits.isdigit() and len(digits) < 19:
            return int(digits)
    except (binascii.Error, UnicodeEncodeError):
        pass
    raise InvalidRequestError("cursor", "the nextCursor of an earlier page", text)
