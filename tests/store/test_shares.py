"""Share links in the database."""

import pytest
from sqlalchemy import Engine, event

from videogen.core.errors import NotFoundError

pytestmark = pytest.mark.databases("sqlite", "postgresql")

VALUES = {"expires_at": None, "indexable": False}


def test_a_lookup_does_the_same_work_for_every_slug_so_that_its_time_tells_nothing(store, alice, submit, clock):
    def share(**values):
        row = submit(alice)
        return row, store.put_share(alice, row.id, VALUES | values)[0].slug

    def work(slug):
        """The statements of one lookup, without their values."""
        statements = []
        record = lambda _connection, _cursor, statement, *_: statements.append(statement)  # noqa: E731
        event.listen(Engine, "before_cursor_execute", record)
        try:
            found = store.find_share(slug)
        except NotFoundError:
            found = None
        finally:
            event.remove(Engine, "before_cursor_execute", record)
        return found is not None, statements

    _, alive = share()
    revoked_row, revoked = share()
    store.end_share(alice, revoked_row.id)
    _, expired = share(expires_at=clock.now + 1)
    clock.now += 2
    near = alive[:-1] + ("A" if alive[-1] != "A" else "B")

    found, expected = work(alive)
    assert found
    assert len([statement for statement in expected if statement.startswith("SELECT")]) == 1
    for slug in (revoked, expired, near, "x" * 24, ""):
        assert work(slug) == (False, expected), slug
