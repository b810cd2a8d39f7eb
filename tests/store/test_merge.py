"""The merge of two sessions of one person: every row comes along, whatever renders meanwhile."""

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from tests.support.published import Published
from tests.support.rows import PLENTY, file_row, generation_row, project_row, result, upload_row
from videogen.core.errors import NotFoundError, SessionRequiredError
from videogen.db.account_tables import TransferRow
from videogen.db.tables import OriginRow
from videogen.store import Fence, Filter, Person, merge
from videogen.store.merge import ENDED, MOVED
from videogen.store.operator_state import Act

pytestmark = pytest.mark.databases("sqlite", "postgresql")

ADA, BOB = (Person("https://provider.example", name, name, name) for name in ("ada", "bob"))


@pytest.fixture
def home(store):
    """A session that is Ada's, with its token."""
    return signed_in(store, ADA)


@pytest.fixture
def away(store):
    """An anonymous session, with its token."""
    return store.create_session()


def device_of(store, token):
    return store.find_device(token).id


def sign_in(store, token, person):
    return store.connect(device_of(store, token), store.put_account(person).id)


def signed_in(store, person):
    session_id, token = store.create_session()
    sign_in(store, token, person)
    return session_id, token


def ids(store, session_id):
    return {row.id for row in store.list_generations(session_id, Filter(), None, 100)[0]}


def test_every_table_with_a_session_is_merged_or_ends():
    known = {table.__tablename__ for table in (*MOVED, *ENDED)}
    owned = {name for name, table in SQLModel.metadata.tables.items() if "session_id" in table.columns}
    assert owned == known, "a new table with session_id belongs into MOVED or ENDED of videogen/store/merge.py"


def test_all_rows_of_one_session_come_to_the_other(store, queue, submit, home, away):
    row = submit(away[0])
    queue.claim("worker")
    store.complete(Fence(row.id, 1), result(row))
    store.put_share(away[0], row.id, {})
    store.add_upload(upload_row(away[0]), 10)
    store.put_transfer(TransferRow(session_id=away[0], code_hash="c", secret_hash="s", expires_at=9e9))
    store.put_login_link(away[0], device_of(store, away[1]), "link", 9e9)
    with store.database.write() as unit:
        unit.session.add(OriginRow(session_id=away[0], origin_id="elsewhere", generation_id=row.id))
    assert sign_in(store, away[1], ADA) == {away[0]}
    with store.database.read() as session:
        for name, table in SQLModel.metadata.tables.items():
            if "session_id" in table.columns:
                left = session.connection().execute(
                    text(f"SELECT count(*) FROM {name} WHERE session_id = :id"), {"id": away[0]}
                )
                assert left.scalar() == 0, name
        if session.connection().dialect.name == "sqlite":  # PostgreSQL has no other references
            assert session.connection().exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
    assert ids(store, home[0]) == {row.id}
    assert [shared[0].generation_id for shared in store.list_shares(home[0])] == [row.id]
    assert store.find_upload(home[0], "digest") is not None
    assert {store.find_device(token).session_id for token in (home[1], away[1])} == {home[0]}
    assert store.use_transfer("c") is None, "who has a code of the anonymous session gets no account"
    assert store.use_login_link("link") is None


def test_what_both_have_under_one_name_stays_twice_and_the_accounts_keeps_the_name(store, home, away):
    rows = {}
    for session_id, _ in (home, away):
        project = project_row(session_id, key="1", body=session_id)
        rows[session_id] = generation_row(project)
        store.create_project(project, [rows[session_id]], PLENTY)
    pictures = [store.add_upload(upload_row(session_id), 10)[0].id for session_id, _ in (home, away)]
    with store.database.write() as unit:
        for session_id, row in rows.items():
            unit.session.add(OriginRow(session_id=session_id, origin_id="one", generation_id=row.id))
    home_id, away_id = (rows[session_id].id for session_id, _ in (home, away))
    sign_in(store, away[1], ADA)
    assert ids(store, home[0]) == {home_id, away_id}
    assert [row.id for row in store.known_project(project_row(home[0], key="1", body=home[0]))] == [home_id]
    assert [store.get_upload(home[0], one).id for one in pictures] == pictures, "a draft may name either"
    assert store.known_generations(home[0], ["one"])["one"].id == home_id


def test_each_moved_generation_gets_one_event_above_all_numbers(store, submit, home, away):
    kept, moved = submit(home[0]), submit(away[0])
    before = max(event.id for one in (home, away) for event in store.open_scope(one[0], ("session", one[0]), 0).backlog)
    sign_in(store, away[1], ADA)
    after = store.open_scope(home[0], ("session", home[0]), before).backlog
    assert [event.generation_id for event in after if event.generation_id == moved.id][-1:] == [moved.id]
    numbers = [event.id for event in store.open_scope(home[0], ("session", home[0]), 0).backlog]
    assert numbers == sorted(set(numbers))
    assert kept.id in {event.generation_id for event in store.open_scope(home[0], ("session", home[0]), 0).backlog}
    assert store.find_device(away[1]).since_event == before
    assert store.find_device(home[1]).since_event == 0, "what the account's own devices know is still right"


def test_a_running_job_ends_in_the_merged_session(store, queue, submit, home, away):
    row = submit(away[0])
    queue.claim("worker")
    late = result(row)  # its worker knows the old session
    preview = file_row(row, "preview")
    sign_in(store, away[1], ADA)
    store.record_preview(Fence(row.id, 1), preview)
    store.complete(Fence(row.id, 1), late)
    assert store.get_generation(home[0], row.id).status == "completed"
    assert store.get_media(late.video.id) is not None
    assert store.stored_bytes(home[0]) > 0


def test_what_is_written_under_the_old_name_comes_to_the_new_one(store, home, away):
    sign_in(store, away[1], ADA)
    project = project_row(away[0])
    row = generation_row(project)
    store.create_project(project, [row], PLENTY)
    store.add_upload(upload_row(away[0], "late"), 10)
    assert ids(store, home[0]) == {row.id}
    assert store.find_upload(home[0], "late") is not None
    assert store.merged_into(away[0]) == home[0]


def test_a_queue_that_one_of_them_had_paused_stays_paused(store, queue, submit, home, away):
    row = submit(away[0])
    store.pause_queue(away[0], paused=True)
    sign_in(store, away[1], ADA)
    assert store.own_queue(home[0])[0] is True
    assert queue.claim("worker") is None
    store.pause_queue(home[0], paused=False)
    assert queue.claim("worker").generation_id == row.id


@pytest.mark.parametrize("banned", [["away"], ["home"], ["away", "home"]])
def test_a_ban_outlives_a_sign_in(store, home, away, banned):
    for name in banned:
        store.ban(Act("operator", "ban", {"home": home, "away": away}[name][0]), "session")
    sign_in(store, away[1], ADA)
    assert store.is_banned(home[0], "")
    assert len(store.list_bans()) == 1


def test_a_device_that_changes_the_account_takes_nothing_along(store, submit, home):
    made = submit(home[0])
    assert sign_in(store, home[1], BOB) == {home[0]}
    of_bob = store.find_device(home[1]).session_id
    assert (ids(store, home[0]), ids(store, of_bob)) == ({made.id}, set())
    assert sign_in(store, home[1], BOB) == set(), "again is safe"


def test_a_device_that_was_signed_out_cannot_come_back(store, home, away):
    device = device_of(store, away[1])
    sign_in(store, away[1], ADA)
    assert store.leave(away[1]) == home[0]
    assert store.find_device(away[1]) is None
    with pytest.raises(SessionRequiredError):
        store.leave(away[1])
    with pytest.raises(SessionRequiredError):
        store.create_session(away[0], away[1])
    with pytest.raises(NotFoundError):
        store.connect(device, store.put_account(ADA).id)


def test_of_very_many_the_accounts_own_streams_begin_anew_and_no_event_is_told_one_by_one(
    store, queue, submit, home, away, monkeypatch
):
    monkeypatch.setattr(merge, "LIVE", 1)
    heard = Published(store.database)
    moved = [submit(away[0]) for _ in range(2)]
    for row in moved:
        lease = queue.claim("worker")
        store.complete(Fence(lease.generation_id, 1), result(row if lease.generation_id == row.id else moved[0]))
    known = submit(home[0])
    heard.clear()
    assert sign_in(store, away[1], ADA) == {home[0], away[0]}
    assert [event for event in heard if event.type == "render_result"] == []
    stored = store.open_scope(home[0], ("session", home[0]), 0).backlog
    numbers = [event.id for event in stored if event.type == "render_result"]
    assert len(numbers) == 4, "each has one more, which a stream of that generation gives"
    assert store.find_device(home[1]).since_event == max(numbers), "what it knows is out of date"
    assert ids(store, home[0]) == {known.id, *(row.id for row in moved)}


def test_a_snapshot_from_before_the_merge_is_not_used_for_what_has_ended_since(store, queue, submit, home, away):
    row = submit(away[0])
    queue.claim("worker")
    made = store._snapshots(device_of(store, away[1]))
    assert made[row.id].values["type"] == "render_progress"
    store.complete(Fence(row.id, 1), result(row))
    store._snapshots = lambda _device: made
    sign_in(store, away[1], ADA)
    newest = store.open_scope(home[0], ("generation", row.id), None).backlog
    assert [event.type for event in newest] == ["render_result"]
    assert {event.session_id for event in newest} == {home[0]}
