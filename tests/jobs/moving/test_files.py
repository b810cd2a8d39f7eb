"""How files get into a bucket, and how they are compared with what is there."""

import pytest

from videogen.core.errors import StartError
from videogen.jobs.moving.files import BucketCopy
from videogen.storage.s3 import PART_BYTES, S3Objects, open_bucket

pytestmark = pytest.mark.postgresql  # what moves to a bucket moves to PostgreSQL, and the package says so
SIZES = (0, 7, PART_BYTES, PART_BYTES + 1)


@pytest.fixture
def files(tmp_path):
    """Files of sizes that go up in one part and in several."""
    paths = {f"gen_a/{size}.bin": tmp_path / f"{size}.bin" for size in SIZES}
    for size, path in zip(SIZES, paths.values(), strict=True):
        path.write_bytes(bytes(range(251)) * (size // 251) + b"x" * (size % 251))
    return paths


@pytest.fixture
def place(bucket):
    return open_bucket(bucket, "--storage")


@pytest.fixture
def reads(monkeypatch):
    """The keys of what is read from the bucket."""
    keys, stream = [], S3Objects.stream
    monkeypatch.setattr(S3Objects, "stream", lambda *args: (keys.append(args[1]), stream(*args))[1])
    return keys


def test_nothing_is_read_back_where_the_etags_are_those_of_the_content(place, files, reads):
    lines = []
    copy = BucketCopy(place, files, lines.append)
    assert (copy.upload(), copy.verify()) == (len(SIZES), sum(SIZES))
    again = BucketCopy(place, files, lines.append)
    assert (again.upload(), again.verify(), reads) == (0, sum(SIZES), [])
    assert lines[-1] == f"Checked {len(SIZES)} of {len(SIZES)} files."
    assert all(path.is_file() for path in files.values()), "the source stays"


def test_what_has_other_etags_is_read_back_and_compared_once(place, files, reads, monkeypatch):
    BucketCopy(place, files, str).upload()
    list_stats = S3Objects.list_stats
    monkeypatch.setattr(
        S3Objects,
        "list_stats",
        lambda *args: ((key, size, f"of the server {key}") for key, size, _ in list_stats(*args)),
    )
    copy = BucketCopy(place, files, str)
    assert (copy.upload(), copy.verify()) == (0, sum(SIZES))
    assert sorted(reads) == sorted(key for key in files if not key.endswith("/0.bin"))
    files["gen_a/7.bin"].write_bytes(b"another")
    assert BucketCopy(place, files, str).upload() == 1


def test_what_is_missing_or_another_is_named(place, files):
    copy = BucketCopy(place, files, str)
    copy.upload()
    place.put("gen_a/7.bin", b"another")
    place.delete("gen_a/0.bin")
    with pytest.raises(StartError, match=r"2 files in the bucket of --storage, such as gen_a/0\.bin, differ"):
        copy.verify()
