"""ID tokens: which are believed. The way of a browser is in `tests/api/test_accounts.py`."""

import time

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from videogen.core.config import AppConfig
from videogen.core.errors import LoginRefusedError
from videogen.services import openid

ISSUER = "https://provider.example"
KEY, STRANGER = (RSAKey.generate_key(2048, {"kid": "k"}) for _ in range(2))


@pytest.fixture
def provider(monkeypatch):
    """A provider whose answers are here."""
    found = openid.OpenIDProvider(AppConfig(oidc_issuer=ISSUER, oidc_client_id="app"))
    answers = {
        f"{ISSUER}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"},
        f"{ISSUER}/keys": KeySet([KEY]).as_dict(),
    }
    monkeypatch.setattr(found, "_get", lambda url, headers=None: answers[url])
    return found


def token(key=KEY, alg="RS256", **changes):
    claims = {"iss": ISSUER, "aud": "app", "sub": "1", "nonce": "n", "exp": int(time.time()) + 60} | changes
    return jwt.encode({"alg": alg, "kid": "k"}, {name: value for name, value in claims.items() if value}, key)


def test_a_right_token_is_believed(provider):
    assert provider._claims({"id_token": token()}, "n")["sub"] == "1"


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another app"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"sub": None},
        {"key": STRANGER},
        {"key": OctKey.import_key("x" * 32), "alg": "HS256"},
    ],
)
def test_a_token_that_is_wrong_in_anything_is_refused(provider, changes):
    with pytest.raises(LoginRefusedError):
        provider._claims({"id_token": token(**changes)}, "n")


def test_a_token_without_a_signature_is_refused(provider):
    unsigned = "eyJhbGciOiJub25lIn0." + token().split(".")[1] + "."
    with pytest.raises(LoginRefusedError):
        provider._claims({"id_token": unsigned}, "n")


def test_names_and_groups_come_from_what_providers_call_them(provider):
    orgs = [{"preferred_username": "lab", "name": "The Lab"}, "plain", 7]
    person = provider._person({"sub": "1", "preferred_username": "ada", "orgs": orgs, "picture": "javascript:x"})
    assert (person.username, person.name, person.picture) == ("ada", "ada", "")
    assert person.organisations == ("lab", "plain"), "a title is not unique"
    unverified = provider._person({"sub": "1", "email": "ada@lab.example"})
    assert unverified.username == "1", "anybody may claim an address"
