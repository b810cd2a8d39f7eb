"""When a snapshot is taken, what is in it, what is removed after it, and what happens where it cannot be taken."""

import resource
import threading
from contextlib import contextmanager

import pytest

from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError
from videogen.db.backup import copy_database
from videogen.db.integrity import check
from videogen.db.migrate import migrate
from videogen.jobs.snapshots import open_place
from videogen.jobs.snapshots.place import KEPT
from videogen.testing.fakes import bars, lost_service


def _files(place):
    return sorted(path.name for path in (place / "files").rglob("*") if path.is_file())


@pytest.fixture
def alone(machine):
    return machine()


def test_only_the_last_snapshots_are_kept_and_each_can_be_restored(alone, place):
    for _ in range(KEPT + 3):
        last = alone.snapshot()
    entries = open_place(f"{place}").entries()
    assert [entry.number for entry in entries] == list(range(last.number, last.number - KEPT, -1))
    assert len(list((place / "snapshots").iterdir())) == 3 * KEPT


def test_a_file_is_copied_once_and_removed_when_no_snapshot_names_it(alone, place):
    alice = alone.store.create_session()[0]
    gone, kept = alone.complete(alice), alone.complete(alice)
    alone.snapshot()
    assert len(_files(place)) == 4
    times = {path: path.stat().st_mtime_ns for path in (place / "files").rglob("*.mp4")}
    alone.store.delete_generation(alice, gone.id)
    alone.storage.delete(f"{gone.id}/video.mp4")
    for _ in range(KEPT - 1):
        alone.snapshot()
    assert {path: path.stat().st_mtime_ns for path in (place / "files").rglob("*.mp4")} == times
    alone.snapshot()
    assert {path.parent.name for path in (place / "files").rglob("*.mp4")} == {kept.id}


def test_what_a_torn_snapshot_left_is_removed_by_the_next_start(alone, place):
    alice = alone.store.create_session()[0]
    alone.snapshot()
    row = alone.complete(alice)
    entry = alone.snapshot()
    (place / entry.entry_name).unlink()
    again = alone.lose_disk().start()
    for _ in range(2):
        again.snapshot()
    assert row.id not in [path.parent.name for path in (place / "files").rglob("*.mp4")]
    assert list((place / "snapshots").glob(f"{entry.number:012d}-*")) == []


def test_a_result_with_the_key_of_a_lost_one_is_a_file_of_its_own(alone):
    alice = alone.store.create_session()[0]
    row = alone.complete(alice, b"first")
    video = f"{row.id}/video.mp4"
    alone.snapshot()
    again = alone.lose_disk().start()
    again.storage.delete(video)
    again.storage.put(b"another", video)
    again.snapshot()
    last = again.lose_disk().start()
    with last.storage.open(video) as file:
        assert file.read() == b"another"


def test_nothing_is_taken_while_nothing_changes(alone):
    assert alone.keeper._take_if_changed()
    assert alone.keeper._take_if_changed()
    assert alone.keeper.status.taken == 1
    alone.store.create_session()
    assert alone.keeper._take_if_changed()
    assert alone.keeper.status.taken == 2


def test_a_stop_takes_the_last_one_and_notes_that_nothing_came_after_it(alone, place):
    alone.keeper.start()
    row = alone.submit(alone.store.create_session()[0])
    alone.keeper.stop()
    assert open_place(f"{place}").newest().clean
    again = alone.lose_disk().start()
    assert again.store.last_restore().is_complete
    assert again.store.newest_time() == row.created_at


def test_a_place_that_is_away_is_noted_and_tried_again(alone, place, caplog):
    alone.snapshot()
    away = place.rename(place.with_name("away"))
    place.write_bytes(b"")
    for _ in range(2):
        assert not alone.keeper._take_if_changed()
    status = alone.keeper.status
    assert (status.failed, status.is_foreign) == (2, False)
    assert status.fault
    assert [record.levelname for record in caplog.records if "tried again" in record.message] == ["ERROR"], "once"
    place.unlink()
    away.rename(place)
    assert alone.keeper._take_if_changed()
    assert status.fault == ""


def test_a_start_with_data_goes_on_without_its_place_and_claims_it_later(alone, place):
    alone.snapshot()
    alone.stop()
    away = place.rename(place.with_name("away"))
    place.write_bytes(b"")
    alone.start()
    assert not alone.keeper._take_if_changed()
    place.unlink()
    away.rename(place)
    assert alone.keeper._take_if_changed()


def test_nothing_is_sent_to_a_service_before_the_place_is_claimed(alone, place):
    """Else a later start from the last snapshot, which may have the same jobs, would send them again."""
    from videogen.server.build import open_parts

    alone.snapshot(clean=True)
    alone.stop()
    away = place.rename(place.with_name("away"))
    place.write_bytes(b"")
    with open_parts(alone.config.model_copy(update={"workers": 1}), {"paid": lost_service, "bars": bars}) as parts:
        slots = parts.workers._settings.slots_of
        assert (slots("paid"), slots("bars")) == (0, 1)
        before = parts.queue.wait(-1, 0)
        place.unlink()
        away.rename(place)
        assert parts.snapshots._take_if_changed()
        assert slots("paid") > 0
        assert parts.queue.wait(before, 0) > before, "the workers look again"


@contextmanager
def _full_disk():
    """No file of this process may grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_noted_leaves_nothing_and_is_tried_again(alone):
    alone.snapshot()
    alone.store.create_session()
    before = sorted(path.name for path in alone.folder.root.iterdir())
    with _full_disk():
        assert not alone.keeper._take_if_changed()
    assert alone.keeper.status.fault
    assert sorted(path.name for path in alone.folder.root.iterdir()) == before
    assert alone.keeper._take_if_changed()


def test_before_a_migration_a_snapshot_of_the_old_schema_is_taken(tmp_path, place):
    from videogen.server.build import open_parts

    config = AppConfig(data_dir=tmp_path / "data", snapshot_url=f"{place}", workers=0)
    config.data_dir.mkdir()
    migrate(config.database, "0009")
    with open_parts(config, {}):
        (entry,) = [one for one in open_place(f"{place}").entries() if one.database]
    assert entry.revision == "0009"


def test_a_copy_is_complete_and_whole_while_others_write(alone, tmp_path):
    alice = alone.store.create_session()[0]
    for _ in range(10):
        alone.submit(alice)
    stop, written = threading.Event(), []

    def write():
        while not stop.is_set():
            written.append(alone.submit(alice).id)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            copy = tmp_path / f"copy-{number}"
            copy_database(alone.path, copy)
            assert check(copy).faults == ()
    finally:
        stop.set()
        writer.join()
    assert written


@pytest.mark.parametrize(
    ("url", "text"),
    [("ftp://host/x", "a folder"), ("s3://", "a folder"), ("s3://bucket/a?bad=1", "only the options")],
)
def test_a_wrong_url_is_one_line(url, text):
    with pytest.raises(ConfigError, match=text) as caught:
        open_place(url)
    assert "VIDEOGEN_SNAPSHOT_URL" in str(caught.value)


def test_a_bucket_without_the_extra_is_one_line(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(ConfigError, match=r"pip install 'videogen\[s3\]'"):
        open_place("s3://bucket/prefix")
