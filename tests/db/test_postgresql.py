"""What only PostgreSQL has: several processes that write at the same time, and a server that may be away."""

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import pairwise
from queue import SimpleQueue
from threading import Event

import psycopg
import pytest
from sqlalchemy import text
from sqlmodel import col, func, select

from tests.support.rows import result
from videogen.core.errors import DatabaseAwayError, DatabaseBusyError, StorageError
from videogen.db import postgresql as backend
from videogen.db import write_turns
from videogen.db.backend import contains_text
from videogen.db.database import Database
from videogen.db.operating_tables import ReportRow
from videogen.db.tables import GenerationRow, SessionRow
from videogen.store import Fence, Filter, Progress, Store
from videogen.store.transitions import update_running

pytestmark = [pytest.mark.databases("postgresql"), pytest.mark.timeout(300)]
WRITERS, WRITES = 3, 40


def _progress(step):
    return Progress(step / 10, "rendering", step, 1000, "", None)


def write_progress(url, generation_id):
    """The work of one process: it appends an event, and commits a little later."""
    with closing(Database(url)) as database:
        for step in range(WRITES):
            with database.write(exclusive=False) as unit:
                update_running(unit, generation_id, step, {"step": step}, attempt=1)
                time.sleep(random.uniform(0, 0.01))


def _start_writer(url, generation_id):
    code = f"from tests.db.test_postgresql import write_progress; write_progress({url!r}, {generation_id!r})"
    return subprocess.Popen([sys.executable, "-c", code])


def test_event_ids_rise_in_the_order_of_commits_whatever_number_of_processes_writes(
    database, store, queue, submit, alice
):
    """Whoever has seen an id has seen all below it: the rule on which `Last-Event-ID` rests."""
    leases = [queue.claim("worker") for _ in submit.project(alice, WRITERS)]
    processes = [_start_writer(database.url, lease.generation_id) for lease in leases]
    assert [process.wait(240) for process in processes] == [0] * WRITERS
    # The server notes when each row was committed.
    query = text("SELECT id, pg_xact_commit_timestamp(xmin) FROM events WHERE session_id = :session ORDER BY id")
    with database.read() as session:
        events = session.connection().execute(query, {"session": alice}).all()
    assert len(events) >= WRITERS * (WRITES + 1)
    late = [after.id for before, after in pairwise(events) if after[1] < before[1]]
    assert late == [], "committed before an event with a lower id: a reader that goes on after it never sees that one"


def test_an_event_waits_for_the_commit_of_the_one_before_it_in_its_session_and_for_no_other(
    database, store, queue, submit, alice, bob
):
    rows = submit(alice), submit(alice), submit(bob)
    leases = {lease.generation_id: lease for lease in queue.claim_all("worker", {"bars": 3})}
    fences = [Fence(row.id, leases[row.id].attempt) for row in rows]
    stores = [Store(Database(database.url), store.clock) for _ in range(2)]
    began, commit = Event(), Event()

    def hold():
        with stores[0].database.write(exclusive=False) as unit:
            unit.connection.execute(text(f"SELECT 1 FROM {unit.event_lock}"), {"session_id": alice})
            began.set()
            assert commit.wait(60)

    with ThreadPoolExecutor(2) as threads:
        holding = threads.submit(hold)
        assert began.wait(60)
        stores[1].record_progress(fences[2], _progress(1))
        waiting = threads.submit(stores[1].record_progress, fences[1], _progress(1))
        with psycopg.connect(database.url, autocommit=True) as connection:
            blocked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while connection.execute(blocked).fetchone() == (0,):
                assert not waiting.done(), "it did not wait"
        commit.set()
        waiting.result(60)
        holding.result(60)
    for one in stores:
        one.database.close()


def test_two_exclusive_writes_of_two_processes_run_one_after_the_other(database):
    """What one has read still holds when it commits: limits, idempotency keys and positions rest on that."""
    others = [Database(database.url) for _ in range(4)]

    def add(number):
        with others[number].write() as unit:
            count = len(unit.session.exec(select(SessionRow.id)).all())
            time.sleep(0.02)
            unit.session.add(SessionRow(id=f"ses_{count}", created_at=number))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, range(4)))
    with database.read() as session:
        assert sorted(session.exec(select(SessionRow.id))) == ["ses_0", "ses_1", "ses_2", "ses_3"]
    for other in others:
        other.close()


def test_a_read_sees_one_moment_but_where_it_need_not(database, alice):
    count = select(func.count()).select_from(SessionRow)
    with database.read() as snapshot, database.read(snapshot=False) as plain:
        before = snapshot.exec(count).one(), plain.exec(count).one()
        with database.write() as unit:
            unit.session.add(SessionRow(id="ses_new", created_at=0))
        assert (snapshot.exec(count).one(), plain.exec(count).one()) == (before[0], before[1] + 1)
        held = (
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
        )
        with psycopg.connect(database.url) as connection:
            assert connection.execute(held).fetchone() == (1,), "only the snapshot has a transaction"


def test_a_write_waits_for_another_process_only_so_long(database, monkeypatch):
    monkeypatch.setattr(write_turns, "PATIENCE_SECONDS", 0.2)
    with closing(Database(database.url)) as other:
        with other.write(), pytest.raises(DatabaseBusyError) as caught, database.write():
            pass
        assert (caught.value.status, caught.value.code) == (503, "database_busy")
        assert "Other writes to the database take too long" in caught.value.detail
    own = pytest.raises(DatabaseBusyError, match="in the middle of a large change")
    with database.write(), ThreadPoolExecutor(1) as thread, own:
        thread.submit(database.write().__enter__).result()
    with database.write() as unit:
        unit.session.add(SessionRow(id="ses_a", created_at=0))


def test_a_process_that_freezes_in_a_write_does_not_hold_the_others_and_its_write_is_refused(database, monkeypatch):
    frozen = Database(database.url.replace("?", "?options=-c idle_in_transaction_session_timeout=300ms&"))

    def freeze():
        with frozen.write() as unit:
            unit.session.add(SessionRow(id="ses_frozen", created_at=0))
            unit.flush()
            with database.write() as other:  # waits until the server has ended the frozen transaction
                other.session.add(SessionRow(id="ses_a", created_at=0))

    with pytest.raises(DatabaseAwayError):
        freeze()
    with database.read() as session:
        assert list(session.exec(select(SessionRow.id))) == ["ses_a"]
    frozen.close()


def test_dropped_connections_are_replaced_without_an_error(database):
    with database.read() as session, database.write():
        session.connection().exec_driver_sql("SELECT 1")
    _drop_connections(database)
    with database.write() as unit:
        unit.session.add(SessionRow(id="ses_a", created_at=0))
    with database.read() as session:
        assert list(session.exec(select(SessionRow.id))) == ["ses_a"]


def test_a_connection_that_is_lost_in_a_transaction_is_an_error_with_a_stable_code(database):
    def lose():
        with database.write() as unit:
            unit.session.add(SessionRow(id="ses_a", created_at=0))
            unit.flush()
            _drop_connections(database)

    with pytest.raises(DatabaseAwayError) as caught:
        lose()
    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (503, "database_away", 2)
    with database.read() as session:
        assert list(session.exec(select(SessionRow.id))) == []


def _drop_connections(database):
    drop = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    drop += " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(drop)


def test_a_server_that_is_away_is_an_error_with_a_stable_code():
    with closing(Database("postgresql://127.0.0.1:1/none")) as away:
        with pytest.raises(DatabaseAwayError), away.read() as session:
            session.connection()
        with pytest.raises(DatabaseAwayError), away.write():
            pass


def test_more_readers_than_connections_wait_and_then_are_refused(database_url, monkeypatch):
    monkeypatch.setattr(write_turns, "PATIENCE_SECONDS", 0.2)
    with closing(Database(database_url, pool_size=3)) as small, ExitStack() as readers:
        for _ in range(2):
            readers.enter_context(small.read()).connection()
        with pytest.raises(DatabaseBusyError, match="All connections"), small.read() as session:
            session.connection()


def test_a_server_that_takes_no_writes_is_named(database_url):
    read_only = database_url.replace("?", "?options=-c default_transaction_read_only=on&")
    with closing(Database(read_only)) as standby:
        with (
            pytest.raises(StorageError, match=r"It takes no writes: it is a standby") as caught,
            standby.write() as unit,
        ):
            unit.session.add(SessionRow(id="ses_a", created_at=0))
        assert caught.value.status == 507


def test_a_nul_finds_nothing_and_breaks_nothing(store, alice):
    assert store.list_generations(alice, Filter(text="a\0b"), None, 10) == ([], None)
    assert store.has_session("\0") is False


def test_a_search_uses_the_index(database, store, submit, alice, bob):
    row = submit(alice, prompt="an ocean at sunset, 100% calm_sea")
    submit.project(bob, 20, prompt="no such word here")
    found, _ = store.list_generations(alice, Filter(text="OCEAN sunset"), None, 10)
    assert [one.id for one in found] == [row.id]
    for literal, number in (("100%", 1), ("10_%", 0), ("m_s", 1), ("!", 0)):
        assert len(store.list_generations(alice, Filter(text=literal), None, 10)[0]) == number, literal
    query = select(GenerationRow.id).where(contains_text(col(GenerationRow.search_text), "sunset"))
    with database.read() as session:
        connection = session.connection()
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # which a table of a few rows would get
        compiled = query.compile(dialect=connection.dialect)
        plan = connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params).all()
    assert "ix_generations_search" in str(plan)


def test_the_longest_prompt_can_be_stored(store, submit, alice):
    row = submit(alice, prompt="".join(chr(0x4E00 + number * 7 % 20_000) for number in range(100_000)))
    assert store.get_generation(alice, row.id).prompt == row.prompt


def test_numbers_beyond_32_bits_can_be_stored(database, store, queue, submit, alice):
    submit(alice)
    lease = queue.claim("worker")
    progress = Progress(1.0, "rendering", 2**40, 2**41, "", None)
    store.record_progress(Fence(lease.generation_id, lease.attempt), progress)
    assert store.get_generation(alice, lease.generation_id).step == 2**40
    with database.write() as unit:
        unit.connection.exec_driver_sql("SELECT setval('events_id_seq', 5000000000)")
    store.record_progress(Fence(lease.generation_id, lease.attempt), progress)
    with database.read() as session:
        assert session.scalar(text("SELECT max(id) FROM events")) == 5_000_000_001
        assert session.scalar(select(GenerationRow.seq)) == 1


def test_an_error_of_a_statement_is_not_an_error_of_the_server(database):
    assert backend.PostgreSQL(database.url, 2).fault(ValueError()) is None
    with pytest.raises(Exception, match="syntax error"), database.read() as session:
        session.connection().exec_driver_sql("SELEC 1")


def test_what_the_operator_sees_of_all_sessions(store, queue, submit, alice, bob):
    first, second = submit(alice), submit(bob)
    queue.finish(queue.claim("worker"), result(first))
    for words in ("not mine", "still not mine"):
        store.clock.now += 1
        report = ReportRow(id=words, generation_id=second.id, words=words, created_at=store.clock())
        store.add_report(report)
    assert [(row.id, count, words) for row, count, words in store.list_reported(5)] == [
        (second.id, 2, "still not mine")
    ]
    assert [(one.engine, one.state, one.count) for one in store.active_counts()] == [("bars", "queued", 1)]
    totals = store.totals()
    assert (totals.files, totals.file_bytes, type(totals.file_bytes)) == (2, 2468, int)
    uses = {use.id: (use.generations, use.recent, use.active, use.bytes, use.files) for use in store.session_uses(0.0)}
    assert uses == {alice: (1, 1, 0, 2468, 2), bob: (1, 1, 1, 0, 0)}
    assert store.outcomes(0.0)["bars"].statuses == {"completed": 1}
    assert [row.id for row in store.list_active(5)] == [second.id]
    assert type(store.stored_bytes()) is int
    assert store.newest_time() == second.created_at
    assert store.database.sizes()["database"] > 1_000_000


def test_only_what_may_be_lost_with_the_power_does_not_wait_for_the_disk(database, store, submit, alice):
    database.signal("news", "wakes the connection")

    def waits(**options):
        with database.write(**options) as unit:
            return unit.connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()

    with database.write() as unit:
        unit.connection.exec_driver_sql("SET synchronous_commit = on")  # the server of the tests has it off
    assert (waits(), waits(exclusive=False), waits(durable=False), waits()) == ("on", "on", "off", "on")


def test_a_text_with_signs_that_sql_knows_arrives_as_it_is(database):
    texts, got = ["it's", '"%s" %% \\', "'; DROP TABLE events; --", "\\'"], SimpleQueue()
    database.subscribe("signs", got.put)
    with database.write() as unit:
        for one in texts:
            unit.notify("signs", one)
    assert [got.get(timeout=60) for _ in texts] == texts
