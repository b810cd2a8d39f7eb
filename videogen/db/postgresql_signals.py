"""What a commit tells, to all processes that use one PostgreSQL: by NOTIFY in the transaction, and one LISTEN here.

NOTIFY delivers at the commit, in the order of commits, and only to who listens at that moment. So after a break every
channel gets an empty message: what was sent meanwhile is lost, events included, and has to be read from the database.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, repeat
from typing import Any, Final

import orjson
import psycopg
from psycopg import sql
from sqlalchemy import Connection
from sqlalchemy.engine.url import URL

from videogen.core.errors import DatabaseAwayError
from videogen.db.signals import Message, StoredEvent, Subject, Subscribers
from videogen.schemas.events import RECORDS

CHANNEL: Final = "videogen"
MOST_BYTES: Final = 7_900
"""Of one notification; PostgreSQL allows 7,999."""
_RETRY_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
_CHECK_SECONDS: Final = 5.0
"""A connection that was silent for so long is asked whether it is still there."""
logger = logging.getLogger(__name__)


class PostgreSQLSignals:
    """See `db.signals.Signals`. One connection and one thread, which begin with the first subscriber."""

    def __init__(self, url: URL, options: dict[str, Any], subscribers: Subscribers) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._options, self._subscribers = options, subscribers
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection[Any] | None = None
        self._begun: list[StoredEvent] = []
        """The events of a commit of which more are to come."""
        self._closing = threading.Event()

    def start(self) -> None:
        with self._lock:
            if self._thread is not None or self._closing.is_set():
                return
            try:
                self._connect()
            except psycopg.Error as problem:
                raise DatabaseAwayError from problem
            self._thread = threading.Thread(target=self._run, name="signals", daemon=True)
            self._thread.start()

    def send(self, connection: Connection, events: list[StoredEvent], messages: list[Message]) -> None:
        texts = [*_packed(events), *(_encode(_MESSAGE, *message) for message in messages)]
        if texts:
            # As JSON: for an array the driver would take apart each text. With the commit: one message less.
            quoted = sql.quote(orjson.dumps(texts).decode(), connection.connection.driver_connection)
            connection.exec_driver_sql(_NOTIFY_AND_COMMIT.replace("TEXTS", quoted.replace("%", "%%")))

    def committed(self, events: list[StoredEvent], messages: list[Message]) -> None:
        """Nothing to do: this process listens as the others do."""

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            connection, thread = self._connection, self._thread
        if connection is not None and not connection.closed:
            with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as link:
                link.shutdown(socket.SHUT_RDWR)  # ends the wait of the thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_CHECK_SECONDS)

    def _connect(self) -> None:
        connection = psycopg.connect(self._dsn, autocommit=True, **self._options)
        connection.execute(f"LISTEN {CHANNEL}")
        self._connection = connection

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                if self._connection is None:
                    self._reconnect()
                else:
                    self._receive(self._connection)
            except (psycopg.Error, OSError) as problem:
                if not self._closing.is_set():
                    logger.warning("The connection that listens to PostgreSQL was lost: %s", str(problem).strip())
                self._drop()
        self._drop()

    def _drop(self) -> None:
        connection, self._connection, self._begun = self._connection, None, []
        if connection is not None:
            connection.close()

    def _reconnect(self) -> None:
        """Listen again, as soon as the server is there; then let everybody know that something may be lost."""
        for seconds in chain(_RETRY_SECONDS, repeat(_RETRY_SECONDS[-1])):
            if self._closing.wait(seconds):
                return
            with suppress(psycopg.Error, OSError):
                self._connect()
                break
        for channel in list(self._subscribers.channels):
            # One by one: what fails for one channel must not keep the others from hearing of it.
            self._call([], [Message(channel, "")])
        logger.warning("PostgreSQL is listened to again.")

    def _receive(self, connection: psycopg.Connection[Any]) -> None:
        """Pass on what comes for some seconds, then look whether the connection is still there."""
        for notice in connection.notifies(timeout=_CHECK_SECONDS):
            kind, *rest = orjson.loads(notice.payload)
            if kind == _MESSAGE:
                self._call([], [Message(*rest)])
                continue
            if not self._subscribers.listeners:
                continue  # a worker has no use for events
            is_last, *rows = rest
            self._begun += map(_stored, rows) if kind == _EVENTS else self._read(rows)
            if is_last:
                # The time may be over in the middle of a commit: the next call goes on with it.
                events, self._begun = self._begun, []
                self._call(events, [])
        connection.execute("SELECT 1")

    def _read(self, ids: list[int]) -> Iterator[StoredEvent]:
        # On another connection: this one is in the middle of its notifications.
        with psycopg.connect(self._dsn, autocommit=True, **self._options) as other:
            return map(_stored, other.execute(f"{_SELECT} WHERE id = ANY(%s) ORDER BY id", (ids,)).fetchall())

    def _call(self, events: list[StoredEvent], messages: list[Message]) -> None:
        try:
            self._subscribers.pass_on(events, messages)
        except Exception:  # the thread must not end
            logger.exception("What was committed could not be passed on.")


_NOTIFY_AND_COMMIT: Final = f"SELECT pg_notify('{CHANNEL}', text) FROM json_array_elements_text(TEXTS) AS text; COMMIT"  # noqa: S608 - our name
_EVENTS: Final = "events"
_LONG: Final = "long"
"""Only the ids of events, since they are too long for a notification."""
_MESSAGE: Final = "message"
_SELECT: Final = "SELECT id, session_id, project_id, generation_id, type, data FROM events"


def _packed(events: Sequence[StoredEvent]) -> Iterator[str]:
    """The events of one commit as few notifications, of which the last one has `true` after its kind."""
    pending: list[bytes] = []
    for event in events:
        row = orjson.dumps(_row(event))
        if len(row) > MOST_BYTES - 100:
            yield from _flushed(pending, is_last=False)
            yield _encode(_LONG, event is events[-1], event.id)
            pending = []
            continue
        if pending and sum(map(len, pending)) + len(pending) + len(row) > MOST_BYTES - 20:
            yield from _flushed(pending, is_last=False)
            pending = []
        pending.append(row)
    yield from _flushed(pending, is_last=True)


def _flushed(rows: list[bytes], *, is_last: bool) -> Iterator[str]:
    if rows:
        yield _encode(_EVENTS, is_last, *map(orjson.Fragment, rows))


def _encode(kind: str, *parts: object) -> str:
    return orjson.dumps([kind, *parts]).decode()


def _row(event: StoredEvent) -> tuple[Any, ...]:
    owner = (event.session_id, event.project_id, event.generation_id)
    subject = event.subject and tuple(event.subject)
    return (event.id, *owner, event.type, event.data.model_dump(mode="json", by_alias=True), subject)


def _stored(row: Sequence[Any]) -> StoredEvent:
    event_id, session_id, project_id, generation_id, kind, data, *subject = row
    record = RECORDS[kind].model_validate(data, extra="ignore")
    known = Subject(*subject[0]) if subject and subject[0] else None
    return StoredEvent(event_id, session_id, project_id, generation_id, kind, record, known)
