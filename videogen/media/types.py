"""The content type of each kind of stored file, by its suffix."""

from __future__ import annotations

from typing import Final

CONTENT_TYPES: Final = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
