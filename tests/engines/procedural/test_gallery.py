"""The gallery page and its posters are what `make gallery` makes."""

import importlib
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[3]


@pytest.fixture
def gallery(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("gallery")


def test_the_gallery_page_is_up_to_date(gallery):
    assert (ROOT / "docs" / "gallery.md").read_text() == gallery.page()


def test_every_poster_exists_and_is_small(gallery):
    names = {gallery.name(poster) for poster in gallery.POSTERS}
    assert names == {path.name for path in gallery.FOLDER.iterdir()}
    assert len(names) == len(gallery.POSTERS)
    for path in gallery.FOLDER.iterdir():
        assert path.stat().st_size <= gallery.MAX_BYTES
        with Image.open(path) as image:
            assert (image.format, image.size) == ("WEBP", gallery.POSTER_SIZE)


def test_a_poster_is_reproducible(gallery, tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "FOLDER", tmp_path)
    monkeypatch.setattr(gallery, "SIZE", (96, 54))
    monkeypatch.setattr(gallery, "POSTER_SIZE", (48, 27))
    poster = gallery.POSTERS[0]
    assert gallery.render(poster) == gallery.render(poster) == (tmp_path / gallery.name(poster)).read_bytes()
