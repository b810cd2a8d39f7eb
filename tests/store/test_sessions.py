import hashlib

import pytest
from sqlalchemy import text

from videogen.core.errors import SessionRequiredError

pytestmark = pytest.mark.databases("sqlite", "postgresql")


def test_a_session_is_found_by_its_token(store):
    session_id, token = store.create_session()
    assert store.find_device(token).session_id == session_id


def test_no_other_text_opens_a_session(store):
    session_id, token = store.create_session()
    others = (
        "",
        "x",
        token[:-1],
        token + "x",
        token.swapcase(),
        session_id,
        hashlib.sha256(token.encode()).hexdigest(),
    )
    assert [store.find_device(text) for text in others] == [None] * len(others)


def test_two_sessions_have_their_own_ids_and_tokens(store):
    (first_id, first_token), (second_id, second_token) = store.create_session(), store.create_session()
    assert first_id != second_id
    assert first_token != second_token
    assert store.find_device(second_token).session_id == second_id


@pytest.mark.databases("sqlite")
def test_only_the_hash_of_a_token_is_in_the_database(store, database, tmp_path):
    _, token = store.create_session()
    with database.read() as session:
        stored = session.connection().execute(text("SELECT token_hash FROM devices")).scalar()
    assert stored == hashlib.sha256(token.encode()).hexdigest()
    database.close()
    assert token.encode() not in (tmp_path / "videogen.sqlite").read_bytes()


def test_a_token_is_replaced_once(store):
    _, old = store.create_session()
    new = store.remove_other_devices(old)
    with pytest.raises(SessionRequiredError):
        store.remove_other_devices(old)
    assert store.find_device(new)
