"""Pictures as people upload them: with EXIF data, rotated, broken, or dangerous."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

GPS = b"SECRET-PLACE"
"""Is in the EXIF data of `photo`."""


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Four quarters: red and green above, blue and white below."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (220, 20, 20)
    pixels[: height // 2, width // 2 :] = (20, 200, 20)
    pixels[height // 2 :, : width // 2] = (20, 20, 220)
    pixels[height // 2 :, width // 2 :] = (240, 240, 240)
    return Image.fromarray(pixels)


def encoded(image: Image.Image | None = None, kind: str = "PNG", **options: Any) -> bytes:
    """An image file."""
    out = io.BytesIO()
    (image or quarters()).save(out, format=kind, **options)
    return out.getvalue()


def photo(orientation: int = 6, kind: str = "JPEG") -> bytes:
    """A picture as a camera writes it: rotated, with position and maker in its EXIF data."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = GPS.decode()
    exif.get_ifd(0x8825)[29] = GPS.decode()
    more: dict[str, Any] = {"comment": GPS} if kind == "JPEG" else {}
    return encoded(quarters(), kind, exif=exif.tobytes(), **more)


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few kilobytes with very many black pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def colour_at(data: bytes, across: float, down: float) -> str:
    """The colour of `quarters` at a position of an image file: 0..1 from the left and from the top."""
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGB"))
    pixel = pixels[int(down * pixels.shape[0]), int(across * pixels.shape[1])].astype(int)
    if pixel.min() > 200:
        return "white"
    return ("red", "green", "blue")[int(pixel.argmax())]
