"""Pictures from strangers: known by their bytes, turned upright, freed of all metadata, written anew.

What is kept is never what was sent: decoding and encoding it again drops EXIF (with its places), comments, colour
profiles, further frames, and whatever was hidden behind the picture.
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

MAX_PIXELS: Final = 40_000_000
"""Width times height of what is decoded at all: 120 MB as RGB."""
MAX_SIDE: Final = 3072
"""The longer side of what is kept; larger pictures are made smaller."""
MIN_SIDE: Final = 16
MAX_RATIO: Final = 16
ACCEPTED: Final = "a PNG, JPEG or WebP image"
FIELD: Final = "file"
# What Pillow's decoders raise on bytes that are not what they seem.
_BROKEN: Final = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError),
    *(OverflowError, ZeroDivisionError, struct.error, zlib.error, ImageCms.PyCMSError),
)
_BOMBS: Final = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class CleanImage:
    """A picture as we keep it: `data` is a PNG or a JPEG of 8-bit RGB in sRGB, `width` x `height` pixels."""

    data: bytes
    content_type: str
    width: int
    height: int

    @property
    def suffix(self) -> str:
        """The ending of its file's name, without a dot."""
        return self.content_type.partition("/")[2].replace("jpeg", "jpg")

    @property
    def digest(self) -> str:
        """SHA-256 of `data`, as hex."""
        return hashlib.sha256(self.data).hexdigest()


def clean_image(source: BinaryIO) -> CleanImage:
    """Decode the first frame of a PNG, JPEG or WebP and encode it anew.

    EXIF orientation is applied, a colour profile is turned into sRGB, transparency is laid on white, and a longer side
    above `MAX_SIDE` is scaled down. A JPEG stays a JPEG, everything else becomes a PNG.

    Args:
        source: seekable, at its beginning.

    Raises:
        UnsupportedMediaTypeError: the bytes begin like none of the three formats, whatever their name says.
        InvalidRequestError: they begin well and are broken, too small, too thin, or would decode to too many pixels.
    """
    kind = _kind(source.read(12))
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
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    got = "an empty file" if not head else f"a file that begins with {head[:8]!r}"
    raise UnsupportedMediaTypeError(f"{FIELD}: expected {ACCEPTED}, got {got}. Convert it, and send it again.")


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
    """The decoded picture as plain RGB, at most `MAX_SIDE` long."""
    image.draft(None, (MAX_SIDE, MAX_SIDE))  # lets a JPEG skip what is scaled away anyway
    image.load()
    turn = _TURNS.get(_orientation(image))
    profile = image.info.get("icc_profile")
    picture = _in_srgb(_eight_bit(image), profile)
    # Smaller first: turning and flattening then cost less.
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture = picture.transpose(turn) if turn is not None else picture
    # Onto a new picture: nothing that came along in `info` can reach the encoder.
    plain = Image.new("RGB", picture.size, (255, 255, 255))
    plain.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    return plain


def _orientation(image: Image.Image) -> int:
    """What the notes say about how the camera was held, 1..8; broken notes say nothing."""
    try:
        found = image.getexif().get(0x0112)
    except _BROKEN:
        return 1
    return found if isinstance(found, int) else 1


def _eight_bit(image: Image.Image) -> Image.Image:
    """RGB, RGBA or CMYK, 8 bits each."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGB", "RGBA", "CMYK"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """The same colours in sRGB; a profile that cannot be used is left out."""
    if isinstance(profile, bytes) and picture.mode in ("RGB", "CMYK"):
        try:
            ours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
            theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(picture, theirs, ours, outputMode="RGB")
            return turned if turned is not None else picture
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def _encoded(picture: Image.Image, kind: str) -> CleanImage:
    out = io.BytesIO()
    if kind == "JPEG":
        picture.save(out, format="JPEG", quality=93, subsampling=0)
        return CleanImage(out.getvalue(), "image/jpeg", *picture.size)
    picture.save(out, format="PNG", compress_level=3)
    return CleanImage(out.getvalue(), "image/png", *picture.size)


_T: Final = Image.Transpose
_TURNS: Final = {
    2: _T.FLIP_LEFT_RIGHT,
    3: _T.ROTATE_180,
    4: _T.FLIP_TOP_BOTTOM,
    5: _T.TRANSPOSE,
    6: _T.ROTATE_270,
    7: _T.TRANSVERSE,
    8: _T.ROTATE_90,
}
"""How to undo each EXIF orientation."""
