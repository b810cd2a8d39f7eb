"""The logic of a child, run in this process. What needs a real process is in test_host and test_conformance."""

import errno
import os
import threading

import av
import orjson
import pytest

from videogen.engines.base import RenderCancelled, RenderFailed, RenderLost
from videogen.engines.process import protocol
from videogen.engines.process.child import failure, render_job
from videogen.engines.process.context import Channel, ChildContext
from videogen.engines.registry import load_engine
from videogen.schemas.engines import Capabilities, Cost
from videogen.testing.fakes import LostService


@pytest.fixture
def channel(tmp_path):
    """A channel into a file; `sent()` returns its messages so far."""
    path = tmp_path / "messages"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    made = Channel(descriptor)
    made.sent = lambda: [protocol.decode(line)[1] for line in path.read_bytes().splitlines()]
    yield made
    os.close(descriptor)


@pytest.fixture
def context(job_for, channel):
    def make(job):
        job.workdir.mkdir(exist_ok=True)
        return ChildContext(job, channel)

    return make


@pytest.mark.parametrize(
    ("name", "code", "message", "retryable"),
    [
        ("raises", "engine_error", "ValueError: there is no such colour", False),
        ("exits", "engine_error", "SystemExit: 3", False),
        ("refuses", "busy", "The model is busy.", True),
        ("out_of_memory", "out_of_memory", "Memory ran out. Choose a smaller size.", False),
        (
            "disk_full",
            "storage_fault",
            "The video could not be written: no space left on device. Look at the disk of the data folder, then retry.",
            True,
        ),
        ("no_artifact", "bad_artifact", "Expected render() to return an Artifact, got NoneType.", False),
    ],
)
def test_each_failure_has_a_code_and_one_clear_line(job_for, context, caplog, name, code, message, retryable):
    job = job_for(name)
    end = render_job(context(job))
    assert end == protocol.Failed(code=code, message=message, retryable=retryable)
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    ("problem", "code", "retryable"),
    [
        (RenderLost("the far end is gone"), "render_lost", True),
        (av.FFmpegError(errno.ENOSPC, "No space left on device"), "storage_fault", True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "storage_fault", True),
        (OSError(errno.EROFS, "Read-only file system"), "storage_fault", True),
        (OSError(errno.EACCES, "denied"), "engine_error", False),
        (RenderFailed("no"), "render_failed", False),
        (KeyError(), "engine_error", False),
    ],
)
def test_each_kind_of_error_has_its_code(problem, code, retryable):
    failed = failure(problem)
    assert (failed.code, failed.retryable) == (code, retryable)
    assert failed.message
    assert "\n" not in failed.message


@pytest.mark.parametrize(
    ("name", "code"), [("cut_short", "broken_media"), ("cut_short_still", "broken_media"), ("outside", "bad_artifact")]
)
def test_a_file_that_cannot_be_played_is_no_result(job_for, context, name, code):
    job = job_for(name)
    end = render_job(context(job))
    assert (end.t, end.code) == ("failed", code)


def test_a_work_folder_that_cannot_be_used_is_a_fault_of_the_disk_not_of_the_engine(tmp_path):
    for kind in (PermissionError, NotADirectoryError, FileExistsError):
        failed = failure(kind(errno.EACCES, "no", str(tmp_path / "gen_a" / "video.mp4")), tmp_path / "gen_a")
        assert (failed.code, failed.retryable) == ("storage_fault", True)
        elsewhere = failure(kind(errno.EACCES, "no", "models/weights"), tmp_path / "gen_a")
        assert elsewhere.code == "engine_error"


def test_a_full_disk_costs_a_preview_and_a_poster_but_not_the_video(job_for, context, channel, caplog):
    job = job_for("bars")
    ctx = context(job)
    # The system refuses every byte that is written there: no space left on device.
    for name in (".preview.jpg.part", ".poster.jpg.part"):
        (job.workdir / name).symlink_to("/dev/full")
    write_preview = ctx.preview

    def preview(image):
        (job.workdir / ".preview.jpg.part").unlink(missing_ok=True)
        (job.workdir / ".preview.jpg.part").symlink_to("/dev/full")
        write_preview(image)

    ctx.preview = preview
    end = render_job(ctx)
    assert end.t == "done"
    assert end.artifact.poster_path is None
    assert not [message for message in channel.sent() if message.t == "preview"]
    assert "a preview could not be written: No space left on device" in caplog.text


@pytest.mark.parametrize("name", [".00000.mp4.part", ".video.mp4.part"])
def test_a_video_that_meets_a_full_disk_is_a_storage_fault_and_can_be_retried(job_for, context, name):
    job = job_for("steady")
    ctx = context(job)
    folder = job.workdir / "segments" if name.startswith(".0") else job.workdir
    folder.mkdir(exist_ok=True)
    (folder / name).symlink_to("/dev/full")
    end = render_job(ctx)
    assert (end.t, end.code, end.retryable) == ("failed", "storage_fault", True)
    assert "no space left on device" in end.message
    assert not (folder / name).is_symlink(), "no incomplete file is left"


def test_an_unknown_engine_is_named(job_for, context):
    job = job_for("bars").model_copy(update={"engine": "unheard-of"})
    end = render_job(context(job))
    assert end.t == "failed"
    assert "unheard-of" in end.message


def test_an_error_after_a_cancel_counts_as_the_cancel(job_for, context):
    job = job_for("raises")
    ctx = context(job)

    class Late(ChildContext):
        def report(self, *arguments):
            super().report(*arguments)
            self.cancelled.set()

        def raise_if_cancelled(self):
            """Does not raise, so that the engine fails by itself."""

    ctx.__class__ = Late
    assert render_job(ctx) == protocol.Cancelled(step=1)


def test_what_a_service_does_not_know_ends_with_what_is_known(job_for, context, channel):
    job = job_for("lost_service")
    end = render_job(context(job))
    assert end == protocol.NeedsAttention(
        message="The service does not know whether it has the job.",
        sent_at=LostService.SENT_AT,
        provider_id="job-7",
        look_at=LostService.LOOK_AT,
    )
    assert protocol.Spent(cost=Cost(amount=0.25, currency="USD")) in channel.sent()
    report = protocol.Progress(step=40, total=100, stage="rendering", message="The service renders it.", estimated=True)
    assert report in channel.sent()


def test_a_look_that_the_owner_asked_for_is_added_to_the_newest_checkpoint(job_for, context):
    job = job_for("lost_service")
    render_job(context(job))
    assert context(job).checkpoint == {"looks": 0}
    asked = job.model_copy(update={"checkpoint": {"looks": -5, "look": True}})
    assert context(asked).checkpoint == {"looks": 0, "look": True}
    assert render_job(context(asked)).t == "done"
    assert (job.workdir / "submitted").read_text() == "attempt 1\n", "it was sent once"


def test_a_checkpoint_that_names_a_paid_job_survives_another_version_of_the_engine(job_for, context, channel):
    job = job_for("lost_service", checkpoint={"looks": 0, "look": True})
    other = job.model_copy(update={"recipe": job.recipe.model_copy(update={"engine_version": "0"})})
    assert render_job(context(other)).t == "done"
    assert not (job.workdir / "submitted").exists()
    assert protocol.Checkpoint(data={"looks": 1}) in channel.sent()


def test_a_job_that_was_sent_is_not_lost_where_its_engine_is_not_available_any_more(job_for, context, monkeypatch):
    monkeypatch.setattr(LostService, "probe", lambda _: Capabilities(available=False, reason="There is no key."))
    assert render_job(context(job_for("lost_service"))).code == "engine_unavailable"
    end = render_job(context(job_for("lost_service", checkpoint={"looks": 0})))
    assert (end.t, end.message) == (
        "needs_attention",
        "There is no key. The job was sent before that, and may still run.",
    )


def test_a_cancel_can_say_what_became_of_it(job_for, context, monkeypatch):
    def render(_self, _recipe, _ctx):
        raise RenderCancelled("The service had begun it, and bills it.")

    monkeypatch.setattr(LostService, "render", render)
    text = "The service had begun it, and bills it."
    assert render_job(context(job_for("lost_service"))) == protocol.Cancelled(message=text)


def test_a_checkpoint_is_on_disk_before_the_host_receives_it(job_for, context, channel):
    job = job_for("bars")
    context(job).save({"step": 8})
    assert orjson.loads((job.workdir / "checkpoint.json").read_bytes()) == {"step": 8}
    assert channel.sent() == [protocol.Checkpoint(data={"step": 8})]


@pytest.mark.parametrize(
    ("stored", "step"), [(b'{"step": 16}', 16), (b'{"step": 1', 8), (b"[]", 8), (b"", 8), (None, 8)]
)
def test_the_checkpoint_in_the_workdir_is_the_newer_one(job_for, context, stored, step):
    job = job_for("bars", checkpoint={"step": 8})
    job.workdir.mkdir()
    if stored is not None:
        (job.workdir / "checkpoint.json").write_bytes(stored)
    assert context(job).checkpoint == {"step": step}


@pytest.mark.parametrize(
    ("reported", "sent"), [((3, 8), (3, 8)), ((9, 8), (8, 8)), ((-1, 8), (0, 8)), ((1, -5), (0, 0)), ((2.9, 8), (2, 8))]
)
def test_a_step_stays_within_its_total(job_for, context, channel, reported, sent):
    context(job_for("bars")).report(*reported, "rendering")
    message = channel.sent()[0]
    assert (message.step, message.total) == sent


def test_a_wait_ends_with_a_cancel_and_with_a_job_that_was_taken_away(job_for, context):
    cancelled, taken = context(job_for("bars")), context(job_for("bars"))
    cancelled.wait(0.0)
    cancelled.obey(protocol.Cancel())
    with pytest.raises(RenderCancelled):
        cancelled.wait(3600)
    taken.obey(protocol.Abandon())
    with pytest.raises(RenderLost, match="taken away"):
        taken.wait(3600)
    with pytest.raises(RenderLost):
        taken.save({"step": 1})
    assert not (taken.workdir / protocol.CHECKPOINT_NAME).exists(), "it writes nothing beside its next attempt"


def test_a_suspended_attempt_ends_where_it_waits(job_for):
    read_end, write_end = os.pipe()
    suspended = ChildContext(job_for("bars"), Channel(write_end))
    threading.Thread(target=suspended.wait, args=(3600,), daemon=True).start()
    suspended.obey(protocol.Suspend())
    with os.fdopen(read_end, "rb") as messages:
        assert protocol.decode(messages.readline())[1] == protocol.Suspended()


def test_the_file_alone_knows_what_an_artifact_leaves_open(job_for, context, monkeypatch):
    job = job_for("steady")
    steady = load_engine(job.engine)
    render = type(steady).render

    def of_another_size(self, recipe, ctx):
        smaller = recipe.model_copy(update={"width": 32, "height": 32, "num_frames": 5})
        return render(self, smaller, ctx).model_copy(update={"width": 0, "height": 0, "num_frames": 0})

    monkeypatch.setattr(type(steady), "render", of_another_size)
    artifact = render_job(context(job)).artifact
    assert (artifact.width, artifact.height, artifact.num_frames) == (32, 32, 5)
