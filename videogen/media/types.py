"""The content type of each kind of stored file by its suffix, and the kind of a file by its first bytes."""

from __future__ import annotations

from typing import Final, Literal

CONTENT_TYPES: Final = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
Kind = Literal["PNG", "JPEG", "WEBP", "MP4"]
"""A picture as Pillow names it; `MP4` is a QuickTime movie too."""
HEAD_BYTES: Final = 12
_MOVIE_BOXES: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_PICTURE_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
"""HEIC and AVIF pictures are in the boxes of an MP4."""


def kind_of(head: bytes) -> Kind | None:
    """The kind of a file by its first `HEAD_BYTES` bytes, whatever it is called; None for every other."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    is_movie = head[4:8] in _MOVIE_BOXES and head[8:12] not in _PICTURE_BRANDS
    return "MP4" if is_movie else None
