"""Sanitizes uploaded pictures: the type is detected by the bytes, the pixels are decoded and encoded again.

So the stored file has no EXIF data (such as GPS positions), comments, colour profile, further frames or data after the
end of the picture.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from videogen.core.errors import InvalidRequestError, UnsupportedMediaTypeError
from videogen.media.types import HEAD_BYTES, kind_of

MAX_PIXELS: Final = 40_000_000
"""Largest width times height that is decoded: 120 MB as RGB."""
MAX_SIDE: Final = 3072
"""Longest side of a stored picture in pixels; a larger one is scaled down."""
MIN_SIDE: Final = 16
MAX_RATIO: Final = 16
ACCEPTED: Final = "a PNG, JPEG or WebP image"
FIELD: Final = "file"
# What Pillow's decoders raise for broken files.
_BROKEN: Final = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError),
    *(OverflowError, ZeroDivisionError, struct.error, zlib.error, ImageCms.PyCMSError),
)
_BOMBS: Final = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class CleanImage:
    """A sanitized picture: `data` is a PNG or JPEG file, 8-bit RGB in sRGB, `width` x `height` pixels."""

    data: bytes
    content_type: str
    width: int
    height: int

    @property
    def suffix(self) -> str:
        """The suffix of its file name, without a dot."""
        return self.content_type.partition("/")[2].replace("jpeg", "jpg")

    @property
    def digest(self) -> str:
        """The SHA-256 of `data` in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def clean_image(source: BinaryIO) -> CleanImage:
    """Decode the first frame of a PNG, JPEG or WebP and encode it again.

    The EXIF orientation is applied, colours are converted to sRGB, transparent pixels become white, and a picture with
    a side over `MAX_SIDE` is scaled down. A JPEG stays a JPEG, every other picture becomes a PNG.

    Args:
        source: a seekable file at its start.

    Raises:
        UnsupportedMediaTypeError: the first bytes are those of another format.
        InvalidRequestError: the picture is broken, too small, too narrow, or has too many pixels.
    """
    kind = _kind(source.read(HEAD_BYTES))
    source.seek(0)
    try:
        with Image.open(source, formats=(kind,)) as image:
            _check_size(*image.size)
            picture = _upright_rgb(image)
        return _encoded(picture, kind)
    except _BOMBS:
        raise _refused(f"has at most {MAX_PIXELS // 1_000_000} megapixels", "one with many more") from None
    except UnidentifiedImageError:
        raise _refused("is whole", f"a broken {kind}") from None
    except _BROKEN as problem:
        if isinstance(problem, InvalidRequestError):
            raise
        raise _refused("is whole", f"a broken {kind} ({str(problem)[:80] or type(problem).__name__})") from problem


def _kind(head: bytes) -> str:
    kind = kind_of(head)
    if kind is None or kind == "MP4":
        got = "an empty file" if not head else f"a file that begins with {head[:8]!r}"
        raise UnsupportedMediaTypeError(f"{FIELD}: expected {ACCEPTED}, got {got}. Convert it, and send it again.")
    return kind


def _check_size(width: int, height: int) -> None:
    got = f"{width} x {height}"
    if width * height > MAX_PIXELS:
        raise _refused(f"has at most {MAX_PIXELS // 1_000_000} megapixels", got)
    if min(width, height) < MIN_SIDE:
        raise _refused(f"has at least {MIN_SIDE} pixels on each side", got)
    if max(width, height) > MAX_RATIO * min(width, height):
        raise _refused(f"is at most {MAX_RATIO} times as long as it is wide", got)


def _refused(what: str, got: str) -> InvalidRequestError:
    problem = InvalidRequestError(FIELD, f"{ACCEPTED} that {what}", "nothing")
    return InvalidRequestError.of([problem.errors[0] | {"got": got}])


def _upright_rgb(image: Image.Image) -> Image.Image:
    """The decoded picture as RGB with `MAX_SIDE` applied."""
    image.draft(None, (MAX_SIDE, MAX_SIDE))  # a JPEG decoder can scale down by itself
    image.load()
    transpose = _TRANSPOSE.get(_orientation(image))
    profile = image.info.get("icc_profile")
    colours, alpha = _split(image)
    picture = _in_srgb(colours, profile)
    if alpha is not None:
        picture.putalpha(alpha)
    # Scale first: the next steps then cost less.
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture = picture.transpose(transpose) if transpose is not None else picture
    # A new picture has no `info`, so no metadata can reach the encoder.
    plain = Image.new("RGB", picture.size, (255, 255, 255))
    plain.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    return plain


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1..8; 1 (upright) if the EXIF data is missing or broken."""
    try:
        orientation = image.getexif().get(0x0112)
    except _BROKEN:
        return 1
    return orientation if isinstance(orientation, int) else 1


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours as L, RGB or CMYK with 8 bits per channel, and the alpha channel, if there is one."""
    if image.mode.startswith("I"):  # 16 bits of grey
        levels = np.asarray(image).astype(np.uint32)
        hidden = image.info.get("transparency")
        alpha = Image.fromarray((levels != hidden).astype(np.uint8) * 255) if isinstance(hidden, int) else None
        return Image.fromarray((levels >> 8).astype(np.uint8)), alpha
    if image.mode in ("L", "RGB", "CMYK") and not image.has_transparency_data:
        return image, None
    is_grey = image.mode in ("1", "L", "LA", "La")
    if not image.has_transparency_data:
        return image.convert("L" if is_grey else "RGB"), None
    picture = image.convert("RGBA")
    return picture.convert("L" if is_grey else "RGB"), picture.getchannel("A")


def _in_srgb(colours: Image.Image, profile: object) -> Image.Image:
    """The colours as sRGB; a colour profile that cannot be used is ignored."""
    if isinstance(profile, bytes):
        try:
            srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if colours.mode == "L" and source.profile.xcolor_space == "RGB ":
                colours = colours.convert("RGB")
            converted = ImageCms.profileToProfile(colours, source, srgb, outputMode="RGB")
            return converted if converted is not None else colours
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return colours.convert("RGB")


def _encoded(picture: Image.Image, kind: str) -> CleanImage:
    out = io.BytesIO()
    if kind == "JPEG":
        picture.save(out, format="JPEG", quality=93, subsampling=0)
        return CleanImage(out.getvalue(), "image/jpeg", *picture.size)
    picture.save(out, format="PNG", compress_level=3)
    return CleanImage(out.getvalue(), "image/png", *picture.size)


_T: Final = Image.Transpose
_TRANSPOSE: Final = {
    2: _T.FLIP_LEFT_RIGHT,
    3: _T.ROTATE_180,
    4: _T.FLIP_TOP_BOTTOM,
    5: _T.TRANSPOSE,
    6: _T.ROTATE_270,
    7: _T.TRANSVERSE,
    8: _T.ROTATE_90,
}
"""The operation that makes a picture with this EXIF orientation upright."""
