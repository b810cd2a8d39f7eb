import pytest

from tests.support.folders import read_only_folder
from videogen.core.errors import StorageError
from videogen.storage import DiskStorage


def test_a_file_is_put_in_place_by_one_rename(storage, data_folder):
    source = data_folder.make_work_folder("gen_a") / "video.mp4"
    source.write_bytes(b"video")
    inode = source.stat().st_ino
    storage.put(source, "gen_a/a1-video.mp4")
    assert (data_folder.files / "gen_a" / "a1-video.mp4").stat().st_ino == inode


def test_a_put_that_fails_says_why_and_leaves_the_source(storage, data_folder):
    source = data_folder.root / "video.mp4"
    source.write_bytes(b"video")
    (data_folder.files / "gen_a").write_bytes(b"a file where a folder must be")
    with pytest.raises(StorageError, match=r"gen_a/video\.mp4 could not be stored: .+"):
        storage.put(source, "gen_a/video.mp4")
    assert source.exists()


def test_bytes_that_cannot_be_written_leave_nothing(tmp_path):
    with pytest.raises(StorageError):
        DiskStorage(read_only_folder(tmp_path / "locked")).put(b"picture", "uploads/fil_a.png")


def test_an_empty_folder_is_removed(storage, data_folder):
    for key in ("gen_a/a1-video.mp4", "gen_a/a1-poster.jpg"):
        storage.put(b"bytes", key)
    storage.delete("gen_a/a1-video.mp4")
    assert (data_folder.files / "gen_a").is_dir()
    storage.delete("gen_a/a1-poster.jpg")
    assert list(data_folder.files.iterdir()) == []


def test_partial_files_are_not_listed(storage, data_folder):
    (data_folder.files / "gen_b").mkdir()
    (data_folder.files / "gen_b" / "a1-video.mp4.part").write_bytes(b"half")
    assert [*storage.list()] == []
