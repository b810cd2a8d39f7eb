from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from threading import Event
from types import SimpleNamespace

import pytest
from sqlmodel import select

from tests.support.holders import held
from tests.support.rows import Clock
from videogen import flag, refuse
from videogen.core.errors import StaleWriteError, StorageError
from videogen.db import write_turns
from videogen.db.tables import DeviceRow, RunRow
from videogen.engines.base import Artifact
from videogen.engines.process import protocol
from videogen.jobs import disk_guard
from videogen.jobs.moderation import Moderator
from videogen.jobs.reporter import BUSY_INTERVAL_SECONDS, INTERVAL_SECONDS, WRITE_BUDGET, ProgressRecorder
from videogen.schemas.engines import Cost
from videogen.store import Person
from videogen.store.estimates import Expected


@pytest.fixture
def running(store, data_folder, queue, submit, alice, database):
    """A generation in its first attempt: its lease, its workdir, and its events."""
    row = submit(alice)
    lease = queue.claim("worker")
    events = []
    database.listen(events.extend)
    return SimpleNamespace(id=row.id, lease=lease, work=data_folder.make_work_folder(row.id), events=events)


@pytest.fixture
def ticks():
    """The recorder's clock, in seconds."""
    return Clock(100.0)


@pytest.fixture
def make_recorder(store, storage, queue, ticks):
    """Makes the make_recorder of a lease."""
    return lambda lease: ProgressRecorder(store, storage, lease, partial(queue.finish, lease), ticks)


@pytest.fixture
def recorder(make_recorder, running):
    return make_recorder(running.lease)


def _progress(step, total=100, stage="rendering", message=""):
    return protocol.Progress(step=step, total=total, stage=stage, message=message)


def _done(running, poster=True):
    video, picture = running.work / "video.mp4", running.work / "poster.jpg"
    video.write_bytes(b"video")
    picture.write_bytes(b"poster")
    return protocol.Done(
        artifact=Artifact(path=video, poster_path=picture if poster else None, width=64, height=64, fps=8, num_frames=4)
    )


@pytest.mark.parametrize("is_shared", [False, True])
def test_what_a_later_attempt_of_the_same_number_left_is_replaced_on_a_disk(
    recorder, running, storage, store, alice, monkeypatch, is_shared
):
    """The database was set back to a backup, and the job may have got other settings since. In a bucket such files are
    removed when the attempt begins, and what comes after that stays."""
    monkeypatch.setattr(type(storage), "is_shared", is_shared)
    key = f"{running.id}/a1-video.mp4"
    storage.put(b"of other settings", key)
    recorder.record(_done(running))
    assert store.get_generation(alice, running.id).status == "completed"
    with storage.open(key) as file:
        assert file.read() == (b"of other settings" if is_shared else b"video")


def test_slow_writes_make_the_interval_longer_and_quick_ones_shorter_again(recorder, running, ticks, database):
    took = 0.0

    def stall(_events):
        ticks.now += took

    database.listen(stall)

    def events_in(seconds):
        before, end = len(running.events), ticks.now + seconds
        while ticks.now < end:
            recorder.record(_progress(len(running.events) + 1, 1000))
            ticks.now += 0.01
        return (len(running.events) - before) / seconds

    assert events_in(5) == pytest.approx(1 / INTERVAL_SECONDS, rel=0.2)
    took = 0.015
    assert events_in(5) == pytest.approx(WRITE_BUDGET / took, rel=0.2)
    took = 1.0
    events_in(5)
    took = 0.1
    assert events_in(5) == pytest.approx(1 / BUSY_INTERVAL_SECONDS, rel=0.4), "the interval has an upper limit"
    took = 0.0
    events_in(2)
    assert events_in(5) == pytest.approx(1 / INTERVAL_SECONDS, rel=0.2)


def test_at_most_one_progress_event_per_interval(recorder, running, ticks):
    for step in range(1, 101):
        recorder.record(_progress(step))
        ticks.now += INTERVAL_SECONDS / 10
    steps = [event.data.step for event in running.events]
    assert steps[0] == 1
    assert 9 <= len(steps) <= 11
    assert steps == sorted(steps)


def test_flush_publishes_the_pending_step_once(recorder, running):
    for step in (1, 2, 3):
        recorder.record(_progress(step))
    assert [event.data.step for event in running.events] == [1]
    recorder.flush()
    recorder.flush()
    assert [event.data.step for event in running.events] == [1, 3]


def test_a_conversion_has_no_time_left_and_is_not_measured_as_a_start(make_recorder, running, ticks, database):
    lease = replace(running.lease, expected=Expected(2.0, 30.0))
    recorder = make_recorder(lease)
    recorder.record(_progress(0, stage="preparing"))
    ticks.now += 30
    recorder.record(_progress(100))
    recorder.record(_progress(0, stage="converting"))
    ticks.now += 5
    recorder.record(_progress(60, stage="converting"))
    last = running.events[-1].data
    assert (last.stage, last.step, last.eta_seconds) == ("converting", 60, None)
    assert last.progress == 99
    recorder.record(_done(running))
    assert _measured(database) == [(4, 0, 35)]


def test_a_change_of_stage_or_message_is_published_at_once(recorder, running):
    for message in (_progress(0, stage="preparing"), _progress(1), _progress(2), _progress(2, message="almost")):
        recorder.record(message)
    assert [(event.data.stage, event.data.step) for event in running.events] == [
        ("preparing", 0),
        ("rendering", 1),
        ("rendering", 2),
    ]
    assert running.events[-1].data.message == "almost"


def test_progress_stops_at_99_percent_until_the_result_is_stored(recorder, running, ticks):
    for step, total in ((0, 0), (50, 100), (100, 100)):
        ticks.now += 1
        recorder.record(_progress(step, total))
    assert [event.data.progress for event in running.events] == [0.0, 49.5, 99.0]
    recorder.record(_done(running))
    assert running.events[-1].data.progress == 100.0


def test_the_eta_is_unknown_until_a_speed_was_measured(recorder, running, ticks):
    for seconds, step in ((0, 10), (0.5, 20), (0.5, 30), (1, 50)):
        ticks.now += seconds
        recorder.record(_progress(step))
    etas = [event.data.eta_seconds for event in running.events]
    assert etas[:2] == [None, None]
    percent = [9.9, 19.8, 29.7, 49.5]
    assert etas[2] == pytest.approx(1.0 * (100 - percent[2]) / (percent[2] - percent[0]), abs=0.1)
    assert etas[3] == pytest.approx(2.0 * (100 - percent[3]) / (percent[3] - percent[0]), abs=0.1)


def test_the_eta_after_a_checkpoint_is_measured_from_there(recorder, running, ticks):
    recorder.record(_progress(80))
    ticks.now += 2
    recorder.record(_progress(90))
    assert running.events[-1].data.eta_seconds == pytest.approx(2.0 * (100 - 89.1) / 9.9, abs=0.1)


def test_a_checkpoint_is_stored_for_the_next_attempt(recorder, running, store, alice):
    recorder.record(protocol.Checkpoint(data={"step": 8}))
    assert store.get_generation(alice, running.id).checkpoint == {"step": 8}


def test_a_preview_is_stored_and_replaced_by_the_next_one(recorder, running, store, data_folder, alice):
    for content in (b"first", b"second"):
        path = running.work / "preview.jpg"
        path.write_bytes(content)
        recorder.record(protocol.Preview(path=path))
    row = store.get_generation(alice, running.id)
    file = store.get_media(row.preview_file_id)[0]
    assert (file.kind, file.content_type, file.size_bytes) == ("preview", "image/jpeg", 6)
    assert (data_folder.files / file.key).read_bytes() == b"second"
    assert [event.data.preview_version for event in running.events] == [1, 2]


def test_a_preview_whose_file_is_gone_is_ignored(recorder, running, store, alice):
    path = running.work / "preview.jpg"
    path.write_bytes(b"the newest")
    for _ in range(3):  # what piles up while the server stands still
        recorder.record(protocol.Preview(path=path))
    assert store.get_generation(alice, running.id).status == "processing"
    assert [event.data.preview_version for event in running.events] == [1]


@pytest.mark.parametrize("poster", [True, False])
def test_a_result_stores_its_files_and_clears_preview_and_checkpoint(
    recorder, running, store, data_folder, alice, poster
):
    preview = running.work / "preview.jpg"
    preview.write_bytes(b"preview")
    recorder.record(protocol.Preview(path=preview))
    recorder.record(_done(running, poster))
    row = store.get_generation(alice, running.id)
    assert (row.status, row.size_bytes, row.duration_seconds) == ("completed", 5, 0.5)
    video = store.get_media(row.file_id)[0]
    assert (video.content_type, (data_folder.files / video.key).read_bytes()) == ("video/mp4", b"video")
    assert (row.poster_file_id is not None) == poster
    kept = sorted(path.name for path in (data_folder.files / running.id).iterdir())
    # The preview stays with its generation: pages that are open still show it.
    assert kept == ["a1-poster.jpg", "a1-preview.jpg", "a1-video.mp4"][not poster :]


def test_a_confirmed_cancel_ends_as_cancelled(recorder, running, store, alice):
    recorder.record(protocol.Cancelled(step=3))
    assert store.get_generation(alice, running.id).status == "cancelled"
    assert [(event.type, event.data.code) for event in running.events] == [("error", "cancelled")]


def test_a_failure_has_the_code_and_message_of_the_engine(recorder, running, store, alice):
    recorder.record(protocol.Failed(code="busy", message="The model is busy.", retryable=True))
    row = store.get_generation(alice, running.id)
    assert (row.status, row.error_code, row.error_message, row.error_retryable) == (
        "failed",
        "busy",
        "The model is busy.",
        True,
    )


def test_progress_that_is_estimated_is_published_as_that_and_gives_no_speed(recorder, running, ticks):
    for step, estimated in ((10, True), (50, True), (60, False)):
        ticks.now += 2
        message = protocol.Progress(step=step, total=100, stage="rendering", estimated=estimated)
        recorder.record(message)
    shown = [(event.data.estimated, event.data.eta_seconds is None) for event in running.events]
    assert shown == [(True, True), (True, True), (False, False)]


def test_no_engine_can_report_the_stage_of_what_has_no_worker(recorder, running, store, alice):
    recorder.record(_progress(1, stage="needs_attention"))
    recorder.record(_progress(2))
    assert [event.data.stage for event in running.events] == ["waiting", "rendering"]


def test_the_newest_cost_is_stored_without_an_event(recorder, running, store, alice):
    for amount, estimated in ((0.5, True), (0.25, False)):
        recorder.record(protocol.Spent(cost=Cost(amount=amount, currency="USD", estimated=estimated)))
    assert store.get_generation(alice, running.id).cost == {"amount": 0.25, "currency": "USD", "estimated": False}
    assert running.events == []


def test_a_job_whose_fate_is_unknown_keeps_its_checkpoint_and_all_that_is_known(recorder, running, store, alice):
    recorder.record(_progress(1))
    recorder.record(_progress(40))
    recorder.record(protocol.Checkpoint(data={"id": "job-7"}))
    sent_at = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
    known = {"sent_at": sent_at.replace(tzinfo=None), "provider_id": "7" * 500, "look_at": "there"}
    recorder.record(protocol.NeedsAttention(message="Who knows?", **known))
    row = store.get_generation(alice, running.id)
    assert (row.status, row.stage, row.message, row.checkpoint) == (
        *("processing", "needs_attention", "Who knows?"),
        {"id": "job-7"},
    )
    last = running.events[-1].data
    assert last.attention.sent_at == sent_at, "without a time zone it is UTC"
    assert (last.attention.provider_id, last.attention.look_at) == ("7" * 200, "there")
    assert last.progress == pytest.approx(39.6), "what was held back was published before"


def test_a_progress_write_that_fails_never_ends_a_render(recorder, running, data_folder, store, alice, caplog):
    picture = running.work / "preview.jpg"
    (data_folder.files / running.id).write_bytes(b"a file where a folder must be")
    for _ in range(3):
        picture.write_bytes(b"preview")
        recorder.record(protocol.Preview(path=picture))
    assert caplog.text.count("cannot be stored") == 1, "said once, not for each"
    assert store.get_generation(alice, running.id).status == "processing"
    (data_folder.files / running.id).unlink()
    recorder.record(protocol.Preview(path=picture))
    assert store.get_generation(alice, running.id).preview_file_id


def test_what_a_held_database_refuses_is_written_later(recorder, running, store, alice, database, monkeypatch):
    monkeypatch.setattr(write_turns, "PATIENCE_SECONDS", 0.0)
    with held(database.path):
        recorder.record(_progress(40))
        recorder.record(protocol.Checkpoint(data={"frame": 40}))
        assert store.get_generation(alice, running.id).checkpoint is None
    recorder.flush()
    row = store.get_generation(alice, running.id)
    assert (row.step, row.checkpoint, row.checkpoint_step) == (40, {"frame": 40}, 40)
    assert [event.data.step for event in running.events] == [40]


def test_a_storage_fault_of_the_renderer_is_raised_to_the_worker(recorder, running, store, alice):
    with pytest.raises(StorageError, match="no space"):
        recorder.record(protocol.Failed(code="storage_fault", message="no space", retryable=True))
    assert store.get_generation(alice, running.id).status == "processing"
    assert running.work.exists(), "its segments are kept for when there is room"


def test_the_end_is_written_again_until_the_disk_takes_it(
    store, storage, data_folder, queue, running, alice, monkeypatch
):
    monkeypatch.setattr(disk_guard, "LOOK_SECONDS", 0.0)
    guard = disk_guard.DiskGuard(store, data_folder, Event())
    failures = [StorageError("full"), StorageError("full")]

    def finish(outcome):
        if failures:
            assert store.get_generation(alice, running.id).status == "processing"
            raise failures.pop()
        queue.finish(running.lease, outcome)

    retrying = ProgressRecorder(
        store, storage, running.lease, lambda outcome: guard.retry_until_stored(lambda: finish(outcome))
    )
    retrying.record(_done(running))
    assert store.get_generation(alice, running.id).status == "completed"
    assert not failures


def test_a_result_file_that_cannot_be_stored_raises_and_does_not_end_the_generation(
    recorder, running, store, data_folder, alice
):
    (data_folder.files / running.id).write_bytes(b"a file where a folder must be")
    with pytest.raises(StorageError):
        recorder.record(_done(running))
    assert store.get_generation(alice, running.id).status == "processing"


def test_a_worker_that_lost_its_lease_cannot_replace_the_file_of_the_next_attempt(
    recorder, make_recorder, running, store, data_folder, queue, clock, alice
):
    clock.now += 11
    second = make_recorder(queue.claim("another"))
    second.record(_done(running))
    row = store.get_generation(alice, running.id)
    data_folder.make_work_folder(running.id)
    late = _done(running)
    (running.work / "video.mp4").write_bytes(b"too late")
    with pytest.raises(StaleWriteError):
        recorder.record(late)
    assert store.get_generation(alice, running.id) == row
    assert data_folder.files.joinpath(store.get_media(row.file_id)[0].key).read_bytes() == b"video"


def test_the_eta_starts_with_the_estimate_and_ends_with_the_own_speed(make_recorder, running, ticks):
    recorder = make_recorder(replace(running.lease, expected=Expected(startup=1.0, body=20.0)))
    true = []
    for step in range(0, 100, 10):  # twice as slow as the others were: 40 seconds
        recorder.record(_progress(step))
        true.append(40 * (1 - step / 100))
        ticks.now += 4
    etas = [event.data.eta_seconds for event in running.events]
    assert etas[0] == 21, "its own speed is not known yet"
    wrong = [abs(eta - left) / left for eta, left in zip(etas, true, strict=True)]
    assert wrong[0] > 0.4
    assert wrong[5] < 0.3
    assert wrong[-1] < 0.1
    assert wrong[2:] == sorted(wrong[2:], reverse=True), "the further it is, the truer"


def _measured(database):
    with database.read() as session:
        return [(run.frames, run.startup, run.seconds) for run in session.exec(select(RunRow))]


def test_a_complete_render_is_measured_with_the_monotonic_clock(recorder, running, ticks, database, clock):
    ticks.now += 2
    recorder.record(_progress(0, stage="preparing"))
    ticks.now += 1
    recorder.record(_progress(0))
    clock.set_by(3600)
    ticks.now += 5
    recorder.record(_progress(100))
    ticks.now += 1
    recorder.record(_done(running))
    assert _measured(database) == [(4, 3, 9)]


def test_a_render_that_continued_from_a_checkpoint_is_not_measured(make_recorder, running, ticks, database):
    resumed = replace(running.lease, checkpoint={"step": 8})
    recorder = make_recorder(resumed)
    recorder.record(_progress(90))
    ticks.now += 1
    recorder.record(_done(running))
    assert _measured(database) == []


# With a moderation hook.


@pytest.fixture
def moderated(store, storage, queue, ticks, running):
    """Makes a recorder that asks this hook."""

    def make(hook):
        finish = partial(queue.finish, running.lease)
        return ProgressRecorder(store, storage, running.lease, finish, ticks, Moderator(hook))

    return make


def test_a_refused_result_fails_with_the_words_and_is_never_stored(moderated, running, store, storage, alice):
    seen = []

    def hook(item):
        seen.append((item.stage, item.generation, item.file.read_bytes(), item.poster.read_bytes()))
        return refuse("Not here.")

    moderated(hook).record(_done(running))
    row = store.get_generation(alice, running.id)
    assert seen == [("result", running.id, b"video", b"poster")]
    assert (row.status, row.error_code, row.error_message) == ("failed", "moderation_refused", "Not here.")
    assert (row.file_id, row.poster_file_id, row.error_retryable) == (None, None, False)
    assert [*storage.list()] == []


def test_a_result_is_shown_with_the_account_of_the_session_that_has_it_now(moderated, running, store, alice, bob):
    seen = []
    recorder = moderated(seen.append)
    account = store.put_account(Person("https://provider.example", "1", "ada", "Ada"))
    with store.database.read() as session:
        devices = {row.session_id: row.id for row in session.exec(select(DeviceRow))}
    store.connect(devices[bob], account.id)
    store.connect(devices[alice], account.id)
    recorder.record(_done(running))
    assert [(item.session, item.account) for item in seen] == [(bob, "ada")]
    assert store.get_generation(bob, running.id).status == "completed"


def test_what_was_shown_before_there_was_a_hook_goes_with_a_refused_result(recorder, moderated, running, store, alice):
    picture = running.work / "preview.jpg"
    picture.write_bytes(b"preview")
    recorder.record(protocol.Preview(path=picture))
    assert store.get_generation(alice, running.id).preview_file_id
    moderated(lambda _: refuse("No.")).record(_done(running))
    assert store.get_generation(alice, running.id).preview_file_id is None
    assert store.keys_kept(running.id) == frozenset()


def test_with_a_hook_no_preview_is_shown(moderated, running, store, alice):
    picture = running.work / "preview.jpg"
    picture.write_bytes(b"preview")
    moderated(lambda _: None).record(protocol.Preview(path=picture))
    assert store.get_generation(alice, running.id).preview_file_id is None


def test_where_the_hook_fails_the_result_is_not_published_and_can_be_retried(moderated, running, store, alice):
    moderated(lambda _: 1 / 0).record(_done(running))
    row = store.get_generation(alice, running.id)
    assert (row.status, row.error_code, row.error_retryable) == ("failed", "moderation_unavailable", True)


def test_a_flag_is_stored_with_the_result(moderated, running, store, alice):
    moderated(lambda _: flag("Look.")).record(_done(running))
    assert [(row.id, row.flagged, row.status) for row in store.list_flagged(10)] == [(running.id, "Look.", "completed")]
