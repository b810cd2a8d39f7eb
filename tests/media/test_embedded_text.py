"""What a file was made from is found wherever programs move it when they save the file again."""

import io
import json
import struct
import tempfile
import zlib

import av
import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from tests.support.pictures import bomb, encoded
from tests.support.zips import picture_bytes, video_bytes
from videogen.core.errors import InvalidRequestError, UnsupportedMediaTypeError
from videogen.media import limited_process
from videogen.media.embedded_text import MAX_BYTES, MAX_TEXTS, embedded_json, find_json
from videogen.media.encode import SegmentEncoder, VideoShape, join_segments
from videogen.media.image import write_still

RECIPE = json.dumps({"prompt": "Öl auf Papier 油画"}, ensure_ascii=False)
LATIN = json.dumps({"prompt": "Öl"}, ensure_ascii=False)
FRAME = np.full((64, 64, 3), 90, np.uint8)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(name, data, behind_pixels=False):
    """A PNG with one more chunk, before its pixels or behind them."""
    whole = picture_bytes("PNG")
    at = len(whole) - 12 if behind_pixels else 33
    return whole[:at] + chunk(name, data) + whole[at:]


PNGS = {
    "text": (b"tEXt", b"Comment\0" + LATIN.encode("latin-1"), LATIN),
    "text as UTF-8": (b"tEXt", b"Comment\0" + RECIPE.encode(), RECIPE),
    "packed text": (b"zTXt", b"Comment\0\0" + zlib.compress(LATIN.encode("latin-1")), LATIN),
    "international text": (b"iTXt", b"Comment\0\0\0\0\0" + RECIPE.encode(), RECIPE),
    "packed international text": (b"iTXt", b"Comment\0\1\0de\0\0" + zlib.compress(RECIPE.encode()), RECIPE),
    "another keyword": (b"iTXt", b"Description\0\0\0\0\0" + RECIPE.encode(), RECIPE),
}


@pytest.mark.parametrize("behind_pixels", [False, True])
@pytest.mark.parametrize("kind", PNGS)
def test_every_kind_of_text_in_a_png_is_found(kind, behind_pixels):
    name, data, text = PNGS[kind]
    assert find_json(io.BytesIO(png_with(name, data, behind_pixels))) == [text]


def test_a_png_that_another_program_has_saved_again_keeps_it(tmp_path):
    write_still(FRAME, tmp_path / "made.png", {"title": "t", "comment": RECIPE})
    with Image.open(tmp_path / "made.png") as made:
        kept = PngImagePlugin.PngInfo()
        kept.add_text("Comment", made.info["Comment"], zip=True)
        assert find_json(io.BytesIO(encoded(made.copy(), pnginfo=kept))) == [RECIPE]


def test_a_webp_and_a_jpeg_have_it_in_their_exif_data(tmp_path):
    write_still(FRAME, tmp_path / "made.webp", {"comment": RECIPE})
    assert find_json(io.BytesIO((tmp_path / "made.webp").read_bytes())) == [RECIPE]
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = RECIPE.encode()
    assert find_json(io.BytesIO(encoded(kind="JPEG", exif=exif))) == [RECIPE]


def remuxed(video, path, options):
    """A video in another container, with its tags and without decoding."""
    with av.open(str(video)) as source, av.open(str(path), "w", container_options=options) as target:
        target.metadata.update(source.metadata)
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("again.mp4", {}),
        ("again.mov", {}),
        ("keys.mp4", {"movflags": "use_metadata_tags"}),
        ("keys.mov", {"movflags": "use_metadata_tags"}),
    ],
)
def test_a_video_that_another_program_has_saved_again_keeps_it(tmp_path, name, options):
    with SegmentEncoder(tmp_path / "0.mp4", VideoShape(64, 64, 8)) as encoder:
        for _ in range(8):
            encoder.write(FRAME)
    join_segments([tmp_path / "0.mp4"], tmp_path / "made.mp4", {"title": "t", "comment": RECIPE})
    assert find_json(io.BytesIO((tmp_path / "made.mp4").read_bytes())) == [RECIPE]
    saved = remuxed(tmp_path / "made.mp4", tmp_path / name, options)
    assert (b"mdta" in saved.read_bytes()) == bool(options)
    assert find_json(io.BytesIO(saved.read_bytes())) == [RECIPE]


def test_texts_that_are_no_json_objects_or_are_too_many_are_left_out():
    texts = ["hello", "[1]", "", " {} ", *(f"{{{number}}}" for number in range(20))]
    info = PngImagePlugin.PngInfo()
    for number, text in enumerate(texts):
        info.add_itxt(f"Text {number}", text)
    assert find_json(io.BytesIO(encoded(pnginfo=info))) == ["{}", *(f"{{{number}}}" for number in range(MAX_TEXTS - 1))]


def test_a_text_that_is_too_long_is_left_out(tmp_path):
    made = tmp_path / "made.mp4"
    made.write_bytes(video_bytes(tmp_path))
    join_segments([made], tmp_path / "long.mp4", {"comment": "{" + MAX_BYTES * "a", "title": "{}"})
    assert find_json(io.BytesIO((tmp_path / "long.mp4").read_bytes())) == ["{}"]


@pytest.fixture
def stored():
    with tempfile.TemporaryFile() as file:

        def store(data):
            file.truncate(0)
            file.seek(0)
            file.write(data)
            file.seek(0)
            return file

        yield store


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a" + bytes(99), b"#EXTM3U\n#EXT-X-VERSION:3\nother.mp4\n", b"\0\0\0\x18ftypheic" + bytes(99)]
)
def test_another_format_is_refused_by_its_first_bytes(stored, data):
    with pytest.raises(UnsupportedMediaTypeError, match="PNG, JPEG, WebP, MP4 or MOV"):
        embedded_json(stored(data))


def test_a_child_reads_the_file_from_where_it_was_opened(stored):
    assert embedded_json(stored(png_with(*PNGS["international text"][:2]))) == [RECIPE]
    assert embedded_json(stored(picture_bytes("PNG"))) == []


@pytest.mark.parametrize("data", [picture_bytes("PNG")[:-40], bomb(12_000, 9_000), b"\0\0\0\x18ftypisom" + bytes(99)])
def test_a_broken_file_is_refused_in_words(stored, data):
    with pytest.raises(InvalidRequestError, match="that is whole; this was a broken or a huge one"):
        embedded_json(stored(data))


def test_a_file_that_takes_too_much_memory_ends_the_child_alone(stored, monkeypatch):
    monkeypatch.setattr(limited_process, "MEMORY", 80_000_000)
    with pytest.raises(InvalidRequestError, match="too much time or memory"):
        embedded_json(stored(bomb(9_900, 9_900)))
