"""Links to zips of chosen generations: how many there may be, and that every process knows them."""

import pytest

from tests.support.rows import result
from videogen.core.errors import NotFoundError
from videogen.core.in_use import InUse
from videogen.schemas.history import Chosen
from videogen.services.exports import LINK_SECONDS, MAX_LINKS_PER_SESSION, ExportService
from videogen.store import Fence


@pytest.fixture
def link(store, storage, queue, submit):
    """Makes links to the zip of one finished generation of a session; its token."""
    service, made = ExportService(store, storage, InUse()), {}

    def link(session_id):
        if session_id not in made:
            row = submit(session_id)
            queue.claim("worker")
            store.complete(Fence(row.id, 1), result(row))
            made[session_id] = row.id
        return service.create_link(session_id, Chosen(ids=[made[session_id]]), "").url.rpartition("/")[2]

    return link


@pytest.mark.databases("sqlite", "postgresql")
def test_a_session_that_makes_many_links_ends_its_own_and_no_other(store, storage, link, clock, alice, bob):
    others, own = link(bob), []
    for _ in range(MAX_LINKS_PER_SESSION + 2):
        clock.now += 1
        own.append(link(alice))
    exports = ExportService(store, storage, InUse())  # of another process
    for token in (others, *own[2:]):
        exports.open_link(token)
    for token in own[:2]:
        with pytest.raises(NotFoundError):
            exports.open_link(token)
    clock.now += LINK_SECONDS + 1
    store.remove_expired()
    with pytest.raises(NotFoundError, match="expired"):
        exports.open_link(own[-1])
