"""A data folder with three finished generations of one session. A test breaks it and runs the doctor."""

import shutil
import sqlite3
from contextlib import closing
from functools import partial
from types import SimpleNamespace

import pytest

from tests.support.bucket import bucket, endpoint
from tests.support.rows import Submitter, file_row
from videogen.core.config import AppConfig
from videogen.core.security import load_secret
from videogen.db.database import Database
from videogen.doctor import Level, diagnose
from videogen.jobs.cleanup import remove_files
from videogen.jobs.queue import EmbeddedQueue
from videogen.storage import DataFolder, DiskStorage
from videogen.store import Fence, Result, Store

__all__ = ["bucket", "endpoint"]


@pytest.fixture(autouse=True)
def disk(monkeypatch):
    """The tests' folders count as a disk: on many machines they are in memory, and the doctor says so."""
    monkeypatch.setattr("videogen.doctor.check_environment.file_system", lambda folder: "ext4")


@pytest.fixture
def home(tmp_path, migrated_file):
    """The folder, its settings and its ids. No file is open."""
    root = tmp_path / "data"
    data_folder = DataFolder(root)
    data_folder.open()
    storage = DiskStorage(data_folder.files)
    load_secret(root, "")
    path = shutil.copy(migrated_file, root / "videogen.sqlite")
    database = Database(f"sqlite:///{path}")
    store = Store(database)
    session, token = store.create_session()
    ids = [_finished(store, storage, data_folder, session) for _ in range(3)]
    database.close()
    config = AppConfig(data_dir=root, port=0, reserve_mb=0)
    return SimpleNamespace(
        root=root, path=path, config=config, files=data_folder.files, session=session, token=token, ids=ids
    )


def _finished(store, storage, data_folder, session):
    row = Submitter(store)(session)
    EmbeddedQueue(store).claim("worker")
    video, poster = file_row(row, "video"), file_row(row, "poster")
    poster.content_type = "image/jpeg"
    for file, name in ((video, "a1-video.mp4"), (poster, "a1-poster.jpg")):
        file.key = f"{row.id}/{name}"
        source = data_folder.make_work_folder(row.id) / name
        source.write_bytes(bytes(file.size_bytes))
        storage.put(source, file.key)
    store.complete(Fence(row.id, 1), Result(video, poster, row.width, row.height, row.fps, row.duration_seconds))
    remove_files(storage, data_folder, row.id, partial(store.keys_kept, row.id))
    return row.id


@pytest.fixture
def sql(home):
    """Runs one statement on the closed database."""

    def run(statement, *values):
        with closing(sqlite3.connect(home.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    return run


@pytest.fixture
def faults(home):
    """Returns the findings of the doctor that are not `ok`, each as (check, level, text)."""

    def run(**options):
        findings = diagnose(home.config, **options).findings
        return [(found.check, found.level.value, found.text) for found in findings if found.level is not Level.OK]

    return run


@pytest.fixture
def fixed(home):
    """Does the repairs and returns what was done. A second run has nothing to repair."""

    def fix():
        diagnosis = diagnose(home.config, fix=True)
        assert not [finding for finding in diagnosis.findings if finding.fix], diagnosis.findings
        assert diagnose(home.config, fix=True).repairs == (), "a second run has nothing to repair"
        return diagnosis.repairs

    return fix
