"""No renderer, and nothing that a renderer has started, outlives the host."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.renderers import await_death
from videogen.engines.base import RenderLost
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.spawn import end_orphans

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs pidfd and PDEATHSIG")

HOST = """
import signal, sys
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.protocol import RenderJob
job = RenderJob.model_validate_json(sys.stdin.readline())
pool = ProcessPool(spares=1)
pool.prepare(job.engine)
spare = pool.spare_pid(job.engine)
render = RenderHandle(job, pool)
for message in render.messages():
    if message.t == "preview":
        print(render.pid, pool.spare_pid(job.engine), flush=True)
        signal.pause()
    if message.t == "progress" and message.stage == "waiting":
        print(message.message, flush=True)
        signal.pause()
"""


@pytest.fixture
def host_of():
    """Starts a process that hosts a render, and prints process ids."""

    def start(job):
        host = subprocess.Popen(
            [sys.executable, "-c", HOST],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        host.stdin.write(job.model_dump_json(by_alias=True) + "\n")
        host.stdin.flush()
        return host

    return start


def test_renderers_end_with_their_host(host_of, job_for):
    with host_of(job_for("ignores_cancel")) as host:
        pids = [int(pid) for pid in host.stdout.readline().split()]
        host.send_signal(signal.SIGKILL)
    assert len(pids) == 2, "the renderer and a spare"
    for pid in pids:
        await_death(pid)


def test_a_process_that_an_engine_started_ends_with_the_renderer(start, job_for):
    with start(job_for("has_children")) as render:
        messages = render.messages()
        grandchild = int(next(m.message for m in messages if m.t == "progress" and m.stage == "waiting"))
        with pytest.raises(RenderLost):
            list(messages)
    await_death(grandchild)


def test_a_process_that_an_engine_started_is_ended_by_the_next_host_after_its_own_was_killed(host_of, job_for):
    with host_of(job_for("has_helper")) as host:
        helper = int(host.stdout.readline())
        end_orphans()
        assert psutil.pid_exists(helper), "its host is alive"
        host.send_signal(signal.SIGKILL)
    # The result is not counted: another server on this machine may have been quicker.
    await_death(helper, meanwhile=end_orphans)


def test_no_descriptor_and_no_zombie_is_left(job_for):
    def open_files():
        return sorted(os.listdir("/proc/self/fd"))

    before = open_files()
    job = job_for("bars")
    pool = ProcessPool(spares=1)
    pool.prepare(job.engine)
    first = pool.spare_pid(job.engine)
    with RenderHandle(job, pool) as render:
        assert render.pid == first
        assert list(render.messages())[-1].t == "done"
        assert pool.spare_pid(job.engine) != first
    render.close()
    render.cancel()
    render.kill()
    second = pool.spare_pid(job.engine)
    pool.close()
    pool.close()
    assert open_files() == before
    for pid in (first, second):
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, 0)
