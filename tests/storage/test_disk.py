import pytest

from tests.support.folders import read_only_folder
from videogen.core.errors import StartError, StorageError
from videogen.storage.disk import DiskStorage


@pytest.fixture
def storage(tmp_path):
    storage = DiskStorage(tmp_path / "data")
    storage.open()
    return storage


def _rendered(storage, content=b"video"):
    source = storage.make_workdir("gen_a") / "video.mp4"
    source.write_bytes(content)
    return source


def test_open_makes_the_folders_and_leaves_nothing_else(storage):
    storage.open()
    assert sorted(path.name for path in storage.root.iterdir()) == ["files", "work"]


def test_a_file_is_put_in_place_by_one_rename(storage):
    source = _rendered(storage)
    inode = source.stat().st_ino
    assert storage.put(source, "gen_a/video.mp4") == len(b"video")
    target = storage.path("gen_a/video.mp4")
    assert target.read_bytes() == b"video"
    assert target.stat().st_ino == inode
    assert not source.exists()


def test_a_file_replaces_the_one_before(storage):
    storage.put(_rendered(storage, b"old"), "gen_a/preview.jpg")
    reader = storage.path("gen_a/preview.jpg").open("rb")
    storage.put(_rendered(storage, b"new"), "gen_a/preview.jpg")
    with reader:
        assert reader.read() == b"old", "who reads already keeps what it reads"
    assert storage.path("gen_a/preview.jpg").read_bytes() == b"new"


def test_what_cannot_be_kept_is_a_storage_fault_that_says_why(storage):
    source = _rendered(storage)
    storage.path("gen_a").write_bytes(b"a file where a folder must be")
    with pytest.raises(StorageError, match=r"gen_a/video\.mp4 could not be kept: .+"):
        storage.put(source, "gen_a/video.mp4")
    assert source.exists()


def test_a_source_that_is_not_there_is_a_storage_fault(storage):
    with pytest.raises(StorageError):
        storage.put(storage.root / "nothing", "gen_a/video.mp4")


def test_a_workdir_that_cannot_be_made_is_a_storage_fault(storage):
    storage.workdir("gen_a").write_bytes(b"")
    with pytest.raises(StorageError, match="work folder could not be made"):
        storage.make_workdir("gen_a")


def test_remove_takes_files_and_workdir_and_may_be_repeated(storage):
    storage.put(_rendered(storage), "gen_a/video.mp4")
    storage.put(_rendered(storage), "gen_b/video.mp4")
    for _ in range(2):
        storage.remove("gen_a")
        assert not storage.path("gen_a").exists()
        assert not storage.workdir("gen_a").exists()
    assert storage.path("gen_b/video.mp4").exists()


def test_what_has_ended_keeps_the_files_that_are_named_and_nothing_else(storage):
    for key in ("gen_a/video.mp4", "gen_a/a1-video.mp4", "gen_b/video.mp4"):
        storage.put(_rendered(storage), key)
    _rendered(storage)
    for _ in range(2):
        storage.tidy("gen_a", {"gen_a/video.mp4"})
        assert [path.name for path in storage.path("gen_a").iterdir()] == ["video.mp4"]
        assert not storage.workdir("gen_a").exists()
    storage.tidy("gen_a", ())
    assert not storage.path("gen_a").exists()
    assert storage.path("gen_b/video.mp4").exists()


def test_a_file_in_the_place_of_the_folder_stops_the_start(tmp_path):
    (tmp_path / "data").write_bytes(b"")
    with pytest.raises(StartError, match=r"VIDEOGEN_DATA_DIR: expected a folder that can be written, got '.*data'"):
        DiskStorage(tmp_path / "data").open()


def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path):
    folder = read_only_folder(tmp_path / "locked")
    with pytest.raises(StartError, match=r"VIDEOGEN_DATA_DIR: expected a folder that can be written"):
        DiskStorage(folder).open()
