"""One-time codes: for minutes, once, revocable, and not to be guessed."""

import re
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from videogen.core.config import AppConfig
from videogen.core.errors import CodeRefusedError, LimitExceededError
from videogen.core.security import Signer
from videogen.db.account_tables import TransferRow
from videogen.db.tables import DeviceRow
from videogen.live.hub import Hub
from videogen.services.sessions import CODE_SECONDS, SessionService
from videogen.services.visitor_limits import RateLimits

WRONG_CODES = 3
BASE = "https://video.example.org/studio"


SIGNER = Signer(b"a secret of sixteen bytes")


@pytest.fixture
def sessions(store):
    return SessionService(
        store, SIGNER, Hub(lambda _event: b""), RateLimits(AppConfig(rate_claims=f"{WRONG_CODES}/5 minutes"))
    )


def secret_of(made):
    return made.url.removeprefix(f"{BASE}/#claim=")


def rows(database, table):
    with database.read() as session:
        return session.exec(select(table)).all()


def test_a_transfer_has_a_code_and_a_link_with_another_secret(sessions, alice, clock):
    made = sessions.create_code(alice, BASE)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", made.code)
    assert len(secret_of(made)) == 43
    assert made.expires_at == datetime.fromtimestamp(round(clock.now + CODE_SECONDS, 3), UTC)


@pytest.mark.parametrize(
    "way",
    [
        lambda made: made.code,
        lambda made: f" {made.code.lower().replace('-', ' ')} ",
        lambda made: made.code.replace("0", "o").replace("1", "l"),
        secret_of,
    ],
)
def test_code_or_secret_opens_the_session_once_with_a_new_token(sessions, store, alice, way):
    made = sessions.create_code(alice, BASE)
    created = sessions.claim_code(way(made), "here")
    assert created.session_id == alice
    assert store.find_device(created.token).session_id == alice
    for used in (made.code, secret_of(made)):
        with pytest.raises(CodeRefusedError, match="was used before, has expired, or is wrong"):
            sessions.claim_code(used, "here")


def test_a_code_expires(sessions, alice, clock):
    made = sessions.create_code(alice, BASE)
    clock.now += CODE_SECONDS
    with pytest.raises(CodeRefusedError):
        sessions.claim_code(secret_of(made), "here")


def test_a_new_code_or_a_revoke_ends_the_code(sessions, alice, bob):
    first, other = sessions.create_code(alice, BASE), sessions.create_code(bob, BASE)
    second = sessions.create_code(alice, BASE)
    with pytest.raises(CodeRefusedError):
        sessions.claim_code(first.code, "here")
    sessions.revoke_code(alice)
    sessions.revoke_code(alice)
    with pytest.raises(CodeRefusedError):
        sessions.claim_code(second.code, "here")
    assert sessions.claim_code(other.code, "here").session_id == bob


def test_code_secret_and_token_are_not_stored(sessions, database, alice):
    made = sessions.create_code(alice, BASE)
    kept = repr(rows(database, TransferRow))
    assert made.code.replace("-", "") not in kept
    assert secret_of(made) not in kept
    token = sessions.claim_code(made.code, "here").token
    assert rows(database, TransferRow) == []
    assert token not in repr(rows(database, DeviceRow))


def test_an_address_with_many_wrong_codes_must_wait_and_others_need_not(sessions, alice, bob):
    made, other = sessions.create_code(alice, BASE), sessions.create_code(bob, BASE)
    for number in range(WRONG_CODES):
        with pytest.raises(CodeRefusedError):
            sessions.claim_code(f"{number:08d}", "a guesser")
    with pytest.raises(LimitExceededError, match=r"at most 3 in 5 minutes from one address \(VIDEOGEN_RATE_CLAIMS\)"):
        sessions.claim_code(made.code, "a guesser")
    assert sessions.claim_code(made.code, "somebody else").session_id == alice
    # The link's secret cannot be guessed, so that it always opens.
    assert sessions.claim_code(secret_of(other), "a guesser").session_id == bob


def test_hundreds_of_wrong_codes_from_many_addresses_stop_nobody_else(sessions, alice):
    made = sessions.create_code(alice, BASE)
    for number in range(300):
        with pytest.raises(CodeRefusedError):
            sessions.claim_code(f"{number:08d}", f"guesser {number % 150}")
    assert sessions.claim_code(made.code, "somebody else").session_id == alice
