"""An empty start restores the newest snapshot that is whole; everything else is refused in one line."""

import json

import pytest

from videogen.core.errors import DatabaseTooNewError, StartError, StorageError
from videogen.jobs.snapshots import ForeignSnapshotsError
from videogen.store import Fence, Progress

KEY = "correct horse battery"


def _objects(place, ending):
    return sorted(place.glob(f"snapshots/*{ending}"))


def _ids(one):
    with one.store.database.read() as session:
        return {name for (name,) in session.connection().exec_driver_sql("SELECT id FROM generations")}


def _read(storage, key):
    with storage.open(key) as file:
        return file.read()


@pytest.fixture
def session():
    """Opens a session on a machine."""
    return lambda one: one.store.create_session()[0]


@pytest.mark.parametrize("key", ["", KEY], ids=["plain", "encrypted"])
def test_an_empty_start_restores_rows_secret_and_files(machine, session, place, key):
    first = machine(snapshot_key=key)
    row = first.complete(session(first))
    secret = first.secret
    first.snapshot()
    again = first.lose_disk().start()
    assert _ids(again) == {row.id}
    assert again.secret == secret
    assert (again.folder.root / "secret.key").stat().st_mode & 0o777 == 0o600
    video = f"{row.id}/video.mp4"
    assert again.storage.exists(video)
    assert not again.disk.exists(video), "it is fetched when it is asked for"
    assert _read(again.storage, video) == b"videovideo"
    assert again.disk.exists(video)
    last = again.store.last_restore()
    assert not last.is_complete


def test_with_a_key_nothing_at_the_place_can_be_read(machine, session, place):
    first = machine(snapshot_key=KEY)
    first.complete(session(first), b"a secret video")
    first.snapshot()
    everything = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    for text in (b"a secret video", b"SQLite format 3", first.secret, KEY.encode()):
        assert text not in everything


@pytest.mark.parametrize(
    ("then", "now", "text"),
    [(KEY, "another passphrase", "is not the one"), (KEY, "", "must be set"), ("", KEY, "must not be set")],
)
def test_another_key_is_refused_in_one_line_and_nothing_is_made(machine, place, then, now, text):
    first = machine(snapshot_key=then)
    first.snapshot()
    first.lose_disk()
    with pytest.raises(StartError, match=text) as caught:
        machine(snapshot_key=now)
    assert "VIDEOGEN_SNAPSHOT_KEY" in str(caught.value)
    assert not first.path.exists()


def test_a_snapshot_without_its_entry_is_never_taken(machine, session, place):
    first = machine()
    kept = first.submit(session(first))
    first.snapshot()
    lost = first.submit(session(first))
    entry = first.snapshot()
    (place / entry.entry_name).unlink()
    assert _ids(first) == {kept.id, lost.id}
    assert _ids(first.lose_disk().start()) == {kept.id}


@pytest.mark.parametrize(
    ("damage", "ending", "key"),
    [
        *((damage, ending, "") for damage in ("cut", "changed", "gone") for ending in (".database", ".files")),
        ("cut", ".database", KEY),
        ("changed", ".database", KEY),
    ],
)
def test_of_a_damaged_snapshot_the_one_before_is_restored(machine, session, place, damage, ending, key):
    first = machine(snapshot_key=key)
    kept = first.submit(session(first))
    first.snapshot()
    first.submit(session(first))
    first.snapshot()
    newest = _objects(place, ending)[-1]
    whole = newest.read_bytes()
    newest.unlink()
    if damage == "cut":
        newest.write_bytes(whole[:-1])
    elif damage == "changed":
        newest.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
    assert _ids(first.lose_disk().start()) == {kept.id}


def test_where_none_is_whole_the_start_is_refused_and_nothing_is_made(machine, place):
    first = machine()
    first.snapshot()
    first.lose_disk()
    for path in _objects(place, ".database"):
        path.write_bytes(b"torn")
    with pytest.raises(StartError, match="None of the 1 snapshots"):
        machine()
    assert not first.path.exists()


def test_a_snapshot_of_a_newer_version_is_refused(machine, place):
    first = machine()
    entry = first.snapshot()
    path = place / entry.entry_name
    path.write_text(json.dumps(json.loads(path.read_text()) | {"revision": "9999"}))
    first.lose_disk()
    with pytest.raises(DatabaseTooNewError, match="9999"):
        machine()


def test_a_place_that_does_not_answer_refuses_an_empty_start(machine, place, monkeypatch):
    monkeypatch.setattr("videogen.jobs.snapshots.start.PATIENCE_SECONDS", -1)
    place.write_bytes(b"a file, not a folder")
    with pytest.raises(StartError, match="A start without them would seem to have lost everything"):
        machine()


def test_a_file_that_cannot_be_fetched_now_is_a_fault_and_not_a_missing_file(machine, session, place):
    first = machine()
    row = first.complete(session(first))
    first.snapshot()
    again = first.lose_disk().start()
    place.rename(place.with_name("away"))
    place.write_bytes(b"")
    with pytest.raises(StorageError, match="Try again"):
        _read(again.storage, f"{row.id}/video.mp4")
    place.unlink()
    place.with_name("away").rename(place)
    assert _read(again.storage, f"{row.id}/video.mp4") == b"videovideo"


def test_a_file_that_was_deleted_before_it_was_fetched_stays_deleted(machine, session):
    first = machine()
    row = first.complete(session(first))
    first.snapshot()
    again = first.lose_disk().start()
    again.storage.delete(f"{row.id}/video.mp4")
    with pytest.raises(FileNotFoundError):
        _read(again.storage, f"{row.id}/video.mp4")
    again.keeper._fetch_files()
    assert not again.disk.exists(f"{row.id}/video.mp4")
    assert again.disk.exists(f"{row.id}/poster.mp4")
    assert again.keeper.status.files_missing == 0


# Who may write.


def test_a_second_server_with_data_of_its_own_is_refused_and_changes_nothing(machine, place):
    machine().snapshot()
    other = machine("other", place=place.with_name("elsewhere"))
    other.stop()
    before = sorted(place.rglob("*"))
    with pytest.raises(ForeignSnapshotsError, match="of another data folder"):
        machine("other")
    assert sorted(place.rglob("*")) == before


def test_an_empty_start_takes_over_and_the_server_before_takes_no_more(machine, session):
    old = machine()
    row = old.submit(session(old))
    old.snapshot()
    new = machine("new")
    assert _ids(new) == {row.id}
    assert old.snapshots.taker.take() is None
    assert not old.keeper._take(clean=False)
    assert old.keeper.status.is_foreign
    new.snapshot()
    assert old.snapshots.taker.take() is None
    assert _ids(new.lose_disk().start()) == {row.id}


def test_of_two_copies_of_a_data_folder_the_one_that_starts_first_goes_on(machine, tmp_path):
    import shutil

    first = machine()
    first.snapshot()
    first.stop()
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    first.start().snapshot()
    with pytest.raises(ForeignSnapshotsError):
        machine("copy")
    first.snapshot()


def test_a_claim_that_was_made_and_not_confirmed_is_still_ones_own(machine, place, monkeypatch):
    first = machine()
    first.snapshot()
    first.stop()
    create = type(first.snapshots.place.objects).create

    def lost_answer(self, name, source):
        create(self, name, source)
        raise OSError("no answer")

    monkeypatch.setattr("videogen.storage.objects.FolderObjects.create", lost_answer)
    first.start()
    assert first.snapshots.taker is None
    first.stop()
    monkeypatch.undo()
    first.start().snapshot()


# What becomes of events and jobs.


def test_a_reader_that_has_seen_later_events_begins_anew_and_numbers_go_on_rising(machine, session):
    first = machine()
    alice = session(first)
    row = first.submit(alice)
    first.snapshot()
    seen = first.store.open_scope(alice, ("generation", row.id), None).cursor
    with first.store.database.write() as unit:
        unit.connection.exec_driver_sql("UPDATE generations SET status = 'processing', attempt = 1")
    first.store.record_progress(Fence(row.id, 1), Progress(50, "rendering", 1, 2, "", None))
    later = first.store.open_scope(alice, ("generation", row.id), None).cursor
    assert later > seen
    again = first.lose_disk().start()
    opening = again.store.open_scope(alice, ("session", alice), later)
    assert opening.resumed_after == 0
    assert [event.data.status for event in opening.backlog] == ["queued"]
    assert again.store.open_scope(alice, ("session", alice), seen).resumed_after == seen
    again.store.settle_restore((), "Restored.")
    after = again.store.open_scope(alice, ("session", alice), later)
    assert min(event.id for event in after.backlog) > later
    newest = after.cursor
    assert again.store.open_scope(alice, ("session", alice), newest).resumed_after == newest


JOB = {"job": {"id": "own", "sentAt": "2026-01-01T00:00:00Z"}}
SENT = {"job": JOB["job"] | {"sent": {"id": "theirs"}}}


@pytest.mark.parametrize(
    ("engine", "status", "checkpoint", "clean", "expected"),
    [
        ("bars", "queued", None, False, ("queued", None)),
        ("bars", "processing", {"segments": 3}, False, ("queued", None)),
        ("paid", "processing", SENT, False, ("queued", SENT)),
        ("paid", "processing", JOB, False, ("needs_attention", JOB)),
        ("paid", "processing", None, False, ("needs_attention", None)),
        ("paid", "queued", None, False, ("needs_attention", None)),
        ("paid", "queued", None, True, ("queued", None)),
        ("paid", "queued", SENT, True, ("queued", SENT)),
        ("paid", "processing", None, True, ("needs_attention", None)),
        ("gone", "processing", SENT, False, ("queued", SENT)),
    ],
)
def test_what_becomes_of_a_job_without_a_result(machine, session, engine, status, checkpoint, clean, expected):
    first = machine()
    alice = session(first)
    row = first.submit(alice, engine=engine)
    with first.store.database.write() as unit:
        values = (status, json.dumps(checkpoint) if checkpoint else None)
        unit.connection.exec_driver_sql(
            "UPDATE generations SET status = ?, checkpoint = ?, attempt = 1, progress = 40", values
        )
    first.snapshot(clean=clean)
    again = first.lose_disk().start()
    assert again.store.settle_restore({"paid"}, "Restored from a snapshot of 12:03 UTC.") == 1
    now = again.store.get_generation(alice, row.id)
    assert (now.stage, now.checkpoint) == expected
    assert now.message.startswith("Restored from a snapshot of 12:03 UTC.")
    assert again.store.last_restore().is_complete is clean
    assert again.store.settle_restore({"paid"}, "Again.") == 0, "once"


def test_a_clean_snapshot_after_which_a_server_went_on_is_not_complete(machine):
    first = machine()
    first.snapshot(clean=True)
    first.stop()
    first.start()
    assert not first.lose_disk().start().store.last_restore().is_complete
