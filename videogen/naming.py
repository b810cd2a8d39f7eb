"""File names out of what people write, safe in a header and on every disk."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote


def file_name(title: str, ending: str) -> str:
    """A name of letters, digits and dashes in any script, such as `ocean-at-sunset.mp4`."""
    words = "".join(char if char.isalnum() else " " for char in unicodedata.normalize("NFC", title).lower()).split()
    return f"{'-'.join(words)[:60].strip('-') or 'video'}.{ending}"


def disposition(kind: str, name: str) -> str:
    """A `Content-Disposition` (RFC 6266): a plain name for old readers, the true one beside it (RFC 5987).

    Args:
        kind: `inline` or `attachment`.
        name: as `file_name` makes it.
    """
    stem, _, ending = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().rpartition(".")
    plain = f"{'-'.join(re.findall(r'[A-Za-z0-9]+', stem)) or 'video'}.{ending}"
    if plain == name:
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
