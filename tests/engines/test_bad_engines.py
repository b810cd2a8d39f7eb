"""Engines that fail, each in its own way, with the real worker: a clear message, no damage, and other jobs go on."""

import re
import shutil
import threading
from types import SimpleNamespace

import pytest

from tests.support.app import engine_reference
from tests.support.rows import Submitter
from videogen.db.database import Database
from videogen.engines.base import RenderRequest
from videogen.engines.registry import load_engine
from videogen.jobs.queue import EmbeddedQueue
from videogen.jobs.settings import WorkerSettings
from videogen.jobs.worker import WorkerPool
from videogen.media.playable import examine_video
from videogen.storage import DataFolder, DiskStorage
from videogen.store import Store

PATIENCE = 100
SETTINGS = {"width": 96, "height": 64, "fps": 8, "durationSeconds": 1.0, "seed": 1}
STALL_SECONDS = 6.0

FAILS = {
    # engine: (status, code, pattern of the message, number of lost renderers)
    "dies": ("failed", "worker_lost", r"was lost 2 times\. .* SIGKILL .* at step \d", 2),
    "crashes": ("failed", "worker_lost", r"SIGSEGV at step 1\. Its log ends: the last word", 2),
    "hangs": ("failed", "worker_lost", r"sent nothing for 6 seconds at step 0 and was stopped", 2),
    "holds_interpreter": ("failed", "worker_lost", r"sent nothing for 6 seconds at step 1 and was stopped", 2),
    "breaks_protocol": ("failed", "worker_lost", r"wrote .*no message.*, which is not a message", 2),
    "has_children": ("failed", "worker_lost", r"SIGKILL", 2),
    "raises": ("failed", "engine_error", r"^ValueError: there is no such colour$", 0),
    "exits": ("failed", "engine_error", r"^SystemExit: 3$", 0),
    "refuses": ("failed", "busy", r"^The model is busy\.$", 0),
    "out_of_memory": ("failed", "out_of_memory", r"Choose a smaller size", 0),
    "fills_disk": ("failed", "storage_fault", r"file too large.* Look at the disk", 1),
    "wrong_shape": ("failed", "wrong_frame", r"Frame \d: expected uint8", 0),
    "too_many": ("failed", "wrong_frame_count", r"Expected 8 frames .*, got more", 0),
    "cut_short": ("failed", "broken_media", r"expected a whole video", 0),
    "outside": ("failed", "bad_artifact", r"Expected a file in ctx\.workdir", 0),
    "other_format": ("completed", None, None, 0),
    "other_size": ("failed", "wrong_size", r"Expected a file of 192 x 64 pixels, .* got 96 x 64\.", 0),
    "other_type": ("failed", "bad_artifact", r"Expected a file of type video/\.\.\., got image/png", 0),
    "half_as_long": ("failed", "wrong_duration", r"expected a video of 1\.00 seconds, .* got 0\.50", 0),
    "hungry": ("failed", "out_of_memory", r"more than the 200 MiB .* ends: and more\. Choose a smaller size", 0),
    "endless": ("failed", "time_limit", r"more than the 2 seconds .* Choose a smaller size or a shorter", 0),
    "no_artifact": ("failed", "bad_artifact", r"Expected render\(\) to return an Artifact, got NoneType", 0),
    "prints": ("completed", None, None, 0),
}


def render(folder, migrated_file, names, *, max_attempts, count=2):
    """The rows of one job for each engine of `names`, in their order, after one pool of workers has rendered them."""
    database = Database(f"sqlite:///{shutil.copy(migrated_file, folder / 'videogen.sqlite')}")
    store, data_folder = Store(database), DataFolder(folder)
    data_folder.open()
    storage = DiskStorage(data_folder.files)
    queue = EmbeddedQueue(store, lease_seconds=10, max_attempts=max_attempts)
    # All wait in the queue of `bars`: engines do not wait for each other.
    served = {"bars", *names}
    references = {load_engine(engine_reference(name)).id: engine_reference(name) for name in served}
    pool = WorkerPool(store, queue, storage, data_folder, references, WorkerSettings(count, 10, STALL_SECONDS))
    session, submit = store.create_session()[0], Submitter(store)

    def submit_job(name):
        recipe = load_engine(engine_reference(name)).normalise(RenderRequest(prompt=name, settings=SETTINGS))
        return submit(session, recipe=recipe.model_dump(mode="json")).id

    ids = [submit_job(name) for name in names]
    waiting, all_ended = set(ids), threading.Event()

    def note(events):
        waiting.difference_update(event.generation_id for event in events if event.type != "render_progress")
        if not waiting:
            all_ended.set()

    database.listen(note)
    pool.start()
    try:
        assert all_ended.wait(PATIENCE), f"not ended: {[names[ids.index(one)] for one in waiting]}"
        pool.check()
    finally:
        pool.stop()
    rows = [store.get_generation(session, one) for one in ids]
    return SimpleNamespace(rows=rows, data_folder=data_folder, store=store, close=database.close)


@pytest.fixture(scope="module")
def results(tmp_path_factory, migrated_file):
    """The rows of all these jobs, with good jobs between them."""
    names = []
    for number, name in enumerate(FAILS):
        names += [name, "bars"] if number % 3 == 0 or name == list(FAILS)[-1] else [name]
    made = render(tmp_path_factory.mktemp("bad-engines"), migrated_file, names, max_attempts=2)
    pairs = list(zip(names, made.rows, strict=True))
    yield SimpleNamespace(
        bad={name: row for name, row in pairs if name != "bars"},
        good=[row for name, row in pairs if name == "bars"],
        data_folder=made.data_folder,
        store=made.store,
    )
    made.close()


@pytest.mark.parametrize("name", FAILS)
def test_a_bad_engine_ends_with_a_clear_message(results, name):
    status, code, pattern, lost = FAILS[name]
    row = results.bad[name]
    assert (row.status, row.error_code, row.lost) == (status, code, lost), row.error_message
    if pattern is not None:
        assert re.search(pattern, row.error_message)
        assert "\n" not in row.error_message


def test_every_other_job_is_rendered(results):
    assert [row.status for row in results.good] == ["completed"] * len(results.good)


def test_no_file_is_left_but_those_that_the_rows_name(results):
    assert results.data_folder.list_work_folders() == []
    files = results.data_folder.files
    for row in (*results.bad.values(), *results.good):
        keys = {f"{row.id}/{path.name}" for path in (files / row.id).glob("*")}
        assert keys == results.store.keys_kept(row.id)


def test_a_job_that_kills_three_renderers_ends_as_failed_with_the_last_lines_of_its_log(tmp_path, migrated_file):
    made = render(tmp_path, migrated_file, ["explains_and_dies"], max_attempts=3, count=1)
    (row,) = made.rows
    assert (row.status, row.error_code, row.lost, row.attempt) == ("failed", "worker_lost", 3, 3)
    assert row.error_retryable
    assert re.fullmatch(
        r"The renderer was lost 3 times\. The renderer was killed by SIGKILL \(.*\) at step \d\. "
        r"Its log ends: the device is lost \| no other device \| giving up\. Retry it, or try a smaller size\.",
        row.error_message,
    )
    made.close()


def test_a_video_of_another_format_is_converted_with_its_sound(results):
    row = results.bad["other_format"]
    assert (row.has_audio, row.fps, row.duration_seconds) == (True, 8, 1.0)
    (path,) = (results.data_folder.files / row.id).glob("*-video.mp4")
    assert examine_video(path).faults == ()
