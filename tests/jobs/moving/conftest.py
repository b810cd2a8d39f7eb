import shutil

import pytest

from tests.support.rows import Submitter, result
from tests.support.s3_server import BUCKET, ENVIRONMENT, S3Server
from videogen.core.config import AppConfig
from videogen.core.security import load_secret
from videogen.db.database import Database
from videogen.storage import DataFolder, DiskStorage
from videogen.store import Fence, Store


@pytest.fixture(scope="module")
def s3():
    """An S3 server."""
    with S3Server() as server:
        yield server


@pytest.fixture
def bucket(s3, monkeypatch, request):
    """The URL of an empty place in it."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{request.node.name.replace('[', '-').strip(']')}?endpoint={s3.url}"


@pytest.fixture
def objects(s3, request):
    """Looks up what is there: `objects(prefix)` gives the ETag and the time of each key."""
    prefix = f"{request.node.name}/"

    def look_up():
        found = s3.client().list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {one["Key"].removeprefix(prefix): (one["ETag"], one["LastModified"]) for one in found}

    return look_up


class Installation:
    """An embedded installation that does not run."""

    def __init__(self, root, new):
        self.folder = DataFolder(root)
        self.folder.open()
        self.path = root / "videogen.sqlite"
        shutil.copy(new, self.path)
        self.secret = load_secret(root, "").decode()
        self.config = AppConfig(data_dir=root)
        self.disk = DiskStorage(self.folder.files)
        self.database = Database(self.config.database)
        self.store = Store(self.database)
        self.submit = Submitter(self.store)
        self.alice = self.store.create_session()[0]

    def work(self, attempt=1):
        """A generation that is rendered."""
        row = self.submit(self.alice)
        self.write("UPDATE generations SET status = 'processing', attempt = ? WHERE id = ?", attempt, row.id)
        return row

    def complete(self):
        """A generation with a video and a poster."""
        row = self.work()
        done = result(row)
        for file in (done.video, done.poster):
            self.disk.put(f"{file.kind} of {row.id}".encode(), file.key)
        self.store.complete(Fence(row.id, 1), done)
        return row

    def write(self, statement, *values):
        with self.database.write() as unit:
            unit.connection.exec_driver_sql(statement, values)

    def stop(self):
        """Nothing has the database open."""
        self.database.close()
        return self


@pytest.fixture
def installation(tmp_path, migrated_file):
    """One with two results, and something that waits."""
    made = Installation(tmp_path / "data", migrated_file)
    for _ in range(2):
        made.complete()
    made.submit(made.alice)
    yield made
    made.stop()


@pytest.fixture
def target(postgresql):
    """The URL of a database without tables."""
    with postgresql.database("template0") as url:
        yield url
