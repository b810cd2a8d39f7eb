"""The files of checkpoints in a storage that several machines share."""

from contextlib import ExitStack

import pytest

from videogen.core.errors import StorageAwayError, StorageError
from videogen.engines.process.protocol import CHECKPOINT_NAME, LOG_NAME
from videogen.jobs.base import Lease
from videogen.jobs.checkpoint_files import CheckpointFiles, folder_of, running_log
from videogen.storage import DataFolder, DiskStorage

GENERATION = "gen_a"


class Shared(DiskStorage):
    """A storage that other machines use too. It notes what is stored, and may be away."""

    is_shared = True

    def __init__(self, root):
        super().__init__(root)
        self.stored, self.is_away = [], False

    def put(self, source, key, *, once=False):
        if self.is_away:
            raise StorageAwayError
        self.stored.append(key)
        return super().put(source, key, once=once)

    def open(self, key, start=0, end=None):
        if self.is_away:
            raise OSError("the body was cut")
        return super().open(key, start, end)


@pytest.fixture
def storage(tmp_path):
    return Shared(tmp_path / "bucket")


@pytest.fixture
def machine(tmp_path, storage):
    """Makes a machine by name: its checkpoint files, and its work folder."""

    def make(name):
        data_folder = DataFolder(tmp_path / name)
        data_folder.open()
        return CheckpointFiles(storage, data_folder), data_folder.make_work_folder(GENERATION)

    return make


@pytest.fixture
def attempt_ends():
    with ExitStack() as stack:
        yield stack


def lease(attempt, checkpoint=None):
    return Lease(GENERATION, "ses_a", attempt, {}, checkpoint, 0.0)


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(folder, **files):
    for name, data in files.items():
        (folder / name).write_bytes(data)


def test_a_job_goes_on_with_its_files_on_another_machine(machine, attempt_ends):
    (one, here), (other, there) = machine("one"), machine("other")
    write(here, latents=b"step 4", segment=b"second 1")
    (here / "previews").mkdir()
    write(here / "previews", last=b"jpg")
    stored = one.upload(lease(1), {"step": 4})
    write(there, segment=b"of an earlier attempt here", stray=b"x")
    assert other.fetch(lease(2, stored), attempt_ends) == {"step": 4}, "the engine gets what it wrote, and no more"
    assert content(there) == {"latents": b"step 4", "segment": b"second 1", "previews/last": b"jpg"}


def test_only_what_has_changed_is_stored_again(machine, storage):
    files, folder = machine("one")
    write(folder, latents=b"step 4", segment=b"second 1")
    files.upload(lease(1), {"step": 4})
    storage.stored.clear()
    write(folder, latents=b"step 5, and longer", half=b"")
    (folder / "half").rename(folder / "half.part")
    files.upload(lease(1), {"step": 5})
    assert storage.stored == [f"{folder_of(GENERATION, 1)}latents"]


def test_a_checkpoint_in_the_storage_is_never_newer_than_its_files(machine, storage, monkeypatch):
    """The engine goes on while they are stored, and the worker may be killed after any of them."""
    (files, folder), put = machine("one"), storage.put

    def meanwhile(source, key, **options):
        write(folder, **{CHECKPOINT_NAME: b"step 5, and longer"})
        return put(source, key, **options)

    write(folder, **{CHECKPOINT_NAME: b"step 4", "a": b"a", "z": b"z"})
    monkeypatch.setattr(storage, "put", meanwhile)
    files.upload(lease(1), {"step": 4})
    assert storage.stored[-1] == folder_of(GENERATION, 1) + CHECKPOINT_NAME
    with storage.open(storage.stored[-1]) as file:
        assert file.read() == b"step 4"
    storage.stored.clear()
    files.upload(lease(1), {"step": 5})
    assert storage.stored == [folder_of(GENERATION, 1) + CHECKPOINT_NAME]


def test_a_new_attempt_stores_all_of_its_files_under_its_own_number(machine, storage, attempt_ends):
    files, folder = machine("one")
    write(folder, latents=b"step 4")
    stored = files.upload(lease(1), {"step": 4})
    files.fetch(lease(2, stored), attempt_ends)
    storage.stored.clear()
    files.upload(lease(2), {"step": 5})
    assert storage.stored == [f"{folder_of(GENERATION, 2)}latents"]


def test_what_a_stale_attempt_still_writes_is_not_read(machine, attempt_ends):
    (stale, here), (other, there), (third, far) = machine("one"), machine("other"), machine("third")
    write(here, latents=b"step 4")
    first = stale.upload(lease(1), {"step": 4})
    other.fetch(lease(2, first), attempt_ends)
    write(there, latents=b"step 6 of the second")
    second = other.upload(lease(2), {"step": 6})
    write(here, latents=b"step 9 of nobody", extra=b"x")
    stale.upload(lease(1), {"step": 9})  # the store refuses its checkpoint
    assert third.fetch(lease(3, second), attempt_ends) == {"step": 6}
    assert content(far) == {"latents": b"step 6 of the second"}


def test_a_checkpoint_whose_files_cannot_be_stored_is_none_and_the_next_one_is_whole(machine, storage, attempt_ends):
    (one, here), (other, there) = machine("one"), machine("other")
    write(here, latents=b"step 4")
    storage.is_away = True
    with pytest.raises(StorageAwayError):
        one.upload(lease(1), {"step": 4})
    storage.is_away = False
    other.fetch(lease(2, one.upload(lease(1), {"step": 4})), attempt_ends)
    assert content(there) == {"latents": b"step 4"}


def test_files_that_cannot_be_fetched_do_not_start_an_attempt(machine, storage, attempt_ends):
    (one, here), (other, _) = machine("one"), machine("other")
    write(here, latents=b"step 4")
    stored = one.upload(lease(1), {"step": 4})
    storage.is_away = True
    with pytest.raises(StorageError, match="checkpoint could not be fetched"):
        other.fetch(lease(2, stored), attempt_ends)


def test_what_has_the_number_of_an_attempt_that_only_begins_is_of_a_database_before_its_restore(
    machine, storage, attempt_ends
):
    gone = [f"{GENERATION}/a2-video.mp4", f"{folder_of(GENERATION, 2)}latents"]
    kept = [f"{GENERATION}/a1-preview.jpg", f"{GENERATION}/a22-video.mp4", f"{folder_of(GENERATION, 1)}latents"]
    for key in gone + kept:
        storage.put(b"bytes", key)
    files, _ = machine("one")
    files.fetch(lease(2), attempt_ends)
    assert sorted(file.key for file in storage.list()) == sorted(kept)


def test_a_job_without_a_checkpoint_begins_with_an_empty_folder(machine, attempt_ends):
    files, folder = machine("one")
    write(folder, latents=b"of a lost attempt")
    assert files.fetch(lease(1), attempt_ends) is None
    assert content(folder) == {}


def test_a_disk_of_one_machine_gets_no_copies_and_keeps_its_folder(tmp_path, data_folder, attempt_ends):
    files = CheckpointFiles(storage := DiskStorage(tmp_path / "files"), data_folder)
    folder = data_folder.make_work_folder(GENERATION)
    write(folder, latents=b"step 4")
    assert files.upload(lease(1), {"step": 4}) == {"step": 4}
    assert [*storage.list()] == []
    assert files.fetch(lease(2, {"step": 4}), attempt_ends) == {"step": 4}
    assert content(folder) == {"latents": b"step 4"}


def test_the_log_of_a_running_job_is_that_of_its_newest_attempt(machine, storage):
    assert running_log(storage, GENERATION) == b""
    files, folder = machine("one")
    for attempt in (2, 10):
        write(folder, **{LOG_NAME: f"attempt {attempt}".encode(), "latents": b"x"})
        files.upload(lease(attempt), {"step": 1})
    assert running_log(storage, GENERATION) == b"attempt 10"
