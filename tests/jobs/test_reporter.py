from dataclasses import replace
from functools import partial
from threading import Event
from types import SimpleNamespace

import pytest
from sqlmodel import select

from tests.support.rows import Clock
from videogen.core.errors import StaleWriteError, StorageError
from videogen.db.tables import RunRow
from videogen.engines.base import Artifact
from videogen.engines.process import protocol
from videogen.jobs import disk_guard
from videogen.jobs.reporter import BUSY_INTERVAL_SECONDS, INTERVAL_SECONDS, WRITE_BUDGET, ProgressRecorder
from videogen.store.estimates import Expected


@pytest.fixture
def running(store, data_folder, queue, submit, alice, database):
    """A generation in its first attempt: its lease, its workdir, and what is told of it."""
    row = submit(alice)
    lease = queue.claim("worker")
    told = []
    database.listen(told.extend)
    return SimpleNamespace(id=row.id, lease=lease, work=data_folder.make_work_folder(row.id), told=told)


@pytest.fixture
def ticks():
    """The reporter's clock, in seconds."""
    return Clock(100.0)


@pytest.fixture
def recorder(store, storage, queue, ticks):
    """Makes the recorder of a lease."""
    return lambda lease: ProgressRecorder(store, storage, lease, partial(queue.finish, lease), ticks)


@pytest.fixture
def reporter(recorder, running):
    return recorder(running.lease)


def _progress(step, total=100, stage="rendering", message=""):
    return protocol.Progress(step=step, total=total, stage=stage, message=message)


def _done(running, poster=True):
    video, picture = running.work / "video.mp4", running.work / "poster.jpg"
    video.write_bytes(b"video")
    picture.write_bytes(b"poster")
    return protocol.Done(
        artifact=Artifact(path=video, poster_path=picture if poster else None, width=64, height=64, fps=8, num_frames=4)
    )


def test_slow_writes_make_progress_rarer_and_quick_ones_bring_it_back(reporter, running, ticks, database):
    took = 0.0

    def stall(_events):
        ticks.now += took

    database.listen(stall)

    def told_in(seconds):
        before, end = len(running.told), ticks.now + seconds
        while ticks.now < end:
            reporter.take(_progress(len(running.told) + 1, 1000))
            ticks.now += 0.01
        return (len(running.told) - before) / seconds

    assert told_in(5) == pytest.approx(1 / INTERVAL_SECONDS, rel=0.2)
    took = 0.015
    assert told_in(5) == pytest.approx(WRITE_BUDGET / took, rel=0.2)
    took = 1.0
    told_in(5)
    took = 0.1
    assert told_in(5) == pytest.approx(1 / BUSY_INTERVAL_SECONDS, rel=0.4), "what is shown never grows old"
    took = 0.0
    told_in(2)
    assert told_in(5) == pytest.approx(1 / INTERVAL_SECONDS, rel=0.2)


def test_progress_is_told_at_most_once_in_the_interval(reporter, running, ticks):
    for step in range(1, 101):
        reporter.take(_progress(step))
        ticks.now += INTERVAL_SECONDS / 10
    steps = [event.data.step for event in running.told]
    assert steps[0] == 1
    assert 9 <= len(steps) <= 11
    assert steps == sorted(steps)


def test_the_last_step_before_a_silence_is_told_and_only_once(reporter, running):
    for step in (1, 2, 3):
        reporter.take(_progress(step))
    assert [event.data.step for event in running.told] == [1]
    reporter.pause()
    reporter.pause()
    assert [event.data.step for event in running.told] == [1, 3]


def test_a_change_of_stage_or_message_is_always_told(reporter, running):
    for message in (_progress(0, stage="preparing"), _progress(1), _progress(2), _progress(2, message="almost")):
        reporter.take(message)
    assert [(event.data.stage, event.data.step) for event in running.told] == [
        ("preparing", 0),
        ("rendering", 1),
        ("rendering", 2),
    ]
    assert running.told[-1].data.message == "almost"


def test_the_bar_stops_at_99_until_the_file_is_whole(reporter, running, ticks):
    for step, total in ((0, 0), (50, 100), (100, 100)):
        ticks.now += 1
        reporter.take(_progress(step, total))
    assert [event.data.progress for event in running.told] == [0.0, 49.5, 99.0]
    reporter.take(_done(running))
    assert running.told[-1].data.progress == 100.0


def test_the_time_left_is_unknown_until_a_pace_was_measured(reporter, running, ticks):
    for seconds, step in ((0, 10), (0.5, 20), (0.5, 30), (1, 50)):
        ticks.now += seconds
        reporter.take(_progress(step))
    etas = [event.data.eta_seconds for event in running.told]
    assert etas[:2] == [None, None]
    percent = [9.9, 19.8, 29.7, 49.5]
    assert etas[2] == pytest.approx(1.0 * (100 - percent[2]) / (percent[2] - percent[0]), abs=0.1)
    assert etas[3] == pytest.approx(2.0 * (100 - percent[3]) / (percent[3] - percent[0]), abs=0.1)


def test_a_render_that_goes_on_from_a_checkpoint_is_timed_from_there(reporter, running, ticks):
    reporter.take(_progress(80))
    ticks.now += 2
    reporter.take(_progress(90))
    assert running.told[-1].data.eta_seconds == pytest.approx(2.0 * (100 - 89.1) / 9.9, abs=0.1)


def test_a_checkpoint_is_kept_for_the_next_attempt(reporter, running, store, alice):
    reporter.take(protocol.Checkpoint(data={"step": 8}))
    assert store.get_generation(alice, running.id).checkpoint == {"step": 8}


def test_a_preview_is_kept_and_shown_and_the_next_one_replaces_it(reporter, running, store, data_folder, alice):
    for content in (b"first", b"second"):
        path = running.work / "preview.jpg"
        path.write_bytes(content)
        reporter.take(protocol.Preview(path=path))
    row = store.get_generation(alice, running.id)
    file = store.get_media(row.preview_file_id)[0]
    assert (file.kind, file.content_type, file.size_bytes) == ("preview", "image/jpeg", 6)
    assert (data_folder.files / file.key).read_bytes() == b"second"
    assert [event.data.preview_version for event in running.told] == [1, 2]


def test_a_preview_that_an_earlier_message_took_is_no_fault(reporter, running, store, alice):
    path = running.work / "preview.jpg"
    path.write_bytes(b"the newest")
    for _ in range(3):  # what piles up while the server stands still
        reporter.take(protocol.Preview(path=path))
    assert store.get_generation(alice, running.id).status == "processing"
    assert [event.data.preview_version for event in running.told] == [1]


@pytest.mark.parametrize("poster", [True, False])
def test_the_end_keeps_the_files_and_clears_the_rest(reporter, running, store, data_folder, alice, poster):
    preview = running.work / "preview.jpg"
    preview.write_bytes(b"preview")
    reporter.take(protocol.Preview(path=preview))
    reporter.take(_done(running, poster))
    row = store.get_generation(alice, running.id)
    assert (row.status, row.size_bytes, row.duration_seconds) == ("completed", 5, 0.5)
    video = store.get_media(row.file_id)[0]
    assert (video.content_type, (data_folder.files / video.key).read_bytes()) == ("video/mp4", b"video")
    assert (row.poster_file_id is not None) == poster
    kept = sorted(path.name for path in (data_folder.files / running.id).iterdir())
    # The preview stays with its generation: pages that are open still show it.
    assert kept == ["a1-poster.jpg", "a1-preview.jpg", "a1-video.mp4"][not poster :]


def test_a_cancel_that_the_renderer_confirms_ends_as_cancelled(reporter, running, store, alice):
    reporter.take(protocol.Cancelled(step=3))
    assert store.get_generation(alice, running.id).status == "cancelled"
    assert [(event.type, event.data.code) for event in running.told] == [("error", "cancelled")]


def test_a_failure_ends_with_the_engines_own_code_and_words(reporter, running, store, alice):
    reporter.take(protocol.Failed(code="busy", message="The model is busy.", retryable=True))
    row = store.get_generation(alice, running.id)
    assert (row.status, row.error_code, row.error_message, row.error_retryable) == (
        "failed",
        "busy",
        "The model is busy.",
        True,
    )


def test_what_only_shows_how_far_it_is_never_ends_a_render(reporter, running, data_folder, store, alice, caplog):
    picture = running.work / "preview.jpg"
    (data_folder.files / running.id).write_bytes(b"a file where a folder must be")
    for _ in range(3):
        picture.write_bytes(b"preview")
        reporter.take(protocol.Preview(path=picture))
    assert caplog.text.count("cannot be kept") == 1, "said once, not for each"
    assert store.get_generation(alice, running.id).status == "processing"
    (data_folder.files / running.id).unlink()
    reporter.take(protocol.Preview(path=picture))
    assert store.get_generation(alice, running.id).preview_file_id


def test_a_renderer_that_could_not_write_leaves_the_end_to_the_worker(reporter, running, store, alice):
    with pytest.raises(StorageError, match="no space"):
        reporter.take(protocol.Failed(code="storage_fault", message="no space", retryable=True))
    assert store.get_generation(alice, running.id).status == "processing"
    assert running.work.exists(), "its segments are kept for when there is room"


def test_the_end_is_written_again_until_the_disk_takes_it(store, storage, queue, running, alice, monkeypatch):
    monkeypatch.setattr(disk_guard, "LOOK_SECONDS", 0.0)
    guard = disk_guard.DiskGuard(store, storage, Event())
    failures = [StorageError("full"), StorageError("full")]

    def finish(outcome):
        if failures:
            assert store.get_generation(alice, running.id).status == "processing"
            raise failures.pop()
        queue.finish(running.lease, outcome)

    recorder = ProgressRecorder(
        store, storage, running.lease, lambda outcome: guard.retry_until_stored(lambda: finish(outcome))
    )
    recorder.take(_done(running))
    assert store.get_generation(alice, running.id).status == "completed"
    assert not failures


def test_a_file_that_cannot_be_kept_is_a_storage_fault_and_the_generation_has_not_ended(
    reporter, running, store, data_folder, alice
):
    (data_folder.files / running.id).write_bytes(b"a file where a folder must be")
    with pytest.raises(StorageError):
        reporter.take(_done(running))
    assert store.get_generation(alice, running.id).status == "processing"


def test_a_worker_that_was_overtaken_cannot_touch_the_file_of_its_successor(
    reporter, recorder, running, store, data_folder, queue, clock, alice
):
    clock.now += 11
    second = recorder(queue.claim("another"))
    second.take(_done(running))
    row = store.get_generation(alice, running.id)
    data_folder.make_work_folder(running.id)
    late = _done(running)
    (running.work / "video.mp4").write_bytes(b"too late")
    with pytest.raises(StaleWriteError):
        reporter.take(late)
    assert store.get_generation(alice, running.id) == row
    assert data_folder.files.joinpath(store.get_media(row.file_id)[0].key).read_bytes() == b"video"


def test_the_time_left_begins_with_what_others_took_and_ends_with_the_own_pace(recorder, running, ticks):
    reporter = recorder(replace(running.lease, expected=Expected(startup=1.0, body=20.0)))
    true = []
    for step in range(0, 100, 10):  # twice as slow as the others were: 40 seconds
        reporter.take(_progress(step))
        true.append(40 * (1 - step / 100))
        ticks.now += 4
    told = [event.data.eta_seconds for event in running.told]
    assert told[0] == 21, "nothing of its own is known yet"
    wrong = [abs(eta - left) / left for eta, left in zip(told, true, strict=True)]
    assert wrong[0] > 0.4
    assert wrong[5] < 0.3
    assert wrong[-1] < 0.1
    assert wrong[2:] == sorted(wrong[2:], reverse=True), "the further it is, the truer"


def _measured(database):
    with database.read() as session:
        return [(run.frames, run.startup, run.seconds) for run in session.exec(select(RunRow))]


def test_a_whole_render_is_measured_by_a_clock_that_nobody_sets(reporter, running, ticks, database, clock):
    ticks.now += 2
    reporter.take(_progress(0, stage="preparing"))
    ticks.now += 1
    reporter.take(_progress(0))
    clock.set_by(3600)
    ticks.now += 5
    reporter.take(_progress(100))
    ticks.now += 1
    reporter.take(_done(running))
    assert _measured(database) == [(4, 3, 9)]


def test_what_went_on_from_a_checkpoint_is_not_measured(recorder, running, ticks, database):
    resumed = replace(running.lease, checkpoint={"step": 8})
    reporter = recorder(resumed)
    reporter.take(_progress(90))
    ticks.now += 1
    reporter.take(_done(running))
    assert _measured(database) == []
