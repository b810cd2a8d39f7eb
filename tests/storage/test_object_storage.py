"""What a bucket has beyond the contract of all storages: it can be away, and copies are kept on this machine."""

import os

import pytest

from videogen.core.errors import StorageAwayError
from videogen.storage import s3
from videogen.storage.object_storage import ObjectStorage
from videogen.storage.s3 import PART_BYTES, open_bucket

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


def test_a_copy_whose_path_somebody_has_stays(storage):
    storage.put(b"abcdefghij", "gen_b/video.mp4")
    with storage.local_copy(KEY) as path, storage.local_copy("gen_b/video.mp4") as other:
        assert path.read_bytes() == b"0123456789", "a renderer opens it later"
    storage.put(b"klmno", "gen_c/video.mp4")
    with storage.local_copy("gen_c/video.mp4"):
        assert not path.exists()
        assert not other.exists()


def test_a_copy_that_another_thread_deletes_meanwhile_is_no_fault(storage, monkeypatch):
    with storage.local_copy(KEY) as path:
        pass
    storage.put(b"abcdefghij", "gen_b/video.mp4")
    cached = list(path.parent.iterdir())
    path.unlink()
    listed = type(path).iterdir
    monkeypatch.setattr(type(path), "iterdir", lambda folder: iter([*cached, *listed(folder)]))
    with storage.local_copy("gen_b/video.mp4") as other:
        assert other.read_bytes() == b"abcdefghij"


def test_what_rows_name_is_believed_without_asking_the_bucket(objects, tmp_path):
    asks_nothing = ObjectStorage(Failing(objects, "stat"), tmp_path / "other")
    assert not asks_nothing.is_lost(KEY)
    assert not asks_nothing.is_lost("gen_never/video.mp4")


def test_a_version_is_streamed_and_a_copy_that_is_here_is_read(storage, objects, tmp_path):
    with storage.version(KEY).open(2, 5) as file:
        assert file.read() == b"234"
    assert [*(tmp_path / "cache").iterdir()] == [], "nothing is fetched as a whole"
    with storage.local_copy(KEY):
        pass
    offline = ObjectStorage(Failing(objects, "stream"), tmp_path / "cache")
    with offline.version(KEY).open(2, None) as file:
        assert file.read() == b"23456789"


class Replaced:
    """A bucket in which an object is replaced just before its bytes are asked for."""

    def __init__(self, objects, *contents):
        self._objects, self._contents = objects, list(contents)

    def __getattr__(self, name):
        return getattr(self._objects, name)

    def stream(self, name, *span):
        if self._contents:
            self._objects.put(name, self._contents.pop(0))
        return self._objects.stream(name, *span)


def test_a_file_that_is_replaced_while_it_is_fetched_is_never_a_mix(storage, objects, tmp_path):
    with ObjectStorage(Replaced(objects, b"abcdefghij"), tmp_path / "other").local_copy(KEY) as path:
        assert path.read_bytes() == b"abcdefghij"
    with pytest.raises(StorageAwayError):
        ObjectStorage(Replaced(objects, b"short"), tmp_path / "third").version(KEY).open(0, None)


def test_parts_that_a_killed_process_left_in_the_cache_are_removed_at_the_start(storage, objects, tmp_path):
    with storage.local_copy(KEY) as path:
        pass
    (tmp_path / "cache" / ".half.part").write_bytes(b"012")
    ObjectStorage(objects, tmp_path / "cache")
    assert [*(tmp_path / "cache").iterdir()] == [path]


def test_a_large_file_goes_up_in_parts_and_is_stored_once(storage, objects, tmp_path, monkeypatch):
    video, source = os.urandom(2 * PART_BYTES + 1), tmp_path / "video.mp4"
    source.write_bytes(video)
    monkeypatch.setattr(s3, "_WHOLE", PART_BYTES)
    assert storage.put(source, "gen_b/video.mp4", once=True) == len(video)
    assert storage.version("gen_b/video.mp4").etag.endswith('-3"'), "its ETag counts three parts"
    with storage.open("gen_b/video.mp4", len(video) - 3) as file:
        assert file.read() == video[-3:]
    source.write_bytes(video[:-1])
    assert storage.put(source, "gen_b/video.mp4", once=True) == len(video)
