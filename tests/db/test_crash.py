"""A PostgreSQL server that crashes loses the commits that did not wait for the disk; listeners have heard of them."""

from contextlib import closing

import pytest

from tests.support.rows import Clock, Submitter
from videogen.db.database import Database
from videogen.db.migrate import migrate
from videogen.jobs.queue import EmbeddedQueue
from videogen.store import Fence, Progress, Store

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(120)]


@pytest.fixture
def server(postgresql):
    """It writes nothing down by itself; `postgresql` sees that there is one to run."""
    from tests.support.own_postgresql import OwnServer

    server = OwnServer(wal_writer_delay="10s", bgwriter_delay="10s", checkpoint_timeout="1h")
    server.start()
    with server.connect() as connection:
        connection.execute("CREATE DATABASE videogen TEMPLATE template0")
    migrate(server.url("videogen"))
    yield server
    server.close()


class Worker:
    """One process that renders one generation."""

    def __init__(self, url):
        self.database = Database(url)
        self.store = Store(self.database, Clock())
        self.session = self.store.create_session()[0]
        row = Submitter(self.store)(self.session)
        EmbeddedQueue(self.store, lease_seconds=10, max_attempts=3, steady=Clock().steady).claim("worker")
        self.fence = Fence(row.id, 1)

    def progress(self, step):
        """Store some, and return the number of its event."""
        self.store.record_progress(self.fence, Progress(float(step), "rendering", step, 1000, "", None))
        return self.newest()

    def newest(self):
        return self.store.open_scope(self.session, ("session", self.session), 0).backlog[-1].id


def last_given(server):
    """The last number that the server knows to have given, and how many more it may give without writing it down."""
    with server.connect(server.url("videogen")) as connection:
        return connection.execute("SELECT last_value, log_cnt FROM events_id_seq").fetchone()


def lose_a_number(server, worker):
    """Crash right after a number was given of which nothing is written down yet; return it."""
    for step in range(1, 500):
        told = worker.progress(step / 5)
        if last_given(server)[1] == 32:  # the others after it are covered by what is written next
            server.kill()
            server.start()
            if last_given(server)[0] < told:
                return told
    raise AssertionError("nothing was lost: this test would show nothing")


def test_no_event_number_is_given_twice_after_a_crash(server):
    worker, other = Worker(server.url("videogen")), Database(server.url("videogen"))
    with closing(worker.database), closing(other):
        told = lose_a_number(server, worker)
        stream = Store(other, Clock()).open_scope(worker.session, ("session", worker.session), told)
        assert stream.resumed_after == told, "a stream goes on after what it was told"
        assert worker.progress(101) > told


def test_a_restart_leaves_no_gap(server):
    worker = Worker(server.url("videogen"))
    with closing(worker.database):
        told = worker.progress(1)
        server.stop()
        server.start()
        assert worker.progress(2) == told + 1
