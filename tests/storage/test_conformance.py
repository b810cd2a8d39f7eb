"""What every storage does. A new implementation is added to the parameters of `storage`."""

import re

import pytest

from videogen.core.errors import StorageError
from videogen.storage import DiskStorage, StoredFile
from videogen.storage.fetching import FetchingStorage
from videogen.storage.object_storage import open_storage

KEY = "gen_a/a1-video.mp4"


def _fetching(folder):
    """One whose files are all here already; `tests/jobs/snapshots` has the others."""

    def fetch(key, path):
        raise FileNotFoundError(key)

    return FetchingStorage(DiskStorage(folder), {}, fetch, folder.with_name("scratch"))


@pytest.fixture(params=["disk", "fetching", "bucket"])
def storage(request, tmp_path):
    if request.param == "bucket":
        return open_storage(request.getfixturevalue("bucket"), tmp_path / "cache")
    return {"disk": DiskStorage, "fetching": _fetching}[request.param](tmp_path / "files")


@pytest.fixture
def source(tmp_path):
    """Makes a local file with this content."""

    def make(content):
        path = tmp_path / "source.mp4"
        path.write_bytes(content)
        return path

    return make


def read(storage, key, *span):
    with storage.open(key, *span) as file:
        return file.read()


def test_put_stores_bytes_and_returns_their_size(storage):
    assert storage.put(b"video", KEY) == 5
    assert read(storage, KEY) == b"video"


def test_put_moves_a_file_in(storage, source):
    path = source(b"video")
    assert storage.put(path, KEY) == 5
    assert read(storage, KEY) == b"video"
    assert not path.exists()


def test_put_replaces_a_file_and_its_readers_go_on_with_the_old_bytes(storage, source):
    storage.put(source(b"old"), KEY)
    with storage.open(KEY) as reader:
        storage.put(source(b"new"), KEY)
        assert reader.read() == b"old"
    assert read(storage, KEY) == b"new"


def test_put_once_stores_what_is_new_and_keeps_what_is_there(storage, source):
    assert storage.put(source(b"published"), KEY, once=True) == 9
    late = source(b"of a stale worker")
    assert storage.put(late, KEY, once=True) == 9
    assert not late.exists()
    assert storage.put(b"bytes", KEY, once=True) == 9
    assert read(storage, KEY) == b"published"
    assert [*storage.list()] == [StoredFile(KEY, 9)]


def test_a_copy_has_the_bytes_and_outlives_what_it_was_made_of(storage):
    storage.put(b"video", KEY)
    for _ in range(2):
        assert storage.copy(KEY, "gen_b/source.mp4") == 5
    storage.put(b"new", KEY)
    assert read(storage, "gen_b/source.mp4") == b"video"
    storage.delete(KEY)
    assert read(storage, "gen_b/source.mp4") == b"video"
    assert [*storage.list()] == [StoredFile("gen_b/source.mp4", 5)]


def test_what_is_not_there_cannot_be_copied(storage):
    with pytest.raises(FileNotFoundError):
        storage.copy(KEY, "gen_b/source.mp4")
    assert [*storage.list()] == []


def test_put_of_a_file_that_does_not_exist_raises_and_stores_nothing(storage, tmp_path):
    with pytest.raises(StorageError, match=rf"{KEY} could not be stored: .+"):
        storage.put(tmp_path / "nothing", KEY)
    assert not storage.exists(KEY)


@pytest.mark.parametrize(
    ("span", "content"),
    [((0,), b"0123456789"), ((4,), b"456789"), ((4, 7), b"456"), ((8, 100), b"89"), ((5, 5), b""), ((20,), b"")],
)
def test_open_reads_the_range(storage, span, content):
    storage.put(b"0123456789", KEY)
    assert read(storage, KEY, *span) == content


def test_a_range_can_be_read_in_chunks(storage):
    storage.put(b"0123456789", KEY)
    with storage.open(KEY, 1, 8) as file:
        assert [file.read(3), file.read(3), file.read(3), file.read(3)] == [b"123", b"456", b"7", b""]


def test_local_copy_is_a_path_to_the_bytes(storage):
    storage.put(b"video", KEY)
    with storage.local_copy(KEY) as path:
        assert path.is_absolute()
        assert path.suffix == ".mp4"
        assert path.read_bytes() == b"video"
    assert read(storage, KEY) == b"video"


def test_a_missing_file_cannot_be_opened(storage):
    with pytest.raises(FileNotFoundError):
        storage.open(KEY)
    with pytest.raises(FileNotFoundError), storage.local_copy(KEY):
        pass


def test_a_version_has_size_time_and_an_etag_that_changes_with_the_bytes(storage):
    storage.put(b"0123456789", KEY)
    first, again = storage.version(KEY), storage.version(KEY)
    with first.open(2, 5) as part, first.open(8, None) as rest:
        assert (part.read(), rest.read()) == (b"234", b"89")
    assert first.size == 10
    assert first.changed_at > 0
    assert re.fullmatch(r'"[^"]+"', first.etag)
    assert (again.etag, again.changed_at) == (first.etag, first.changed_at)
    storage.put(b"another one", KEY)
    other = storage.version(KEY)
    assert other.etag != first.etag
    for version in (first, again, other):
        version.close()


def test_a_missing_file_has_no_version_and_is_lost_from_then_on(storage):
    storage.put(b"video", KEY)
    assert not storage.is_lost(KEY)
    storage.delete(KEY)
    with pytest.raises(FileNotFoundError):
        storage.version(KEY)
    assert storage.is_lost(KEY)
    storage.put(b"video", KEY)
    assert not storage.is_lost(KEY)


def test_exists_is_true_for_files_and_not_for_prefixes(storage):
    storage.put(b"video", KEY)
    assert storage.exists(KEY)
    assert not storage.exists("gen_a")
    assert not storage.exists("gen_b/a1-video.mp4")


def test_list_gives_whole_files_by_prefix_with_their_sizes(storage):
    assert [*storage.list()] == []
    for key, content in ((KEY, b"video"), ("gen_a/a1-poster.jpg", b"jpg"), ("gen_ab/a1-video.mp4", b"")):
        storage.put(content, key)
    assert sorted(storage.list("gen_a/")) == [StoredFile("gen_a/a1-poster.jpg", 3), StoredFile(KEY, 5)]
    assert sorted(file.key for file in storage.list("gen_a")) == ["gen_a/a1-poster.jpg", KEY, "gen_ab/a1-video.mp4"]
    assert len([*storage.list()]) == 3
    assert [*storage.list("gen_c/")] == []


def test_delete_removes_one_file_and_is_safe_to_repeat(storage):
    storage.put(b"video", KEY)
    storage.put(b"jpg", "gen_a/a1-poster.jpg")
    for _ in range(2):
        storage.delete(KEY)
        assert [file.key for file in storage.list()] == ["gen_a/a1-poster.jpg"]


def test_a_link_is_a_web_address_or_none(storage):
    storage.put(b"video", KEY)
    url = storage.url(KEY, 60, "video/mp4", "inline")
    assert url is None or url.startswith("https://")
