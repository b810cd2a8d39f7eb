"""`videogen backup` and `videogen restore`."""

import pytest

from videogen.core.config import AppConfig
from videogen.core.errors import StartError
from videogen.jobs.snapshots.by_hand import backup, list_snapshots, restore_by_hand


def _config(folder, url=""):
    return AppConfig(data_dir=folder, snapshot_url=f"{url}")


@pytest.fixture
def used(machine):
    """A machine with a video."""
    made = machine()
    made.row = made.complete(made.store.create_session()[0])
    return made


def test_a_backup_beside_a_running_server_and_the_server_goes_on(used, place):
    used.snapshot()
    config = used.config
    assert "with 2 files" in backup(config, None)
    used.complete(used.store.create_session()[0])
    entry = used.snapshot()
    assert entry.number == 4
    assert len(list_snapshots(config, None).splitlines()) == 3


def test_a_backup_elsewhere_is_restored_into_an_empty_folder_with_all_files(used, tmp_path):
    to = f"{tmp_path / 'backup'}"
    for _ in range(2):
        backup(_config(used.folder.root), to)
    target = _config(tmp_path / "new")
    assert "Restored from" in restore_by_hand(target, to)
    assert (tmp_path / "new" / "files" / used.row.id / "video.mp4").read_bytes() == b"videovideo"
    assert (tmp_path / "new" / "secret.key").read_bytes() == used.secret
    with pytest.raises(StartError, match="There is a database already"):
        restore_by_hand(target, to)


def test_with_force_what_was_there_is_moved_aside(used, tmp_path):
    to = f"{tmp_path / 'backup'}"
    backup(_config(used.folder.root), to)
    used.complete(used.store.create_session()[0])
    used.stop()
    (aside,) = restore_by_hand(_config(used.folder.root), to, force=True).split()[-1:]
    root = used.folder.root
    assert len(list((root / "files").iterdir())) == 1
    (moved,) = root.glob("replaced-*")
    assert aside == f"{moved}."
    assert len(list((moved / "files").iterdir())) == 2
    assert (moved / "videogen.sqlite").exists()


def test_an_older_snapshot_is_restored_by_its_number_and_the_server_goes_on_from_it(used, place):
    first = used.snapshot()
    used.complete(used.store.create_session()[0])
    used.snapshot()
    used.stop()
    restore_by_hand(used.config, None, number=first.number, force=True)
    used.start().snapshot()
    assert used.store.get_media(used.row.file_id)
    assert len(list((used.folder.root / "files").iterdir())) == 1


def test_what_cannot_be_done_is_one_line(used, tmp_path):
    config = _config(used.folder.root)
    with pytest.raises(StartError, match="VIDEOGEN_SNAPSHOT_URL"):
        backup(config, None)
    with pytest.raises(StartError, match="nothing to back up"):
        backup(_config(tmp_path / "empty"), f"{tmp_path / 'backup'}")
    with pytest.raises(StartError, match="no snapshots"):
        restore_by_hand(_config(tmp_path / "new"), f"{tmp_path / 'backup'}")
    assert list_snapshots(config, f"{tmp_path / 'backup'}").startswith("There are no snapshots")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StartError, match=r"The backup to .* failed"):
        backup(config, f"{tmp_path / 'file'}")


def test_a_backup_of_one_folder_does_not_replace_that_of_another(used, machine, tmp_path):
    to = f"{tmp_path / 'backup'}"
    backup(_config(used.folder.root), to)
    other = machine("other", place=tmp_path / "elsewhere")
    with pytest.raises(StartError, match="of another data folder"):
        backup(_config(other.folder.root), to)
