"""Uploaded pictures are sanitized or refused."""

import io
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tests.support.pictures import GPS, bomb, colour_at, colour_profile, encoded, photo, quarters
from videogen.core.errors import InvalidRequestError, UnsupportedMediaTypeError
from videogen.media import sanitize
from videogen.media.sanitize import CleanImage, clean_image

# The corner in which the stored top left corner is shown, for each EXIF orientation.
RED = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}


def clean(data: bytes) -> CleanImage:
    return clean_image(io.BytesIO(data))


@pytest.mark.parametrize(
    ("kind", "kept"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/png")], ids=str
)
def test_each_format_keeps_its_pixels(kind, kept):
    made = clean(encoded(kind=kind, quality=90))
    assert (made.content_type, made.width, made.height) == (kept, 64, 48)
    assert made.suffix == {"image/png": "png", "image/jpeg": "jpg"}[kept]
    seen = [colour_at(made.data, x, y) for y in (0.25, 0.75) for x in (0.25, 0.75)]
    assert seen == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("orientation", RED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_exif_orientation_is_applied(orientation, kind):
    made = clean(photo(orientation, kind))
    assert (made.width, made.height) == ((48, 64) if orientation > 4 else (64, 48))
    across, down = RED[orientation]
    assert colour_at(made.data, 0.25 + across / 2, 0.25 + down / 2) == "red"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_metadata_is_removed(kind):
    data = photo(6, kind)
    assert GPS in data
    made = clean(data)
    assert GPS not in made.data
    assert b"Exif" not in made.data
    with Image.open(io.BytesIO(made.data)) as image:
        assert not image.getexif()
        assert not {"exif", "comment", "icc_profile", "xmp", "XML:com.adobe.xmp"} & image.info.keys()


def test_data_after_the_end_of_the_picture_is_removed():
    page = b"<html><script>alert(1)</script></html>"
    for kind in ("PNG", "JPEG", "WEBP"):
        assert page not in clean(encoded(kind=kind) + b"PK\x03\x04" + page).data


def test_only_the_first_frame_of_an_animation_is_kept():
    others = [Image.new("RGB", (64, 48), colour) for colour in ("black", "white")]
    made = clean(encoded(kind="WEBP", save_all=True, append_images=others, duration=40))
    assert colour_at(made.data, 0.25, 0.25) == "red"


def test_transparent_pixels_become_white():
    for image in (Image.new("RGBA", (32, 32), (255, 0, 0, 0)), Image.new("LA", (32, 32), (0, 0))):
        assert colour_at(clean(encoded(image)).data, 0.5, 0.5) == "white"
    few = quarters().quantize(4)
    made = clean(encoded(few, transparency=few.getpixel((2, 2))))
    assert [colour_at(made.data, x, 0.25) for x in (0.25, 0.75)] == ["white", "green"]


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "RGBA", "CMYK"])
def test_every_pixel_mode_becomes_rgb(mode):
    grey = Image.fromarray(np.full((32, 32), 200 << 8, np.uint16)) if mode == "I;16" else quarters(32, 32).convert(mode)
    made = clean(encoded(grey, "JPEG" if mode == "CMYK" else "PNG"))
    with Image.open(io.BytesIO(made.data)) as image:
        assert image.mode == "RGB"
        if mode == "I;16":
            assert image.getpixel((5, 5)) == (200, 200, 200)
        if mode == "CMYK":
            assert colour_at(made.data, 0.25, 0.25) == "red"


def test_colours_are_converted_to_srgb_and_a_broken_profile_is_ignored():
    # A profile whose red and blue are exchanged shows a red picture as a blue one.
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = (_tag(swapped, name) for name in (b"rXYZ", b"bXYZ"))
    swapped[red : red + 20], swapped[blue : blue + 20] = swapped[blue : blue + 20], swapped[red : red + 20]
    assert colour_at(clean(encoded(icc_profile=bytes(swapped))).data, 0.25, 0.25) == "blue"
    assert colour_at(clean(encoded(icc_profile=b"no profile")).data, 0.25, 0.25) == "red"


WIDE = (217, 42, 23)
"""(200, 60, 40) of Display P3 as sRGB."""


def with_alpha(colour, mode="RGBA"):
    """Left half opaque, right half transparent."""
    picture = Image.new(mode, (32, 32), (*colour, 255))
    picture.paste((*colour, 0), (16, 0, 32, 32))
    return picture


def palette(*, alpha):
    picture = Image.new("P", (32, 32), 0)
    picture.putpalette([200, 60, 40, 0, 0, 0])
    picture.paste(1 if alpha else 0, (16, 0, 32, 32))
    return picture, ({"transparency": 1} if alpha else {})


def as_16_bit(level):
    return Image.fromarray(np.full((32, 32), level << 8 | level, np.uint16))


def profiled():
    """Yields pictures in every mode: a name, the file, the left and the right colour that they must have."""
    rgb, grey, cmyk = map(colour_profile, ("RGB", "GRAY", "CMYK"))
    white, middle = (255,) * 3, (188,) * 3  # half the light of white
    colour, wide = (200, 60, 40), WIDE
    for kind in ("PNG", "WEBP"):
        data = encoded(Image.new("RGB", (32, 32), colour), kind, icc_profile=rgb, lossless=True)
        yield f"RGB {kind}", data, wide, wide
        yield f"RGBA {kind}", encoded(with_alpha(colour), kind, icc_profile=rgb, lossless=True), wide, white
    yield "RGB JPEG", encoded(Image.new("RGB", (32, 32), colour), "JPEG", quality=100, icc_profile=rgb), wide, wide
    for alpha in (False, True):
        picture, options = palette(alpha=alpha)
        yield f"P {alpha}", encoded(picture, icc_profile=rgb, **options), wide, white if alpha else wide
    keyed = Image.new("RGB", (32, 32), colour)
    keyed.paste((1, 2, 3), (16, 0, 32, 32))
    yield "RGB with one transparent colour", encoded(keyed, icc_profile=rgb, transparency=(1, 2, 3)), wide, white
    yield "L", encoded(Image.new("L", (32, 32), 128), icc_profile=grey), middle, middle
    yield "L JPEG", encoded(Image.new("L", (32, 32), 128), "JPEG", icc_profile=grey), middle, middle
    yield "L with a profile for RGB", encoded(Image.new("L", (32, 32), 128), icc_profile=rgb), (128,) * 3, (128,) * 3
    half = Image.new("L", (32, 32), 128)
    half.paste(7, (16, 0, 32, 32))
    yield "L with one transparent grey", encoded(half, icc_profile=grey, transparency=7), middle, white
    yield "LA", encoded(with_alpha((128,), "LA"), icc_profile=grey), middle, white
    yield "1", encoded(Image.new("1", (32, 32), 0), icc_profile=grey), (0,) * 3, (0,) * 3
    yield "I;16", encoded(as_16_bit(128), icc_profile=grey), middle, middle
    yield "CMYK", encoded(Image.new("CMYK", (32, 32), (0, 255, 0, 0)), "JPEG", icc_profile=cmyk), (0,) * 3, (0,) * 3


@pytest.mark.parametrize("case", list(profiled()), ids=lambda case: case[0])
def test_the_colour_profile_is_applied_in_every_mode_and_then_what_is_behind_it(case):
    _, data, left, right = case
    with Image.open(io.BytesIO(clean(data).data)) as image:
        seen = [image.getpixel((x, 16)) for x in (4, 28)]
    assert np.abs(np.subtract(seen, [left, right])).max() <= 3, seen


def test_a_colour_that_is_half_transparent_is_mixed_with_white_after_its_conversion():
    data = encoded(Image.new("RGBA", (32, 32), (200, 60, 40, 128)), icc_profile=colour_profile("RGB"))
    with Image.open(io.BytesIO(clean(data).data)) as image:
        mixed = [round((value + 255) / 2) for value in WIDE]
        assert np.abs(np.subtract(image.getpixel((5, 5)), mixed)).max() <= 3


def _tag(profile, name):
    for index in range(struct.unpack_from(">I", profile, 128)[0]):
        tag, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        if tag == name:
            return offset
    raise AssertionError(name)


def test_a_large_picture_is_scaled_down():
    made = clean(encoded(Image.new("RGB", (2 * sanitize.MAX_SIDE, 600), "white"), "JPEG"))
    assert (made.width, made.height) == (sanitize.MAX_SIDE, 300)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", "an empty file"),
        (b"GIF89a" + bytes(20), "GIF89a"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "<svg"),
        (b"RIFF\x00\x00\x00\x00WAVE", "RIFF"),
        (b"\x00\x00\x00\x20ftypavif", "ftyp"),
    ],
)
def test_other_formats_are_refused_by_their_bytes(data, shown):
    with pytest.raises(UnsupportedMediaTypeError, match="expected a PNG, JPEG or WebP image, got") as caught:
        clean(data)
    assert shown in caught.value.detail


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("fraction", [0.02, 0.3, 0.9])
def test_a_truncated_picture_is_refused(kind, fraction):
    data = encoded(Image.effect_noise((200, 150), 80).convert("RGB"), kind)
    with pytest.raises(InvalidRequestError, match="image that is whole; this was a broken"):
        clean(data[: max(12, int(len(data) * fraction))])


@pytest.mark.parametrize("size", [(30_000, 30_000), (9_000, 9_000), (6_400, 6_400)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size, monkeypatch):
    def never(*_):
        raise AssertionError("the picture was decoded")

    monkeypatch.setattr(Image.Image, "load", never)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    with pytest.raises(InvalidRequestError, match="at most 40 megapixels"):
        clean(bomb(*size))


@pytest.mark.parametrize(("size", "message"), [((15, 64), "at least 16 pixels"), ((2000, 100), "16 times as long")])
def test_a_picture_that_is_too_small_or_too_narrow_is_refused(size, message):
    with pytest.raises(InvalidRequestError, match=message):
        clean(encoded(Image.new("RGB", size)))


SAMPLES = [photo(6, kind) for kind in ("PNG", "JPEG", "WEBP")]


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of EXIF data that it cannot read
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6),
)
def test_a_damaged_picture_is_sanitized_or_refused(sample, damages):
    data = bytearray(sample)
    for offset, new in damages:
        data[offset % len(data) : offset % len(data) + len(new)] = new
    with suppress(InvalidRequestError, UnsupportedMediaTypeError):
        assert GPS not in clean(bytes(data)).data
