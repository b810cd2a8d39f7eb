"""What was published so far, at the moment when a test looks."""

from collections.abc import Sequence
from threading import Event

TIMEOUT = 20
"""Seconds after which a wait has failed."""


class Published(Sequence):
    """The events of all commits from now on. PostgreSQL delivers a moment later: whoever looks waits for it."""

    __hash__ = None

    def __init__(self, database):
        self._events, self._database, self._arrived = [], database, Event()
        database.listen(self._events.extend)
        database.subscribe("published", lambda _text: self._arrived.set())
        self.clear()  # of earlier commits, where somebody listens already

    def all(self):
        self._arrived.clear()
        self._database.signal("published", "")  # it comes after everything that was committed before
        assert self._arrived.wait(TIMEOUT)
        return self._events

    def clear(self):
        self.all().clear()

    def __getitem__(self, index):
        return self.all()[index]

    def __len__(self):
        return len(self.all())

    def __iter__(self):
        return iter(list(self.all()))

    def __eq__(self, other):
        return list(self) == list(other)
