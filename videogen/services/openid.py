"""The OpenID provider: where a browser is sent to sign in, and what comes back (authorization code flow with PKCE)."""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field

from videogen.core.config import AppConfig
from videogen.core.errors import LoginRefusedError, ProviderError
from videogen.store import Person

TIMEOUT: Final = httpx.Timeout(10.0)
LEEWAY_SECONDS: Final = 60
"""How far the provider's clock may be from the one here."""
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Of the signature of an ID token: those with a public key."""
UNKNOWN_SECONDS: Final = 3600.0
"""How long an access token counts as valid whose end the provider does not say."""
MAX_NAMES: Final = 1000
logger = logging.getLogger(__name__)


class Begun(NamedTuple):
    """A sign-in that has begun: what only the browser that began it, and this server, know."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Begun:
        """Random values."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))


class Tokens(BaseModel):
    """What a sign-in allows to do in the name of its person."""

    model_config = ConfigDict(frozen=True)

    access: str = Field(default="", repr=False)
    refresh: str = Field(default="", repr=False, description="gives a newer access token; empty: there is none")
    expires_at: float = 0.0
    """Of the access token, in seconds since the epoch."""


class SignedIn(NamedTuple):
    """What the provider has answered."""

    person: Person
    tokens: Tokens


def title(config: AppConfig) -> str:
    """The name of the provider to sign in with; empty where there is none."""
    return config.oidc_title or urlsplit(config.oidc_issuer).netloc


class OpenIDProvider:
    """One provider. Every method blocks on the network: call it from a thread."""

    def __init__(self, config: AppConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] | None = None

    @property
    def issuer(self) -> str:
        """The provider's address."""
        return self._config.oidc_issuer

    def address(self, begun: Begun, redirect_uri: str) -> str:
        """Where to send the browser. Raises ProviderError: the provider cannot be reached."""
        # Imported here: each start of the app would wait for authlib.
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        challenge = create_s256_code_challenge(begun.verifier)  # type: ignore[no-untyped-call]
        return str(
            prepare_grant_uri(
                self._endpoint("authorization_endpoint"),
                self._config.oidc_client_id,
                "code",
                redirect_uri=redirect_uri,
                scope=self._config.oidc_scopes,
                state=begun.state,
                nonce=begun.nonce,
                code_challenge=challenge,
                code_challenge_method="S256",
            )
        )

    def finish(self, begun: Begun, redirect_uri: str, query: Mapping[str, str], now: float) -> SignedIn:
        """Who has signed in, from the query with which the browser came back.

        Raises:
            LoginRefusedError: it is not the answer to what was begun, or the provider refused.
            ProviderError: the provider cannot be reached, or answers what it must not.
        """
        if not hmac.compare_digest(begun.state.encode(), query.get("state", "").encode("utf-8", "surrogatepass")):
            raise LoginRefusedError("This answer belongs to another sign-in. Begin again.")
        if query.get("error") == "access_denied":
            raise LoginRefusedError("The sign-in was cancelled.")
        if "error" in query or "code" not in query:
            raise LoginRefusedError(f"The provider refused the sign-in: {query.get('error', 'it sent no code')[:100]}.")
        # RFC 9207: the answer of one provider must not be taken for another's.
        if query.get("iss", self.issuer).rstrip("/") != self.issuer:
            raise LoginRefusedError("This answer came from another provider. Begin again.")
        form = {"grant_type": "authorization_code", "code": query["code"], "redirect_uri": redirect_uri}
        token = self._token({**form, "code_verifier": begun.verifier})
        if not isinstance(token.get("id_token"), str):
            raise ProviderError("The provider sent no ID token.")
        claims = self._claims(token, begun.nonce)
        return SignedIn(self._person({**claims, **self._userinfo(token, claims)}), _tokens(token, now))

    def renew(self, refresh: str, now: float) -> Tokens:
        """A newer access token for a refresh token.

        Raises:
            LoginRefusedError: the provider gives none.
            ProviderError: the provider cannot be reached, or answers what it must not.
        """
        renewed = _tokens(self._token({"grant_type": "refresh_token", "refresh_token": refresh}), now)
        return renewed if renewed.refresh else renewed.model_copy(update={"refresh": refresh})

    def _token(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        secret = self._config.oidc_client_secret
        form = {**form, "client_id": self._config.oidc_client_id}
        auth = httpx.BasicAuth(self._config.oidc_client_id, secret) if secret else None
        try:
            response = httpx.post(self._endpoint("token_endpoint"), data=form, auth=auth, timeout=TIMEOUT)
            token = response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
            raise self._away(problem) from problem
        if not isinstance(token, dict):
            raise ProviderError("The provider sent no tokens.")
        if not response.is_success:
            reason = str(token.get("error", response.status_code))[:100]
            raise LoginRefusedError(f"The provider refused the sign-in: {reason}. Begin again.")
        return token

    def _claims(self, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of an ID token, once everything about it was checked."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer_in_tokens()},
            aud={"essential": True, "value": self._config.oidc_client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            keys = KeySet.import_key_set(self._get(self._endpoint("jwks_uri")))  # type: ignore[arg-type]
            decoded = jwt.decode(token["id_token"], keys, algorithms=list(ALGORITHMS))
            registry.validate(decoded.claims)
        except (JoseError, ValueError, KeyError, TypeError) as problem:
            logger.warning("An ID token was refused: %s.", problem)
            raise LoginRefusedError("The provider's answer is not valid for this sign-in. Begin again.") from problem
        return dict(decoded.claims)

    def _userinfo(self, token: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the provider says of the person beside the ID token; nothing where it has no such address."""
        url = self._described().get("userinfo_endpoint")
        if not url or not token.get("access_token"):
            return {}
        info = self._get(str(url), {"Authorization": f"Bearer {token['access_token']}"})
        if info.get("sub") != claims["sub"]:
            raise LoginRefusedError("The provider's answer is of another person. Begin again.")
        return info

    def _person(self, claims: Mapping[str, Any]) -> Person:
        subject = str(claims["sub"])
        # Lists of allowed people name it: an address that nobody has verified could be anybody's.
        address = _text(claims, "email") if claims.get("email_verified") is True else ""
        username = _text(claims, "preferred_username") or address or subject[:100]
        picture = _text(claims, "picture")
        return Person(
            issuer=self.issuer,
            subject=subject,
            username=username,
            name=_text(claims, "name") or username,
            picture=picture if picture.startswith("https://") else "",
            organisations=_organisations(claims),
        )

    def _issuer_in_tokens(self) -> str:
        return str(self._described()["issuer"])

    def _endpoint(self, name: str) -> str:
        url = self._described().get(name)
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise ProviderError(f"The provider {self.issuer} does not name its {name}.")
        return url

    def _described(self) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery), read once."""
        with self._lock:
            if self._metadata is None:
                found = self._get(f"{self.issuer}/.well-known/openid-configuration")
                if str(found.get("issuer", "")).rstrip("/") != self.issuer:
                    raise ProviderError(f"The provider {self.issuer} calls itself {found.get('issuer')!r}.")
                self._metadata = found
            return self._metadata

    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        try:
            response = httpx.get(url, headers=headers, timeout=TIMEOUT)
            response.raise_for_status()
            found = response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
            raise self._away(problem) from problem
        if not isinstance(found, dict):
            raise ProviderError(f"The provider {self.issuer} answers what is no JSON object.")
        return found

    def _away(self, problem: Exception) -> ProviderError:
        logger.warning("The provider %s does not answer as it should: %s.", self.issuer, type(problem).__name__)
        return ProviderError()


def _tokens(answer: Mapping[str, Any], now: float) -> Tokens:
    texts = {name: value for name in ("access", "refresh") if isinstance(value := answer.get(f"{name}_token"), str)}
    lasts = answer.get("expires_in")
    # Where the provider says nothing of it, it is renewed for each job, or its refusal is shown.
    seconds = float(lasts) if isinstance(lasts, int | float) and 0 < lasts < 1e10 else UNKNOWN_SECONDS
    return Tokens(**texts, expires_at=now + seconds if texts.get("access") else 0.0)


def _text(claims: Mapping[str, Any], *names: str) -> str:
    return next((value.strip()[:200] for name in names if isinstance(value := claims.get(name), str) and value), "")


def _organisations(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """`orgs` of Hugging Face, `groups` of others: names, or objects of which only the unique name counts.

    Anybody may give an organisation of their own the title of another one.
    """
    found = [one for name in ("orgs", "groups") if isinstance(claim := claims.get(name), list) for one in claim]
    names = (_text(one, "preferred_username") if isinstance(one, dict) else one for one in found[:MAX_NAMES])
    return tuple(dict.fromkeys(name for name in names if name and isinstance(name, str)))
