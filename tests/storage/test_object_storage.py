"""What a bucket has beyond the contract of all storages: it can be away, and copies are kept on this machine."""

import pytest

from videogen.core.errors import StorageAwayError
from videogen.storage.object_storage import ObjectStorage
from videogen.storage.s3 import open_bucket

KEY = "gen_a/a1-video.mp4"


class Failing:
    """A bucket in which one call fails as a network does: after others have worked."""

    def __init__(self, objects, call):
        self._objects, self._call = objects, call

    def __getattr__(self, name):
        return self._fail if name == self._call else getattr(self._objects, name)

    def _fail(self, *_):
        raise OSError("Generic S3 error: 503 Service Unavailable")


@pytest.fixture
def objects(bucket):
    return open_bucket(bucket, "VIDEOGEN_STORAGE_URL")


@pytest.fixture
def storage(objects, tmp_path):
    made = ObjectStorage(objects, tmp_path / "cache", cache_bytes=10)
    made.put(b"0123456789", KEY)
    return made


@pytest.mark.parametrize(
    ("call", "use"),
    [
        ("stat", lambda storage: storage.open(KEY)),
        ("stream", lambda storage: storage.open(KEY)),
        ("stream", lambda storage: storage.local_copy(KEY).__enter__()),
        ("put", lambda storage: storage.put(b"x", KEY)),
        ("put_new", lambda storage: storage.put(b"x", KEY, once=True)),
        ("copy", lambda storage: storage.copy(KEY, "gen_b/source.mp4")),
        ("delete", lambda storage: storage.delete(KEY)),
        ("list_sizes", lambda storage: list(storage.list())),
    ],
)
def test_a_bucket_that_is_away_is_not_a_file_that_is_gone(storage, objects, tmp_path, call, use):
    with pytest.raises(StorageAwayError):
        use(ObjectStorage(Failing(objects, call), tmp_path / "other"))


def test_of_the_copies_the_oldest_use_goes_first(storage):
    storage.put(b"abcdefghij", "gen_b/video.mp4")
    with storage.local_copy(KEY) as path:
        pass
    with storage.local_copy("gen_b/video.mp4") as other:
        assert not path.exists()
        assert other.read_bytes() == b"abcdefghij"
