import pytest

from tests.support.rows import result
from videogen.engines.process.protocol import LOG_NAME
from videogen.jobs.render_logs import HEAD_BYTES, MAX_RUNNING_BYTES, TAIL_BYTES, RenderLogs
from videogen.store import Fence


@pytest.fixture
def logs(store, storage, data_folder):
    return RenderLogs(store, storage, data_folder)


@pytest.fixture
def job(submit, alice, queue, data_folder):
    """A running generation, and its log file."""
    row = submit(alice)
    queue.claim("worker")
    return row.id, data_folder.make_work_folder(row.id) / LOG_NAME


def _fail(store, generation_id):
    store.fail(Fence(generation_id, 1), "engine_error", "ValueError", retryable=False)


def test_the_log_outlives_the_work_folder(logs, store, alice, job, data_folder):
    generation_id, path = job
    path.write_text("=== attempt 1 of bars, process 7\nTraceback\n")
    _fail(store, generation_id)
    for _ in range(2):  # as after a crash between the two
        logs.keep(generation_id)
    data_folder.remove_work_folder(generation_id)
    assert "Traceback" in logs.read(alice, generation_id)
    assert store.keys_kept(generation_id) == {f"{generation_id}/log.txt"}


def test_the_log_of_an_earlier_attempt_elsewhere_does_not_replace_that_of_the_last(
    logs, store, alice, job, storage, monkeypatch
):
    monkeypatch.setattr(type(storage), "is_shared", True)
    generation_id, path = job
    path.write_text("the last attempt\n")
    _fail(store, generation_id)
    logs.keep(generation_id)
    path.write_text("a host that was killed before\n")
    logs.keep(generation_id)
    assert logs.read(alice, generation_id) == "the last attempt\n"
    storage.delete(f"{generation_id}/log.txt")  # as after a kill between the row and the file
    logs.keep(generation_id)
    assert logs.read(alice, generation_id) == "a host that was killed before\n"


def test_a_log_without_output_is_not_stored(logs, store, alice, job, storage):
    generation_id, path = job
    path.write_text("=== attempt 1 of bars, process 7\n\n=== attempt 2 of bars, process 8\n")
    store.complete(Fence(generation_id, 1), result(store.get_generation(alice, generation_id)))
    logs.keep(generation_id)
    assert not storage.exists(f"{generation_id}/log.txt")


def test_the_middle_of_a_long_log_is_left_out(logs, alice, job):
    generation_id, path = job
    path.write_bytes(b"first\n" + b"x" * 1_000_000 + b"\nlast")
    log = logs.read(alice, generation_id)
    assert log.startswith("first")
    assert log.endswith("last")
    assert f"[{1_000_011 - HEAD_BYTES - TAIL_BYTES} bytes are left out here]" in log
    assert len(log) < HEAD_BYTES + TAIL_BYTES + 100


def test_an_engine_that_prints_without_end_does_not_fill_the_disk(logs, job):
    generation_id, path = job
    with path.open("ab") as engine:
        engine.write(b"first\n")
        engine.write(b"x" * MAX_RUNNING_BYTES)
        engine.flush()
        logs.limit(generation_id)
        engine.write(b"it goes on")
    assert path.stat().st_size < HEAD_BYTES + TAIL_BYTES + 100
    assert path.read_bytes().startswith(b"first")
    assert path.read_bytes().endswith(b"it goes on")


def test_there_is_no_log_of_a_deleted_generation(logs, store, alice, job, storage):
    generation_id, path = job
    path.write_text("a line\n")
    _fail(store, generation_id)
    store.delete_generation(alice, generation_id)
    logs.keep(generation_id)
    assert store.keys_kept(generation_id) == frozenset()
