"""What is queued for an engine that cannot render waits, and shows why. Nothing else is held."""

import pytest

from tests.support.published import Published
from tests.support.rows import generation_row, project_row
from videogen.core.errors import LimitExceededError
from videogen.schemas.status import ENGINE_UNAVAILABLE
from videogen.store import Limits

REASON = "There is no folder wan."


@pytest.fixture
def shown(store, alice):
    """Stage and message of a generation."""

    def read(row):
        found = store.get_generation(alice, row.id)
        return found.stage, found.message

    return read


def test_it_shows_the_reason_of_its_engine_until_the_engine_can_render_again(store, submit, alice, shown, database):
    mine, other = submit(alice, engine="wan"), submit(alice)
    events = Published(database)
    for _ in range(2):
        store.hold_engines({"wan": REASON, "ltx": "No key."})
    assert (shown(mine), shown(other)) == ((ENGINE_UNAVAILABLE, REASON), ("queued", ""))
    assert [(event.generation_id, event.data.message) for event in events] == [(mine.id, REASON)], (
        "it is published once"
    )
    store.hold_engines({"ltx": "No key."})
    assert shown(mine) == ("queued", "")


def test_a_full_disk_and_a_paused_queue_leave_the_reason_as_it_is(store, submit, alice, shown):
    mine, other = submit(alice, engine="wan"), submit(alice)
    store.hold_engines({"wan": REASON})
    store.hold_queue("no space")
    assert (shown(mine)[0], shown(other)[0]) == (ENGINE_UNAVAILABLE, "waiting")
    store.release_queue()
    assert (shown(mine)[0], shown(other)[0]) == (ENGINE_UNAVAILABLE, "queued")
    store.pause_queue(alice, paused=True)
    store.hold_engines({"wan": REASON})
    assert (shown(mine)[0], shown(other)[0]) == ("paused", "paused"), "the owner's own decision comes first"


def test_it_does_not_fill_the_queue_for_others(store, submit, alice, bob):
    submit(alice, engine="wan")

    def submit_of_bob():
        project = project_row(bob, store.clock())
        return store.create_project(project, [generation_row(project)], Limits(10, 100, 1))

    with pytest.raises(LimitExceededError):
        submit_of_bob()
    store.hold_engines({"wan": REASON})
    assert submit_of_bob()[1]
