import io

import pytest
from sqlmodel import select

from tests.support.folders import read_only_folder
from tests.support.pictures import encoded
from videogen.core.errors import DatabaseAwayError, StorageError
from videogen.core.security import Signer
from videogen.db.tables import UploadRow
from videogen.services.serializers import Serializer
from videogen.services.uploads import KEY_PREFIX, UploadService
from videogen.storage.disk import DiskStorage


@pytest.fixture
def uploads(store, storage):
    return UploadService(store, storage, Serializer(Signer(b"secret"), ""))


def stored(data_folder):
    return sorted(path.name for path in (data_folder.files / KEY_PREFIX).glob("*"))


def test_an_upload_is_stored_and_can_be_read(uploads, data_folder, alice):
    file = uploads.create(alice, io.BytesIO(encoded()))
    assert stored(data_folder) == [f"{file.id}.png"]
    assert uploads.get(alice, file.id).width == 64


def test_the_same_picture_again_is_one_file_and_replaces_a_missing_one(uploads, storage, alice, data_folder):
    first = uploads.create(alice, io.BytesIO(encoded()))
    uploads.create(alice, io.BytesIO(encoded()))
    assert stored(data_folder) == [f"{first.id}.png"]
    storage.delete(f"{KEY_PREFIX}/{first.id}.png")
    assert uploads.create(alice, io.BytesIO(encoded())).id == first.id
    assert stored(data_folder) == [f"{first.id}.png"]


def test_a_disk_that_cannot_be_written_leaves_no_row(store, alice, tmp_path):
    uploads = UploadService(
        store, DiskStorage(read_only_folder(tmp_path / "closed")), Serializer(Signer(b"secret"), "")
    )
    with pytest.raises(StorageError):
        uploads.create(alice, io.BytesIO(encoded()))
    with store.database.read() as session:
        assert session.exec(select(UploadRow)).all() == []


def test_a_row_that_cannot_be_written_leaves_no_file(uploads, data_folder, store, alice, monkeypatch):
    def full(*_):
        raise StorageError

    monkeypatch.setattr(store, "add_upload", full)
    with pytest.raises(StorageError):
        uploads.create(alice, io.BytesIO(encoded()))
    assert stored(data_folder) == []


def test_a_file_stays_whose_row_was_written_though_the_answer_was_lost(uploads, data_folder, store, alice, monkeypatch):
    add = store.add_upload

    def away_at_the_commit(*arguments):
        add(*arguments)
        raise DatabaseAwayError

    monkeypatch.setattr(store, "add_upload", away_at_the_commit)
    with pytest.raises(DatabaseAwayError):
        uploads.create(alice, io.BytesIO(encoded()))
    assert len(stored(data_folder)) == 1
