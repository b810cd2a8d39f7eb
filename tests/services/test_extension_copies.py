"""What an extension keeps of its source is copied at the submit; after a fault no copy is left."""

import pytest

from videogen.core.errors import DatabaseAwayError, InvalidRequestError, StorageError
from videogen.services.extensions import ExtensionService


class Full:
    """A storage that takes one file, and has no space for another."""

    def __init__(self, storage):
        self._storage, self.copies = storage, 0

    def copy(self, source, target):
        self.copies += 1
        if self.copies > 1:
            raise StorageError("The disk is full.")
        return self._storage.copy(source, target)

    def __getattr__(self, name):
        return getattr(self._storage, name)


def test_the_copies_before_a_fault_are_known_to_whoever_removes_them(store, storage, submit, alice):
    row, kept = submit(alice), {"source": "a/video.mp4", "source_frame": "a/frame.png"}
    for key in kept.values():
        storage.put(b"bytes", key)
    service, copies = ExtensionService(store, Full(storage)), []
    with pytest.raises(StorageError):
        copies.extend(service.copy(kept, row))
    assert [file.key for file in copies] == [f"{row.id}/source.mp4"]
    service.remove(copies)
    assert not storage.exists(f"{row.id}/source.mp4")


def test_a_source_that_was_deleted_meanwhile_is_named_without_the_path_of_its_file(store, storage, submit, alice):
    row = submit(alice)
    with pytest.raises(InvalidRequestError) as refused:
        list(ExtensionService(store, storage).copy({"source": "gen_gone/a1-video.mp4"}, row))
    assert refused.value.detail == "extend must be a video whose file is still there; this was 'gen_gone'."


def test_copies_stay_where_a_row_names_them_or_that_cannot_be_known(
    store, storage, submit, alice, database, monkeypatch
):
    """The connection to the database was lost at the commit."""
    storage.put(b"bytes", "a/video.mp4")
    service = ExtensionService(store, storage)
    stored, unknown = ([*service.copy({"source": "a/video.mp4"}, submit(alice))] for _ in range(2))
    with database.write() as unit:
        unit.session.add(stored[0])
    service.remove(stored)
    assert storage.exists(stored[0].key)

    def away(_id):
        raise DatabaseAwayError

    monkeypatch.setattr(store, "files_of", away)
    service.remove(unknown)
    assert storage.exists(unknown[0].key)
