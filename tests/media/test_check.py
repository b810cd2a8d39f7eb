"""Files from anybody are checked in a child process, which they may crash or stop."""

import os

import pytest

from tests.support.pictures import bomb
from tests.support.zips import picture_bytes, video_bytes
from videogen.core.errors import StorageError
from videogen.media import limited_process
from videogen.media.check import CheckError, check_files
from videogen.media.probe import BrokenMediaError, probe

PLAYLIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n"
NOT_A_VIDEO = {
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>alert(1)</script></svg>",
    "hls": PLAYLIST,
    "concat": b"ffconcat version 1.0\nfile other.mp4\n",
    "dash": b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
    "png": picture_bytes("PNG"),
    "text": b"hello",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "other.mp4").write_bytes(video_bytes(folder))
    (folder / "whole.png").write_bytes(picture_bytes("PNG"))
    (folder / "whole.jpg").write_bytes(picture_bytes("JPEG"))
    return folder


@pytest.fixture
def whole(folder):
    return [folder / name for name in ("other.mp4", "whole.png", "whole.jpg")]


def test_one_child_checks_all_files(whole, monkeypatch):
    runs, run = [], limited_process.subprocess.run
    monkeypatch.setattr(
        limited_process.subprocess, "run", lambda *args, **options: runs.append(options) or run(*args, **options)
    )
    monkeypatch.setenv("VIDEOGEN_SECRET_KEY", "secret")
    check_files(whole * 20)
    check_files([])
    (options,) = runs
    assert "VIDEOGEN_SECRET_KEY" not in options["env"]


@pytest.mark.parametrize("kind", NOT_A_VIDEO)
def test_what_is_no_mp4_reaches_no_other_demuxer(folder, kind):
    path = folder / f"{kind}.mp4"
    path.write_bytes(NOT_A_VIDEO[kind])
    with pytest.raises(BrokenMediaError):
        probe(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("hls.mp4", PLAYLIST),
        ("cut.jpg", picture_bytes("JPEG")[:-200]),
        ("cut.png", picture_bytes("PNG")[:-30]),
        ("other.png", picture_bytes("JPEG")),
    ],
)
def test_a_file_that_is_something_else_is_named(folder, whole, name, data):
    path = folder / f"wrong-{name}"
    path.write_bytes(data)
    with pytest.raises(CheckError, match="something else") as caught:
        check_files([*whole, path, *whole])
    assert caught.value.index == 3


def test_a_picture_with_too_many_pixels_is_not_decoded(folder, whole):
    path = folder / "pixels.png"
    path.write_bytes(bomb(12_000, 9_000))
    with pytest.raises(CheckError, match="12000 x 9000 pixels"):
        check_files([*whole, path])


def test_a_file_that_takes_too_much_memory_ends_the_child_alone(folder, whole, monkeypatch):
    path = folder / "memory.png"
    path.write_bytes(bomb(9_900, 9_900))
    monkeypatch.setattr(limited_process, "MEMORY", 80_000_000)
    with pytest.raises(CheckError, match="too much time or memory") as caught:
        check_files([whole[1], path])
    assert caught.value.index == 1


def test_a_file_that_is_never_read_to_its_end_ends_the_child_alone(folder, whole, monkeypatch):
    path = folder / "endless.png"
    os.mkfifo(path)  # nobody writes to it, so that opening it never returns
    monkeypatch.setattr(limited_process, "FILE_SECONDS", 1)
    with pytest.raises(CheckError, match="too much time or memory") as caught:
        check_files([*whole, path])
    assert caught.value.index == 3


def test_without_a_child_the_files_stay_unchecked(whole, monkeypatch):
    monkeypatch.setattr(limited_process.sys, "executable", "/nothing")
    with pytest.raises(StorageError, match="could not be checked"):
        check_files(whole)
    monkeypatch.setattr(limited_process.sys, "executable", "/bin/false")
    with pytest.raises(StorageError, match="could not be checked"):
        check_files(whole)
