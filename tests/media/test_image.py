"""Stills have their recipe in their metadata, as PNG and as WebP."""

import numpy as np
import pytest
from PIL import ExifTags, Image

from videogen.media.image import write_still

FRAME = np.arange(32 * 48 * 3, dtype=np.uint32).reshape(32, 48, 3).astype(np.uint8)
METADATA = {"title": "Sea", "comment": '{"prompt":"éclair 日本 🐉"}'}


@pytest.mark.parametrize("name", ["still.png", "still.webp"])
def test_a_still_is_lossless_and_has_its_metadata(name, tmp_path):
    write_still(FRAME, tmp_path / name, METADATA)
    with Image.open(tmp_path / name) as image:
        assert image.format == name.rpartition(".")[2].upper()
        assert (np.asarray(image) == FRAME).all()
        if image.format == "PNG":
            assert (image.text["Title"], image.text["Comment"]) == ("Sea", METADATA["comment"])
        else:
            # Pillow reads EXIF as Latin-1; what was written is UTF-8.
            kept = image.getexif()[ExifTags.Base.ImageDescription]
            assert kept.encode("latin-1").decode() == METADATA["comment"]
