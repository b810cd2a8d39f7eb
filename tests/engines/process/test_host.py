"""Real processes: what a renderer does, what it survives, and what it leaves behind."""

import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue

import psutil
import pytest

from videogen.engines.base import RenderLost
from videogen.engines.process import host, protocol
from videogen.engines.process import spawn as spare_module
from videogen.engines.process.host import RenderProcess
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.spawn import end_orphans
from videogen.media import probe

ROOT = Path(__file__).parents[3]
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs pidfd and PDEATHSIG")


def run(job, **options):
    with RenderProcess(job, **options) as render:
        return list(render.messages())


def until(messages, kind):
    """Read on to the first message of a kind."""
    return next(message for message in messages if message.t == kind)


def await_death(pid, meanwhile=lambda: None):
    """Block until a process that need not be ours is gone, doing something again and again."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for _ in range(40):
            meanwhile()
            if select.select([descriptor], [], [], 0.5)[0]:
                return
        raise AssertionError(f"process {pid} lives on")
    finally:
        os.close(descriptor)


def test_a_render_tells_everything_and_ends_once(job_for):
    job = job_for("prints")
    messages = run(job)
    kinds = [message.t for message in messages]
    assert kinds[0] == "started"
    assert kinds[-1] == "done"
    assert "preview" in kinds
    assert sum(protocol.is_end(message) for message in messages) == 1
    assert [m.step for m in messages if m.t == "progress" and m.stage == "rendering"] == list(range(1, 21))
    assert probe(messages[-1].artifact.path).num_frames == 20
    log = (job.workdir / "render.log").read_bytes()
    assert (log.count(b"forged"), log.count(b"broken bytes"), log.count(b"from a grandchild")) == (40, 20, 1)


@pytest.mark.parametrize("place", ["full", "folder"])
def test_a_log_that_has_no_room_does_not_cost_the_video(job_for, place):
    job = job_for("talks")
    job.workdir.mkdir()
    log = job.workdir / "render.log"
    if place == "full":
        log.symlink_to("/dev/full")  # every byte is refused: no space left on device
    else:
        log.mkdir()
    messages = run(job)
    assert messages[-1].t == "done", messages[-1]
    assert probe(messages[-1].artifact.path).num_frames == 20


def test_a_log_keeps_what_an_engine_says(job_for):
    job = job_for("talks")
    run(job)
    log = (job.workdir / "render.log").read_text()
    assert [log.count(said) for said in ("frame 19\n", "this too", "and this", "UserWarning")] == [1, 20, 20, 1]


def test_killed_again_and_again_it_ends_as_if_never_killed(job_for, tmp_path):
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


def test_a_cancel_is_confirmed(job_for):
    with RenderProcess(job_for("until_cancelled"), grace=30) as render:
        messages = render.messages()
        until(messages, "progress")
        for _ in range(3):
            render.cancel()
        assert list(messages)[-1].t == "cancelled"
        render.cancel()


def test_a_cancel_before_the_first_word_counts(job_for):
    with RenderProcess(job_for("until_cancelled"), grace=30) as render:
        render.cancel()
        assert list(render.messages())[-1].t == "cancelled"


def test_a_renderer_that_ignores_the_cancel_is_killed(job_for):
    with RenderProcess(job_for("ignores_cancel"), grace=0.05) as render:
        messages = render.messages()
        until(messages, "preview")
        threading.Thread(target=render.cancel).start()
        assert list(messages)[-1] == protocol.Cancelled(step=1)


@pytest.mark.parametrize(
    ("kill", "message"), [(True, "was killed by SIGKILL"), (False, r"SIGSEGV at step 1\..*the last word")]
)
def test_a_death_is_told_with_its_cause(job_for, kill, message):
    with RenderProcess(job_for("until_cancelled" if kill else "crashes")) as render:
        messages = render.messages()
        until(messages, "preview")
        if kill:
            render.kill()
        with pytest.raises(RenderLost, match=message):
            list(messages)


def test_rubbish_on_the_line_is_a_death(job_for):
    with (
        RenderProcess(job_for("babbles")) as render,
        pytest.raises(RenderLost, match=r"Expected a message .*no message"),
    ):
        list(render.messages())


def test_a_renderer_that_says_nothing_is_given_up(job_for):
    with (
        RenderProcess(job_for("hangs"), stall=1.0) as render,
        pytest.raises(RenderLost, match="said nothing for 1 seconds at step 0"),
    ):
        list(render.messages())


def test_the_reader_learns_of_a_silence_and_can_end_it(job_for):
    silences = []
    begun = threading.Event()

    def pause():
        if begun.is_set():
            silences.append(1)
        if len(silences) == 2:
            raise LookupError("enough")

    with RenderProcess(job_for("ignores_cancel"), on_pause=pause) as render:
        messages = render.messages()
        until(messages, "preview")
        begun.set()
        with pytest.raises(LookupError, match="enough"):
            list(messages)
    assert len(silences) == 2


def test_a_renderer_that_cannot_even_hear_the_cancel_is_killed(job_for):
    with RenderProcess(job_for("deaf"), grace=0.3) as render:
        messages = render.messages()
        until(messages, "preview")
        render.cancel()
        assert list(messages)[-1] == protocol.Cancelled(step=1)


def test_one_that_goes_on_saying_something_is_not_given_up(job_for):
    # Twenty frames of 0.15 seconds, which is less than the stall, and together more.
    messages = run(job_for("paced", delay_ms=150), stall=2.0)
    assert messages[-1].t == "done"


def test_a_host_that_stood_still_does_not_take_its_renderer_for_hung(job_for, monkeypatch):
    with RenderProcess(job_for("until_cancelled"), grace=30, stall=3600) as render:
        messages = render.messages()
        until(messages, "preview")
        ticks = iter(range(0, 10**9, 3500))  # each look at the time is an hour after the last one
        monkeypatch.setattr(host.time, "monotonic", lambda: next(ticks))
        threading.Timer(2.0, render.cancel).start()
        assert list(messages)[-1].t == "cancelled"


def test_a_suspended_renderer_ends_at_its_next_checkpoint(job_for):
    job = job_for("paced", delay_ms=20)
    with RenderProcess(job) as render:
        messages = render.messages()
        next(message for message in messages if message.t == "progress" and message.step >= 2)
        render.suspend(60)
        render.suspend(60)
        with pytest.raises(RenderLost, match=r"^The server stopped\.$"):
            list(messages)
    checkpoint = json.loads((job.workdir / "checkpoint.json").read_bytes())
    assert checkpoint["step"] in (8, 16), "the end of a segment, and not the end of the film"
    assert run(job.model_copy(update={"attempt": 2}))[0].resumed_at == checkpoint["step"]


def test_a_suspended_renderer_that_comes_to_no_checkpoint_is_killed(job_for):
    with RenderProcess(job_for("ignores_cancel")) as render:
        messages = render.messages()
        until(messages, "preview")
        render.suspend(0.1)
        with pytest.raises(RenderLost, match="The server stopped"):
            list(messages)


def test_a_renderer_that_ends_its_film_while_it_is_suspended_has_made_it(job_for):
    with RenderProcess(job_for("bars")) as render:
        messages = render.messages()
        until(messages, "started")
        render.suspend(60)
        assert list(messages)[-1].t == "done"


@linux
def test_a_death_is_an_event_though_a_grandchild_holds_the_line(job_for, monkeypatch):
    monkeypatch.setattr(host, "_LOOK_SECONDS", 3600.0)  # nothing but an event can end this wait
    with RenderProcess(job_for("has_heir")) as render, pytest.raises(RenderLost, match="SIGKILL"):
        list(render.messages())


@linux
def test_what_an_engine_started_goes_with_it(job_for):
    with RenderProcess(job_for("has_children")) as render:
        messages = render.messages()
        grandchild = int(next(m.message for m in messages if m.t == "progress" and m.stage == "waiting"))
        with pytest.raises(RenderLost):
            list(messages)
    await_death(grandchild)


def _host(code, job):
    """A process that hosts a render of this job."""
    host = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    host.stdin.write(job.model_dump_json(by_alias=True) + "\n")
    host.stdin.flush()
    return host


HOST = """
import signal, sys
from videogen.engines.process.host import RenderProcess
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.spawn import end_orphans
from videogen.engines.process.protocol import RenderJob
render = RenderProcess(RenderJob.model_validate_json(sys.stdin.readline()))
spare = ProcessPool()
for message in render.messages():
    if message.t == "preview":
        print(render.pid, spare.pid, flush=True)
        signal.pause()
"""


@linux
def test_renderers_do_not_outlive_their_host(job_for):
    with _host(HOST, job_for("ignores_cancel")) as host:
        pids = [int(pid) for pid in host.stdout.readline().split()]
        host.send_signal(signal.SIGKILL)
    assert len(pids) == 2
    for pid in pids:
        await_death(pid)


HELPED = """
import signal, sys
from videogen.engines.process.host import RenderProcess
from videogen.engines.process.protocol import RenderJob
render = RenderProcess(RenderJob.model_validate_json(sys.stdin.readline()))
for message in render.messages():
    if message.t == "progress" and message.stage == "waiting":
        print(message.message, flush=True)
        signal.pause()
"""


@linux
def test_what_an_engine_started_is_ended_by_the_next_host_when_its_own_was_killed(job_for):
    with _host(HELPED, job_for("has_helper")) as host:
        helper = int(host.stdout.readline())
        end_orphans()
        assert psutil.pid_exists(helper), "its host lives"
        host.send_signal(signal.SIGKILL)
    # Not counted here: another server on this machine may have been quicker.
    await_death(helper, meanwhile=end_orphans)


@linux
def test_a_renderer_outlives_the_thread_that_started_it(job_for):
    made, may_end = Queue(), threading.Event()

    def start():
        made.put(RenderProcess(job_for("until_cancelled"), grace=30))
        may_end.wait()

    thread = threading.Thread(target=start)
    thread.start()
    with made.get() as render:
        messages = render.messages()
        until(messages, "started")
        may_end.set()
        thread.join()
        until(messages, "preview")
        render.cancel()
        assert list(messages)[-1].t == "cancelled"


@linux
def test_nothing_is_left_behind(job_for):
    def open_files():
        return sorted(os.listdir("/proc/self/fd"))

    before = open_files()
    spare = ProcessPool()
    first = spare.pid
    with RenderProcess(job_for("bars"), spare=spare) as render:
        assert render.pid == first
        assert list(render.messages())[-1].t == "done"
        assert spare.pid != first
    render.close()
    render.cancel()
    render.kill()
    second = spare.pid
    spare.close()
    spare.close()
    assert open_files() == before
    for pid in (first, second):
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, 0)


def test_the_next_spares_are_made_while_nothing_renders(job_for, monkeypatch):
    made = queue.Queue()

    def spawn():
        child = real()
        made.put(child)
        return child

    real = spare_module.spawn
    monkeypatch.setattr(spare_module, "spawn", spawn)
    spare = ProcessPool(ahead=2, quiet=0.01)
    try:
        made.get(timeout=20)
        with RenderProcess(job_for("bars"), spare=spare) as render:
            assert list(render.messages())[-1].t == "done"
        for _ in range(2):
            made.get(timeout=20)
        with RenderProcess(job_for("bars"), spare=spare) as render:
            assert list(render.messages())[-1].t == "done"
            assert spare.pid not in (None, render.pid), "there is one for the next attempt"
            assert made.empty(), "and none was made beside the job"
        made.get(timeout=20)
    finally:
        spare.close()


def test_a_spare_that_died_is_replaced(job_for):
    spare = ProcessPool()
    try:
        os.kill(spare.pid, signal.SIGKILL)
        await_death(spare.pid)
        assert run(job_for("bars"), spare=spare)[-1].t == "done"
    finally:
        spare.close()


def test_secrets_stay_with_the_host(job_for, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDEOGEN_SECRET_KEY", "s3cret")
    engine = tmp_path / "curious.py"
    engine.write_text(
        "import os\n"
        "from videogen.engines.base import RenderFailed\n"
        "from videogen.engines.function import engine\n"
        "@engine('curious')\n"
        "def curious(recipe):\n"
        "    raise RenderFailed(str(os.environ.get('VIDEOGEN_SECRET_KEY')))\n"
    )
    end = run(job_for("bars").model_copy(update={"engine": f"{engine}:curious"}))[-1]
    assert end == protocol.Failed(code="render_failed", message="None")
