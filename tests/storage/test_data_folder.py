import pytest

from tests.support.folders import read_only_folder
from videogen.core.errors import StartError, StorageError
from videogen.storage import DataFolder


def test_open_makes_the_folders_and_nothing_else(data_folder):
    data_folder.open()
    assert sorted(path.name for path in data_folder.root.iterdir()) == ["files", "work"]


def test_a_file_in_the_place_of_the_folder_stops_the_start(tmp_path):
    (tmp_path / "data").write_bytes(b"")
    with pytest.raises(StartError, match=r"VIDEOGEN_DATA_DIR: expected a folder that can be written, got '.*data'"):
        DataFolder(tmp_path / "data").open()


def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path):
    folder = read_only_folder(tmp_path / "locked")
    with pytest.raises(StartError, match=r"VIDEOGEN_DATA_DIR: expected a folder that can be written"):
        DataFolder(folder).open()


def test_a_work_folder_that_cannot_be_made_is_a_storage_error(data_folder):
    data_folder.work_folder("gen_a").write_bytes(b"")
    with pytest.raises(StorageError, match="work folder could not be made"):
        data_folder.make_work_folder("gen_a")


def test_work_folders_are_listed_and_removed_safely_again(data_folder):
    for generation_id in ("gen_b", "gen_a"):
        (data_folder.make_work_folder(generation_id) / "segment.mp4").write_bytes(b"")
    assert data_folder.list_work_folders() == ["gen_a", "gen_b"]
    for _ in range(2):
        data_folder.remove_work_folder("gen_a")
        assert data_folder.list_work_folders() == ["gen_b"]
