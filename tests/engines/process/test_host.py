"""One job in a real process of its own: what ends it, and what the host reports. See also test_conformance."""

import os
import signal
import sys
import threading
from queue import Empty, Queue
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from tests.support.renderers import until
from videogen.core.errors import ConfigError
from videogen.engines.base import RenderLost
from videogen.engines.process import connection, host, protocol
from videogen.media.probe import probe

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs pidfd and PDEATHSIG")


def test_only_the_protocol_is_read_whatever_the_engine_prints(run, job_for):
    job = job_for("prints")
    messages = run(job)
    assert messages[-1].t == "done"
    assert sum(protocol.is_end(message) for message in messages) == 1
    log = (job.workdir / "render.log").read_bytes()
    assert (log.count(b"forged"), log.count(b"broken bytes"), log.count(b"from a grandchild")) == (40, 20, 1)


@pytest.mark.parametrize("fault", ["full disk", "folder in its place"])
def test_a_log_that_cannot_be_written_does_not_cost_the_video(run, job_for, fault):
    job = job_for("talks")
    job.workdir.mkdir()
    log = job.workdir / "render.log"
    if fault == "full disk":
        log.symlink_to("/dev/full")  # every byte is refused: no space left on device
    else:
        log.mkdir()
    messages = run(job)
    assert messages[-1].t == "done", messages[-1]
    assert probe(messages[-1].artifact.path).num_frames == 20


def test_the_log_has_what_the_engine_prints_logs_and_warns(run, job_for):
    job = job_for("talks")
    run(job)
    log = (job.workdir / "render.log").read_text()
    assert [log.count(text) for text in ("frame 19\n", "this too", "and this", "UserWarning")] == [1, 20, 20, 1]


def test_a_video_is_the_same_after_any_number_of_kills(run, job_for, tmp_path):
    unbroken = run(job_for("steady", workdir=tmp_path / "unbroken"))[-1].artifact.path.read_bytes()
    job = job_for("steady")
    job.workdir.mkdir()
    for attempt, frame in enumerate((0, 8, 15, 19), 1):
        (job.workdir / "die-at").write_text(str(frame))
        with pytest.raises(RenderLost, match=f"SIGKILL .* at step {frame}"):
            run(job.model_copy(update={"attempt": attempt}))
    (job.workdir / "die-at").unlink()
    messages = run(job.model_copy(update={"attempt": 5}))
    assert messages[0].resumed_at == 16
    assert messages[1].step == 16
    assert messages[-1].artifact.path.read_bytes() == unbroken


def test_an_unknown_engine_is_refused_before_a_process_is_started(start, job_for):
    with pytest.raises(ConfigError, match="unheard-of"):
        start(job_for("bars").model_copy(update={"engine": "unheard-of"}))


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ("until_cancelled", r"was killed by SIGKILL \(out of memory, or killed by hand\) at step \d\."),
        ("crashes", r"was killed by SIGSEGV at step 1\. Its log ends: the last word"),
        ("breaks_protocol", r"wrote b'this is no message', which is not a message at step"),
        ("leaves", r"ended with exit status 7 at step 1\."),
    ],
)
def test_a_lost_renderer_is_reported_with_the_cause(start, job_for, engine, message):
    with start(job_for(engine)) as render:
        messages = render.messages()
        until(messages, "preview")
        if engine == "until_cancelled":
            render.kill()
        with pytest.raises(RenderLost, match=message):
            list(messages)


def test_a_cancel_before_the_first_message_counts(start, job_for):
    with start(job_for("until_cancelled"), grace=30) as render:
        render.cancel()
        assert list(render.messages())[-1].t == "cancelled"


def test_a_renderer_in_native_code_that_cannot_read_the_cancel_is_killed(start, job_for):
    with start(job_for("holds_interpreter"), grace=0.3) as render:
        messages = render.messages()
        until(messages, "preview")
        render.cancel()
        assert list(messages)[-1] == protocol.Cancelled(step=1)


def test_the_reader_is_called_in_a_silence_and_can_end_it(start, job_for):
    silences = []
    has_begun = threading.Event()

    def on_idle():
        if has_begun.is_set():
            silences.append(1)
        if len(silences) == 2:
            raise LookupError("enough")

    with start(job_for("ignores_cancel"), on_idle=on_idle) as render:
        messages = render.messages()
        until(messages, "preview")
        has_begun.set()
        with pytest.raises(LookupError, match="enough"):
            list(messages)
    assert len(silences) == 2


def test_a_slow_renderer_that_goes_on_reporting_is_not_stopped(run, job_for):
    # Twenty frames of 0.15 seconds: less than the stall each, and more than it together.
    messages = run(job_for("paced", delay_ms=150), stall=2.0)
    assert messages[-1].t == "done"


@pytest.mark.parametrize("sends", [protocol.Alive(), None])
def test_a_renderer_that_waits_and_gives_signs_of_life_is_not_stopped(job_for, monkeypatch, sends):
    messages = [None, sends] * 5 + [protocol.Cancelled()]

    def receive(timeout):
        if (message := messages.pop(0)) is None:
            raise Empty
        return message

    ticks = iter(range(1000))  # each reading of the time is a second after the last one
    monkeypatch.setattr(host.time, "monotonic", lambda: next(ticks))
    connection, mailbox = MagicMock(), SimpleNamespace(get=receive)
    pool = SimpleNamespace(start=lambda _job: (connection, mailbox), finish=lambda *_: None)
    with host.RenderHandle(job_for("bars"), pool, stall=2.0) as render:
        if sends is None:
            with pytest.raises(RenderLost, match=r"sent nothing for 2 seconds"):
                list(render.messages())
        else:
            assert list(render.messages())[-1] == protocol.Cancelled()


def test_a_host_that_stood_still_does_not_take_its_renderer_for_hung(start, job_for, monkeypatch):
    with start(job_for("until_cancelled"), grace=30, stall=3600) as render:
        messages = render.messages()
        until(messages, "preview")
        ticks = iter(range(0, 10**9, 3500))  # each reading of the time is an hour after the last one
        monkeypatch.setattr(host.time, "monotonic", lambda: next(ticks))
        threading.Timer(2.0, render.cancel).start()
        assert list(messages)[-1].t == "cancelled"


def test_a_suspended_renderer_without_a_checkpoint_is_killed(start, job_for):
    with start(job_for("ignores_cancel")) as render:
        messages = render.messages()
        until(messages, "preview")
        render.suspend(0.1)
        with pytest.raises(RenderLost, match=r"^The server stopped\.$"):
            list(messages)


def test_a_renderer_that_finishes_while_it_is_suspended_is_done(start, job_for):
    with start(job_for("bars")) as render:
        messages = render.messages()
        until(messages, "started")
        render.suspend(60)
        assert list(messages)[-1].t == "done"


@linux
def test_a_death_is_an_event_though_a_grandchild_holds_the_pipe_open(start, job_for, monkeypatch):
    for module, name in ((host, "_POLL_SECONDS"), (connection, "_POLL_SECONDS"), (connection, "_MEMORY_SECONDS")):
        monkeypatch.setattr(module, name, 3600.0)  # nothing but an event can end this wait
    with start(job_for("leaves_pipe_open")) as render, pytest.raises(RenderLost, match="SIGKILL"):
        list(render.messages())


@linux
def test_a_renderer_outlives_the_thread_that_started_it(start, job_for):
    made, may_end = Queue(), threading.Event()

    def start_one():
        made.put(start(job_for("until_cancelled"), grace=30))
        may_end.wait()

    thread = threading.Thread(target=start_one)
    thread.start()
    with made.get() as render:
        messages = render.messages()
        until(messages, "started")
        may_end.set()
        thread.join()
        until(messages, "preview")
        render.cancel()
        assert list(messages)[-1].t == "cancelled"


def test_a_handle_can_be_stopped_after_its_end(start, job_for):
    with start(job_for("bars")) as render:
        assert list(render.messages())[-1].t == "done"
    render.cancel()
    render.suspend(1)
    render.kill()
    render.close()
    with pytest.raises(ProcessLookupError):
        os.kill(render.pid, signal.SIGCONT)
