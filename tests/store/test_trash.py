"""Deletion that can be undone: out of sight at once, back whole, or removed for good in time."""

import pytest

from tests.support.rows import PLENTY, file_row, generation_row, project_row, result, upload_row
from videogen.core.errors import NotFoundError
from videogen.core.text import fold
from videogen.store import Fence, Filter
from videogen.store.portability import ImportedGeneration

pytestmark = pytest.mark.databases("sqlite", "postgresql")

ANY = Filter()


@pytest.fixture
def done(store, queue, submit, alice):
    """Makes completed generations, and tells their results."""

    def make(**values):
        row = submit(alice, **values)
        queue.claim("worker")
        made = result(row)
        store.complete(Fence(row.id, 1), made)
        return store.get_generation(alice, row.id), made

    return make


def ids(store, session_id, wanted=ANY):
    return [row.id for row in store.list_generations(session_id, wanted, None, 100)[0]]


def test_a_trashed_generation_is_hidden_everywhere_and_can_be_restored_unchanged(store, alice, clock, done):
    row, made = done(type="image", title="Mine", favorite=True)
    kept, _ = done()
    share, _ = store.put_share(alice, row.id, {})
    before = store.open_scope(alice, ("session", alice), 0)
    assert store.trash(alice, [row.id], clock.now + 60).until == {row.id: clock.now + 60}

    hidden = [
        lambda: store.get_generation(alice, row.id),
        lambda: store.patch_generation(alice, row.id, {"title": "other"}),
        lambda: store.cancel_generation(alice, row.id),
        lambda: store.delete_generation(alice, row.id),
        lambda: store.get_media(made.video.id),
        lambda: store.get_media(made.poster.id),
        lambda: store.get_still(alice, made.video.id),
        lambda: store.put_share(alice, row.id, {}),
        lambda: store.end_share(alice, row.id),
        lambda: store.open_scope(alice, ("generation", row.id), None),
        lambda: store.open_scope(alice, ("project", row.project_id), None),
    ]
    for number, call in enumerate(hidden):
        with pytest.raises(NotFoundError):
            pytest.fail(f"{number}: {call()}")
    assert ids(store, alice) == store.list_ids(alice, ANY, None, 10)[0] == [kept.id]
    assert [entry.id for entry, *_ in store.iter_finished(alice)] == [kept.id]
    assert store.measure_completed(alice, [row.id]) == (0, 0)
    assert store.list_shares(alice) == []
    assert store.find_share(share.slug)[1] is None, "its visitors see that it was deleted"
    assert {event.generation_id for event in store.open_scope(alice, ("session", alice), 0).backlog} == {kept.id}

    assert store.restore(alice, [row.id]) == {row.id}
    assert store.get_generation(alice, row.id) == row
    assert store.get_media(made.video.id) == (made.video, "Mine")
    assert store.find_share(share.slug)[1] == row
    assert store.open_scope(alice, ("session", alice), 0) == before


def test_trash_and_restore_are_idempotent(store, alice, clock, done):
    row, _ = done()
    first = store.trash(alice, [row.id], clock.now + 60)
    clock.now += 30
    assert store.trash(alice, [row.id], clock.now + 60) == first, "it keeps its time"
    assert store.restore(alice, [row.id]) == store.restore(alice, [row.id]) == {row.id}


def test_what_can_be_restored_is_listed_in_pages_newest_first(store, alice, bob, clock, done):
    rows = [done()[0].id for _ in range(3)]
    store.trash(alice, rows[:1], clock.now + 30)
    store.trash(alice, rows[1:], clock.now + 60)
    assert store.list_trash(bob, None, 10) == ([], None)
    first, following = store.list_trash(alice, None, 2)
    rest, end = store.list_trash(alice, following, 2)
    assert ([row.id for row in (*first, *rest)], end) == (rows[::-1], None)
    assert rest[0].trashed_until == clock.now + 30
    clock.now += 30
    store.restore(alice, rows[1:2])
    assert [row.id for row in store.list_trash(alice, None, 10)[0]] == [rows[2]]


def test_only_ended_generations_of_the_session_can_be_trashed(store, submit, queue, alice, bob, clock, done):
    mine, _ = done()
    rendering = submit(alice)
    queue.claim("worker")
    waiting = submit(alice)
    every = [mine.id, rendering.id, waiting.id, "gen_none"]
    other = store.trash(bob, every, clock.now + 60)
    assert (other.until, other.active) == ({}, frozenset())
    found = store.trash(alice, every, clock.now + 60)
    assert (set(found.until), found.active) == ({mine.id}, {rendering.id, waiting.id})
    assert store.restore(bob, every) == frozenset()
    assert ids(store, alice) == [waiting.id, rendering.id]


def test_a_generation_cannot_be_restored_after_its_time(store, alice, clock, done):
    row, _ = done()
    store.trash(alice, [row.id], clock.now + 60)
    assert store.next_removal() == clock.now + 60
    assert store.due_for_removal() == []
    assert store.remove_trashed(row.id) == []
    clock.now += 60
    assert store.restore(alice, [row.id]) == frozenset()
    assert store.trash(alice, [row.id], clock.now + 60).until == {}
    assert store.due_for_removal() == [row.id]
    assert store.remove_trashed(row.id) == [row.id]
    assert store.keys_kept(row.id) == frozenset()
    assert store.next_removal() is None


def test_a_generation_that_was_restored_before_its_removal_stays(store, alice, clock, done):
    row, _ = done()
    store.trash(alice, [row.id], clock.now + 60)
    clock.now += 59
    store.restore(alice, [row.id])
    clock.now += 60
    assert store.remove_trashed(row.id) == []
    assert ids(store, alice) == [row.id]


def test_the_input_image_of_a_trashed_generation_is_kept(store, alice, clock, done):
    upload = upload_row(alice)
    store.add_upload(upload, 10)
    row, _ = done(input_file_id=upload.id)
    store.trash(alice, [row.id], clock.now + 60)
    assert store.remove_unused_uploads(clock.now + 1e9) == []
    clock.now += 60
    store.remove_trashed(row.id)
    assert [one.id for one in store.remove_unused_uploads(clock.now + 1e9)] == [upload.id]


def test_an_import_restores_a_trashed_generation(store, alice, bob, clock, done):
    row, _ = done()
    project = project_row(alice)
    came = generation_row(project, status="completed")
    added = [ImportedGeneration("origin", project, came, [file_row(came)])]
    assert store.import_generations(alice, added, [], {"origin"}) == [came.id]
    store.trash(alice, [row.id, came.id], clock.now + 60)
    assert store.import_generations(bob, [], [], {row.id, "origin"}) == []
    assert store.import_generations(alice, [], [], {row.id, "origin", "other"}) == [row.id, came.id]
    assert ids(store, alice) == [came.id, row.id]


# Searching


@pytest.mark.parametrize(
    "text",
    ["café", "CAFE", "  noir   café ", "straße", "STRASSE", "100%", "a_b", "ﬁlm noir", "東京", "no.ir", "titel", "É"],
)
def test_a_search_ignores_case_and_accents_and_has_no_wildcards(store, submit, alice, text):
    prompt, title = "Film noir: Café in the Straße, 100% a_b, 東京, no.ir", "Mein Titel"
    row = submit(alice, prompt=prompt, title=title)
    submit(alice, prompt="film n0ir, 1000, axb, no-ir")
    assert ids(store, alice, Filter(text=text)) == [row.id]


def test_a_search_finds_only_the_new_title(store, submit, alice):
    row = submit(alice, prompt="ocean", title="Old words")
    store.patch_generation(alice, row.id, {"title": "Neue Wörter"})
    assert ids(store, alice, Filter(text="worter ocean")) == [row.id]
    assert ids(store, alice, Filter(text="old")) == []
    store.patch_generation(alice, row.id, {"title": ""})
    assert ids(store, alice, Filter(text="ocean")) == [row.id]
    assert ids(store, alice, Filter(text="worter")) == []


def test_a_search_for_spaces_matches_everything(store, submit, alice):
    row = submit(alice)
    assert ids(store, alice, Filter(text="   ")) == [row.id]


def test_folding_is_idempotent():
    for text in ("Straße", "İstanbul", "ﬁ", "ΣΊΣΥΦΟΣ", "が", "Å"):
        assert fold(fold(text)) == fold(text)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"text": "ocean"},
        {"status": ("completed",)},
        {"status": ("completed", "failed"), "text": "x"},
        {"type": "image"},
        {"engine": "bars"},
        {"favorite": True},
    ],
    ids=str,
)
def test_every_filter_uses_the_index_of_the_session(database, store, alice, wanted):
    store.create_project(project := project_row(alice), [generation_row(project)], PLENTY)
    asked = []
    with database.read() as session:
        connection = session.connection()
        raw = connection.connection.driver_connection
        raw.set_trace_callback(asked.append)
    store.list_generations(alice, Filter(**wanted), 100, 24)
    raw.set_trace_callback(None)
    [query] = [text for text in asked if text.startswith("SELECT generations")]
    with database.read() as session:
        plan = [row[-1] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    assert plan == ["SEARCH generations USING INDEX ix_generations_history (session_id=? AND seq<?)"]
