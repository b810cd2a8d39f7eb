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


def colour_profile(space: str) -> bytes:
    """A colour profile (ICC version 2) with which a picture looks otherwise than without: `RGB`, `GRAY` or `CMYK`.

    `RGB` has the primaries of Display P3. `GRAY` is linear light. With `CMYK` every ink is black.
    """

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))

    def gamma(value: float) -> bytes:
        return b"curv\0\0\0\0" + struct.pack(">IH2x", 1, round(value * 256))

    if space == "RGB":
        primaries = {"r": (0.5151, 0.2412, -0.0011), "g": (0.2919, 0.6922, 0.0419), "b": (0.1572, 0.0666, 0.7841)}
        tags = {f"{name}XYZ": xyz(*value) for name, value in primaries.items()}
        curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # that of sRGB
        parameters = struct.pack(">5i", *(round(value * 65536) for value in curve))
        tags |= {f"{name}TRC": b"para\0\0\0\0\0\3\0\0" + parameters for name in primaries}
    elif space == "GRAY":
        tags = {"kTRC": gamma(1.0)}
    else:
        unit, line = struct.pack(">9i", *(65536 if index % 4 == 0 else 0 for index in range(9))), bytes(range(256))
        corners = b"\xff\x80\x80" + b"\x00\x80\x80" * 15  # Lab: white without ink, black with any
        tags = {"A2B0": b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + unit + line * 4 + corners + line * 3}
    tags["wtpt"] = xyz(0.9642, 1.0, 0.8249)
    table, data = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += struct.pack(">4sII", name.encode(), 132 + 12 * len(tags) + len(data), len(tag))
        data += tag + bytes(-len(tag) % 4)
    kind, target = ("prtr", "Lab ") if space == "CMYK" else ("mntr", "XYZ ")
    head = struct.pack(
        ">I4sI4s4s4s12x4s",
        132 + len(table) - 4 + len(data),
        b"",
        0x02100000,
        kind.encode(),
        space.ljust(4).encode(),
        target.encode(),
        b"acsp",
    )
    return head + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + table + data


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
