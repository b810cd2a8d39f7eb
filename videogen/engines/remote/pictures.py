"""Pictures as providers take them."""

from __future__ import annotations

import base64
from pathlib import Path

from videogen.media.types import HEAD_BYTES, kind_of


def content_type(data: bytes) -> str:
    """`image/png` for the bytes of a PNG, and so on."""
    return f"image/{(kind_of(data[:HEAD_BYTES]) or 'PNG').lower()}"


def data_uri(path: Path) -> str:
    """A picture as `data:image/png;base64,...`."""
    data = path.read_bytes()
    return f"data:{content_type(data)};base64,{base64.b64encode(data).decode()}"
