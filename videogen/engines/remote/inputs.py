"""The model's input of a job, and the settings of its engine: both follow from the rows of `inputs`."""

from __future__ import annotations

import base64
from pathlib import Path

from videogen.media.types import HEAD_BYTES, kind_of


def data_uri(path: Path) -> str:
    """A picture as `data:image/png;base64,...`."""
    data = path.read_bytes()
    kind = (kind_of(data[:HEAD_BYTES]) or "PNG").lower()
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
