"""Spare children: when they are made, for which engine, and what happens to one that died."""

import os
import queue
import signal
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.renderers import await_death, until
from videogen.engines.process import pool as pool_module
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool

STAYS = f"{Path(__file__).with_name('modes.py')}:stays"


@pytest.fixture
def spawned(monkeypatch):
    """The engines of all children that pools have started, in a queue."""
    engines, spawn = queue.Queue(), pool_module.spawn

    def spy(engine):
        child = spawn(engine)
        engines.put(engine)
        return child

    monkeypatch.setattr(pool_module, "spawn", spy)
    return engines


def test_a_spare_is_started_with_the_first_picture_and_all_of_them_when_nothing_renders(job_for, spawned):
    job = job_for("bars")
    with closing(ProcessPool(spares=2, quiet=0.01)) as pool:
        pool.prepare(job.engine)
        assert spawned.get() == job.engine
        with RenderHandle(job, pool) as render:
            messages = render.messages()
            until(messages, "preview")
            assert spawned.get(timeout=20) == job.engine, "there is one for the next attempt"
            assert list(messages)[-1].t == "done"
            assert spawned.empty(), "no other was made beside the job"
        assert spawned.get(timeout=20) == job.engine


def test_a_spare_serves_only_its_engine_and_makes_way_for_the_engine_used_last(job_for, spawned):
    first, second = job_for("bars"), job_for("steady")
    with closing(ProcessPool(spares=1)) as pool:
        pool.prepare(first.engine)
        spare = pool.spare_pid(first.engine)
        with RenderHandle(second, pool) as render:
            assert render.pid != spare
            assert list(render.messages())[-1].t == "done"
        await_death(spare)
        assert pool.spare_pid(first.engine) is None
        assert pool.spare_pid(second.engine) is not None


def test_a_spare_that_died_is_replaced(job_for):
    job = job_for("bars")
    with closing(ProcessPool(spares=1)) as pool:
        pool.prepare(job.engine)
        spare = pool.spare_pid(job.engine)
        os.kill(spare, signal.SIGKILL)
        await_death(spare)
        with RenderHandle(job, pool) as render:
            assert render.pid != spare
            assert list(render.messages())[-1].t == "done"


def test_a_spare_has_imported_what_its_engine_names(tmp_path):
    (tmp_path / "slow_to_import.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').write('imported')\n")
    (tmp_path / "own.py").write_text(
        "from videogen.engines import ProcessPolicy, engine\n"
        "@engine('own')\n"
        "def own(recipe):\n"
        "    yield\n"
        "own.process = ProcessPolicy(imports=('slow_to_import',), environment=('DONE',))\n"
    )
    os.mkfifo(tmp_path / "imported")
    with pytest.MonkeyPatch.context() as patch, closing(ProcessPool(spares=1)) as pool:
        patch.syspath_prepend(tmp_path)
        pool.prepare(f"{tmp_path / 'own.py'}:own")
        # Waits until the spare has written and closed it, without any job.
        assert (tmp_path / "imported").read_text() == "imported"


def test_a_child_that_stays_has_one_timer_however_many_jobs_it_has_had(job_for, monkeypatch):
    timers, start = [], pool_module.start_timer

    def spy(seconds, action):
        timers.append(start(seconds, action))
        return timers[-1]

    monkeypatch.setattr(pool_module, "start_timer", spy)
    job = job_for("steady").model_copy(update={"engine": STAYS})
    job.recipe.settings["behaviour"] = "steady"
    with closing(ProcessPool()) as pool:
        for attempt in range(3):
            with RenderHandle(job.model_copy(update={"attempt": attempt + 1}), pool) as render:
                assert list(render.messages())[-1].t == "done"
        for timer in timers[:-1]:
            timer.join(20)
        assert [timer.is_alive() for timer in timers] == [False, False, True]
    timers[-1].join(20)
