"""What only the common queue on PostgreSQL has: permissions, workers for some engines, and many processes.

Each `Database` stands for a process; where a process must be killed or frozen, it is a real one.
"""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event

import psycopg
import pytest
from procrastinate.schema import SchemaManager
from sqlalchemy import text

from tests.support.published import Published
from tests.support.queues import make_queue
from tests.support.rows import Clock, result
from videogen.core.errors import StaleWriteError
from videogen.db.database import Database
from videogen.jobs.procrastinate_queue import ProcrastinateQueue
from videogen.store import Fence, Progress, Store, permissions
from videogen.store.operator_state import Act
from videogen.store.queue_order import count_startable

pytestmark = [pytest.mark.databases("postgresql"), pytest.mark.timeout(120)]
TIMEOUT = 20
LONG_ID = "diffusers:an-organisation/a-model-with-a-very-long-name-14B"


@pytest.fixture
def another(database, clock):
    """The queue of one more process; leases in the test's clock, unless `real`."""
    with ExitStack() as stack:

        def make(its_clock=clock, real=False, **options):
            store = Store(stack.enter_context(closing(Database(database.url))), its_clock)
            return ProcrastinateQueue(store, 10, **options) if real else make_queue(store, its_clock, **options)

        yield make


def _waiting(database):
    with database.read() as session:
        return permissions.waiting(session.connection())


def _startable(database):
    with database.read() as session:
        return dict(count_startable(session.connection()))


def _jobs(database):
    with database.read() as session:
        tables = ("procrastinate_jobs", "procrastinate_events")
        return [session.connection().scalar(text(f"SELECT count(*) FROM {table}")) for table in tables]


# Permissions


def test_a_submit_brings_its_permissions_and_a_rollback_takes_them_along(database, store, submit, alice):
    submit.project(alice, 2)
    submit(alice, engine="slow")
    assert _waiting(database) == {"bars": 2, "slow": 1}

    def fail():
        with database.write() as unit:
            permissions.top_up(unit, {"bars": 5})
            raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError, match="rolled back"):
        fail()
    assert _waiting(database) == {"bars": 2, "slow": 1}


def test_each_start_uses_up_one_permission_of_its_engine_and_leaves_no_row(queue, database, submit, alice):
    submit.project(alice, 3)
    submit(alice, engine="slow")
    leases = queue.claim_all("worker", {"bars": 2, "slow": 0})
    assert len(leases) == 2
    assert _waiting(database) == {"bars": 1, "slow": 1}
    queue.claim_all("worker", {"bars": 5, "slow": 5})
    assert _jobs(database) == [0, 0]


CHANGES = {
    "the owner pauses and goes on": lambda queue, store, owner, row: (
        store.pause_queue(owner, paused=True),
        queue.claim("worker", (), ["slow"]),
        store.pause_queue(owner, paused=False),
    ),
    "its lease is lost": lambda queue, store, owner, row: queue.lose(queue.claim("worker"), "Gone."),
    "the worker stops": lambda queue, store, owner, row: queue.lose(queue.claim("worker"), "It stops.", count=False),
    "it is moved": lambda queue, store, owner, row: store.move_generation(owner, row.id, None),
    "another one is cancelled": lambda queue, store, owner, row: store.cancel_generation(owner, row.id),
    "its engine is held and released": lambda queue, store, owner, row: (
        store.hold_engines({"bars": "No device."}),
        queue.claim("worker", (), ["bars"]),
        store.hold_engines({}),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_that_may_start_has_a_permission_whatever_changed(queue, store, database, submit, alice, change):
    rows = submit.project(alice, 3)
    CHANGES[change](queue, store, alice, rows[0])
    startable = _startable(database)
    assert startable["bars"] >= 2
    assert _waiting(database).get("bars", 0) >= startable["bars"]
    served = 0
    while queue.claim("worker") is not None:
        served += 1
    assert served == startable["bars"]
    assert _jobs(database) == [0, 0], "those for which nothing was left have ended"


def test_a_permission_for_which_nothing_waits_ends_without_a_trace(queue, store, database, submit, alice):
    row = submit(alice)
    store.cancel_generation(alice, row.id)
    assert _waiting(database) == {"bars": 1}
    assert queue.claim("worker") is None
    assert _jobs(database) == [0, 0]


def test_a_worker_of_some_engines_takes_and_ends_nothing_that_waits_for_others(another, store, database, submit, alice):
    slow, quick = submit(alice, engine="slow"), submit(alice, engine="quick")
    cancelled = submit(alice, engine="slow")
    store.cancel_generation(alice, cancelled.id)
    queue = another(engines=["quick"])
    assert [lease.generation_id for lease in queue.claim_all("worker", {"quick": 5})] == [quick.id]
    assert queue.claim_all("worker", {"quick": 5}) == []
    assert queue.claim("worker") is None
    queue.supervise()
    assert store.get_generation(alice, slow.id).status == "queued"
    assert _waiting(database) == {"slow": 2}
    assert another(engines=["slow"]).claim("worker").generation_id == slow.id


def test_what_waits_without_a_permission_starts_after_the_next_supervision(queue, database, submit, alice):
    rows = submit.project(alice, 2)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DELETE FROM procrastinate_jobs")
    assert queue.claim("worker") is None
    queue.supervise()
    assert _waiting(database) == {"bars": 2}
    queue.supervise()
    assert _waiting(database) == {"bars": 2}
    assert [queue.claim("worker").generation_id for _ in rows] == [row.id for row in rows]


def test_an_engine_may_have_an_id_of_any_length(queue, database, submit, alice):
    row = submit(alice, engine=LONG_ID)
    other = submit(alice, engine=LONG_ID + "-fp8")
    assert len(_waiting(database)) == 2, "each has a queue of its own"
    assert queue.claim("worker", (), [LONG_ID]).generation_id == other.id
    assert queue.claim("worker", (), []).generation_id == row.id


def test_nothing_starts_while_the_operator_holds_the_queue_and_a_release_wakes_every_process(
    queue, another, store, database, submit, alice
):
    row = submit(alice)
    store.set_operator_state(Act("boss", "pause"), paused=True)
    assert queue.claim("worker") is None
    assert _waiting(database) == {"bars": 1}
    other = another()
    Published(other._database)  # what was sent before has arrived
    seen = other.wait(0, 0.0)
    store.set_operator_state(Act("boss", "resume"), paused=False)
    assert other.wait(seen, TIMEOUT) != seen
    assert other.claim("another").generation_id == row.id


def _wait_for_work(queue):
    seen = 0
    while (lease := queue.claim("another")) is None:
        before, seen = seen, queue.wait(seen, TIMEOUT)
        assert seen != before, "nothing woke it"
    return lease


def test_the_schema_of_procrastinate_is_the_one_that_the_migrations_bring():
    """With a newer one, add a migration that runs the SQL of its new files, then change the name here."""
    assert (
        max(Path(SchemaManager.get_migrations_path()).glob("*.sql")).name
        == "03.04.00_50_post_add_retry_failed_job_procedure.sql"
    )


# Several processes


def test_a_submit_in_one_process_wakes_the_workers_of_its_engine_in_all_others(another, store, submit, alice):
    quick, slow = another(engines=["quick"]), another(engines=["slow"])
    with ThreadPoolExecutor(1) as threads:
        woken = threads.submit(_wait_for_work, quick)
        row = submit(alice, engine="quick")
        assert woken.result(TIMEOUT).generation_id == row.id
    assert slow.wait(0, 0.0) == 0, "a worker of another engine sleeps on"


def test_a_cancel_reaches_the_worker_of_another_process(another, store, submit, alice):
    row, cancelled = submit(alice), Event()
    worker = another()
    worker.watch_cancels(lambda generation_id: cancelled.set() if generation_id == row.id else None)
    assert worker.claim("worker").generation_id == row.id
    store.cancel_generation(alice, row.id)
    assert cancelled.wait(TIMEOUT)


def test_a_cancel_of_which_no_signal_came_is_seen_at_the_next_renewal(queue, store, database, submit, alice):
    rows, signals = submit.project(alice, 2), []
    queue.claim_all("worker", {})
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("UPDATE generations SET cancel_requested = true WHERE id = %s", (rows[0].id,))
    queue.watch_cancels(signals.append)
    queue.renew("another", [rows[0].id])
    assert signals == [], "it is not this owner's"
    queue.renew("worker", [row.id for row in rows])
    assert signals == [rows[0].id]


def test_an_expired_lease_is_taken_back_by_whoever_supervises(another, store, submit, alice, clock):
    row = submit(alice)
    lease = another().claim("worker")
    supervisor = another(engines=["others"])
    supervisor.supervise()
    assert store.get_generation(alice, row.id).status == "processing", "its lease holds"
    clock.now += 11
    supervisor.supervise()
    back = store.get_generation(alice, row.id)
    assert (back.status, back.lost, back.queue_position) == ("queued", 1, 1)
    with pytest.raises(StaleWriteError):
        store.complete(Fence(row.id, lease.attempt), result(row))


def test_a_start_takes_nothing_from_others(another, store, submit, alice):
    row = submit(alice)
    another().claim("worker")
    assert another().recover() == 0
    assert store.get_generation(alice, row.id).status == "processing"


@pytest.mark.parametrize("seconds", [-60, 60])
def test_hosts_whose_clocks_are_a_minute_apart_take_no_lease_from_each_other(another, submit, alice, bob, seconds):
    """The leases are in the clock of the database."""
    first, second = another(Clock(time.time()), real=True), another(Clock(time.time() + seconds), real=True)
    submit.project(alice, 2), submit.project(bob, 2)
    taken = [queue.claim(f"worker-{number}") for number, queue in enumerate([first, second, first, second])]
    for queue in (first, second):
        queue.supervise()
        assert queue.claim("another") is None
    assert len({lease.generation_id for lease in taken}) == 4
    assert [lease.attempt for lease in taken] == [1] * 4
    assert [lease.session_id for lease in taken] in ([alice, bob] * 2, [bob, alice] * 2), "sessions take turns"


_WORKER = """
import sys, time
from tests.jobs.test_procrastinate_queue import work
work(*sys.argv[1:])
"""


def work(url, owner, task):
    """A worker process: it claims all that it gets, or one to be frozen with."""
    with closing(Database(url)) as database:
        queue = ProcrastinateQueue(Store(database, time.time), 1 if task == "freeze" else 60)
        print("ready", flush=True)
        sys.stdin.readline()
        if task == "claim":
            while (lease := queue.claim(owner)) is not None:
                print(lease.generation_id, flush=True)
            return
        lease = queue.claim(owner)
        print(lease.generation_id, flush=True)
        sys.stdin.readline()
        fence = Fence(lease.generation_id, lease.attempt)
        late = Progress(99.0, "rendering", 99, 100, "", None)
        for write in (
            lambda: queue.renew(owner, [lease.generation_id]),
            lambda: queue.lose(lease, "Too late."),
            lambda: queue._store.record_progress(fence, late),
            lambda: queue._store.record_checkpoint(fence, {"step": 99}),
            lambda: queue._store.fail(fence, "late", "", retryable=False),
        ):
            try:
                write()
                print("written", flush=True)
            except StaleWriteError:
                print("refused", flush=True)


@pytest.fixture
def worker_process(database):
    processes = []

    def start(owner, task):
        process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, database.url, owner, task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def _go(process):
    process.stdin.write("go\n")
    process.stdin.flush()


def test_two_processes_that_claim_at_once_never_get_the_same_one(worker_process, database, submit, alice, bob):
    expected = sorted(row.id for row in submit.project(alice, 30) + submit.project(bob, 30))
    workers = [worker_process(name, "claim") for name in ("one", "two")]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        _go(worker)
    taken = [worker.communicate(timeout=60)[0].split() for worker in workers]
    assert sorted(taken[0] + taken[1]) == expected
    assert all(taken), "both got some"
    assert _jobs(database) == [0, 0]


def test_the_late_writes_of_a_frozen_worker_are_refused(worker_process, another, store, submit, alice):
    row = submit(alice)
    frozen = worker_process("frozen", "freeze")
    assert frozen.stdout.readline() == "ready\n"
    _go(frozen)
    assert frozen.stdout.readline() == f"{row.id}\n"
    os.kill(frozen.pid, signal.SIGSTOP)
    queue = another(real=True)
    deadline = time.monotonic() + TIMEOUT
    while (lease := queue.claim("another")) is None:  # its lease of a second expires by the database's clock
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (lease.generation_id, lease.attempt) == (row.id, 2)
    before = store.get_generation(alice, row.id)
    os.kill(frozen.pid, signal.SIGCONT)
    _go(frozen)
    # Neither the renewal nor the return is an error; they change nothing.
    assert frozen.communicate(timeout=60)[0].split() == ["written"] * 2 + ["refused"] * 3
    assert store.get_generation(alice, row.id) == before
