"""The access tokens of visitors: which is used, when it is renewed, and who has none."""

from types import SimpleNamespace

import pytest

from videogen.core.config import AppConfig
from videogen.core.errors import AccountRequiredError, ConfigError, LoginRefusedError
from videogen.core.security import Signer
from videogen.jobs.base import Lease
from videogen.services.openid import Tokens
from videogen.services.visitor_tokens import SPARE_SECONDS, VisitorTokens
from videogen.store import Person

ADA, BOB = (Person("https://provider.example", name, name, name) for name in ("ada", "bob"))
ENGINES = {"own": SimpleNamespace(id="own", on_visitor_account=True), "bars": SimpleNamespace(id="bars")}
CONFIG = AppConfig(oidc_issuer="https://provider.example", oidc_client_id="app")
LONG = 10 * SPARE_SECONDS


@pytest.fixture
def tokens(store):
    return VisitorTokens(store, CONFIG, ENGINES, Signer(b"k" * 32))


@pytest.fixture
def sign_in(store, tokens):
    """Signs a device in, or that of a new session: `sign_in(ADA, access="a")` returns its session and its token."""

    def sign_in(person, token="", **values):
        token = token or store.create_session()[1]
        made = Tokens(**{"access": "a", "expires_at": store.clock() + LONG} | values)
        store.connect(store.find_device(token).id, store.put_account(person).id, tokens.seal(made))
        return store.find_device(token).session_id, token

    return sign_in


def lease(session_id, engine="own"):
    return Lease("gen_x", session_id, 1, {}, None, 0.0, engine=engine)


def test_the_newest_valid_token_of_the_account_is_used(tokens, sign_in, clock):
    home, _ = sign_in(ADA, access="old")
    clock.now += 1
    away, _ = sign_in(ADA, access="new")
    assert away == home
    assert tokens.key_of(lease(home)) == "new"
    assert tokens.key_of(lease(home, "bars")) == ""
    assert tokens.can_render(home)


def test_it_goes_with_the_device_that_signs_out(store, tokens, sign_in):
    session_id, token = sign_in(ADA)
    other, _ = store.create_session()
    store.leave(token)
    for one in (session_id, other):
        assert not tokens.can_render(one)
        with pytest.raises(AccountRequiredError):
            tokens.key_of(lease(one))
        with pytest.raises(AccountRequiredError):
            tokens.check(one, "own")
        tokens.check(one, "bars")


def test_a_device_that_changes_the_account_takes_no_access_along(store, tokens, sign_in):
    session_id, token = sign_in(ADA, access="adas")
    sign_in(BOB, token, access="bobs")
    assert not tokens.can_render(session_id)
    assert tokens.key_of(lease(store.find_device(token).session_id)) == "bobs"


def test_one_that_ends_soon_is_renewed_and_the_new_one_is_kept(tokens, sign_in, clock, monkeypatch):
    asked = []

    def renew(refresh, now):
        asked.append(refresh)
        return Tokens(access="newer", refresh="next", expires_at=now + LONG)

    monkeypatch.setattr(tokens.provider, "renew", renew)
    session_id, _ = sign_in(ADA, access="a", refresh="first", expires_at=clock.now + 10)
    assert [tokens.key_of(lease(session_id)) for _ in range(2)] == ["newer", "newer"]
    assert asked == ["first"]
    clock.now += LONG
    assert tokens.key_of(lease(session_id)) == "newer"
    assert asked == ["first", "next"]


def test_where_the_provider_renews_nothing_it_is_used_until_its_end(tokens, sign_in, clock, monkeypatch):
    def renew(refresh, now):
        raise LoginRefusedError

    monkeypatch.setattr(tokens.provider, "renew", renew)
    session_id, _ = sign_in(ADA, refresh="first", expires_at=clock.now + 10)
    assert tokens.key_of(lease(session_id)) == "a"
    clock.now += 11
    with pytest.raises(AccountRequiredError):
        tokens.key_of(lease(session_id))


def test_without_a_refresh_token_an_expired_one_is_none(tokens, sign_in, clock):
    session_id, _ = sign_in(ADA, expires_at=clock.now + 10)
    clock.now += 11
    assert not tokens.can_render(session_id)


def test_it_is_sealed_and_another_secret_key_opens_nothing(store, tokens, sign_in):
    session_id, _ = sign_in(ADA, access="readable")
    (row,) = store.visitor_tokens(session_id)
    assert "readable" not in row.sealed
    other = VisitorTokens(store, CONFIG, ENGINES, Signer(b"o" * 32))
    assert not other.can_render(session_id)


def test_nothing_is_kept_where_no_engine_needs_it(store):
    assert VisitorTokens(store, CONFIG, {}, Signer(b"k" * 32)).seal(Tokens(access="a")) == ""


@pytest.mark.parametrize(
    ("config", "variable"),
    [
        ({}, "VIDEOGEN_OIDC_ISSUER"),
        ({"oidc_issuer": "https://huggingface.co", "oidc_client_id": "app"}, "VIDEOGEN_OIDC_SCOPES"),
    ],
)
def test_such_an_engine_needs_a_provider_and_the_scope(store, config, variable):
    with pytest.raises(ConfigError) as refused:
        VisitorTokens(store, AppConfig(**config), ENGINES, Signer(b"k" * 32))
    assert refused.value.variable == variable
