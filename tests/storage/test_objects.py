"""What every object store does. A new implementation is added to the parameters of `objects`."""

import pytest

from videogen.storage.objects import open_objects


@pytest.fixture(params=["path", "file", "s3"])
def objects(request, tmp_path):
    url = {"path": lambda: f"{tmp_path}/a b", "file": lambda: f"file://{tmp_path}/a%20b"}.get(request.param)
    return open_objects(url() if url else request.getfixturevalue("bucket"))


def test_what_is_created_is_read_fetched_and_listed(objects, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"video" * 1000)
    assert objects.create("files/a/b.mp4", source)
    assert objects.create("snapshots/1.json", b"{}")
    assert objects.read("snapshots/1.json") == b"{}"
    objects.fetch("files/a/b.mp4", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert sorted(objects.list("files/")) == ["files/a/b.mp4"]
    assert sorted(objects.list("snapshots/")) == ["snapshots/1.json"]


def test_an_object_is_created_once_and_never_replaced(objects, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"second")
    assert objects.create("snapshots/1", b"first")
    assert not objects.create("snapshots/1", b"second")
    assert not objects.create("snapshots/1", source)
    assert objects.read("snapshots/1") == b"first"
    assert list(objects.list("snapshots/")) == ["snapshots/1"], "nothing is left of the others"


def test_what_is_not_there_is_not_found_and_can_be_deleted(objects, tmp_path):
    assert list(objects.list("files/")) == []
    with pytest.raises(FileNotFoundError):
        objects.read("files/x")
    with pytest.raises(FileNotFoundError):
        objects.fetch("files/x", tmp_path / "x")
    objects.create("files/x", b"x")
    for _ in range(2):
        objects.delete("files/x")
    assert list(objects.list("files/")) == []


def test_a_bucket_that_does_not_answer_is_an_os_error(bucket):
    objects = open_objects(bucket.replace("s3://videogen/", "s3://nobody/"))
    with pytest.raises(OSError, match=r".+"):
        objects.create("a", b"")
    with pytest.raises(OSError, match=r".+"):
        list(objects.list("snapshots/"))
    assert "secret" not in objects.name


def test_a_data_folder_is_restored_from_a_bucket(bucket, tmp_path, clock, migrated_file):
    from tests.support.machines import Machine

    machine = Machine(tmp_path / "data", bucket, clock, migrated_file, snapshot_key="a long passphrase").start()
    row = machine.complete(machine.store.create_session()[0])
    machine.snapshot()
    machine.snapshot(clean=True)
    machine.lose_disk().start()
    with machine.storage.open(f"{row.id}/video.mp4") as file:
        assert file.read() == b"videovideo"
    assert machine.store.last_restore().is_complete
    machine.stop()
