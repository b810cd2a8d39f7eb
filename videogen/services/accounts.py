"""Signing in: which session is whose, the links with which a page signs in, and who may."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.fernet import Fernet, InvalidToken

from videogen.core.clock import to_datetime
from videogen.core.errors import LoginExpiredError, LoginNotAllowedError, LoginRequiredError, NotFoundError
from videogen.core.security import Signer
from videogen.db.account_tables import AccountRow
from videogen.schemas.accounts import Account, LoginLink
from videogen.services.openid import Begun, title
from videogen.services.parts import Parts
from videogen.services.sessions import Identity, SessionService
from videogen.store import Contents, Person

LINK_SECONDS: Final = 10 * 60
OPERATOR_SECONDS: Final = 8 * 3600
"""How long a sign-in opens the operator's page."""
LOGIN_SECONDS: Final = 10 * 60
"""How long a sign-in may take, from its beginning to the confirmation."""
_QUESTION: Final = "question:"


class Operator(NamedTuple):
    """Somebody on the operator's list of accounts."""

    name: str
    """For the audit log: the user name at the provider, with an @."""
    device_id: str


class Connection(NamedTuple):
    """What the person is asked to confirm."""

    account: Account
    account_id: str
    device_id: str
    contents: Contents


class AccountService:
    """The use cases of accounts. Every method blocks on the database: call it from a thread."""

    def __init__(self, parts: Parts, sessions: SessionService) -> None:
        self._store, self._hub, self._config, self._sessions = parts.store, parts.hub, parts.config, sessions
        self._key = parts.signer.derive("login-link").encode()
        self._tokens = parts.visitor_tokens
        self.provider = self._tokens.provider
        self.sealed = Sealed(parts.signer)

    def of(self, session_id: str) -> Account | None:
        """The account that a session belongs to."""
        row = self._store.account_of(session_id)
        return self._serialize(row, can_render=self._tokens.can_render(session_id)) if row else None

    def require(self, identity: Identity) -> None:
        """Where everybody must sign in: check that a session is of somebody who may use this server.

        Raises:
            LoginRequiredError: it belongs to no account.
            LoginNotAllowedError: it belongs to one that is not on the operator's lists, or not any more.
        """
        if self._config.login_is_required:
            row = self._store.account_of(identity.session_id)
            if row is None:
                raise LoginRequiredError
            self.check_allowed(row.username, row.organisations)

    def check_allowed(self, username: str, organisations: list[str] | tuple[str, ...]) -> None:
        """Check the operator's lists. Raises LoginNotAllowedError."""
        users, groups = self._config.allowed_users, self._config.allowed_orgs
        names = {name.lower() for name in organisations}
        if not (users or groups) or username.lower() in users or not names.isdisjoint(groups):
            return
        raise LoginNotAllowedError(
            f"{username} may not use this server: it is open to some people and organisations only. "
            "Ask whoever runs it."
        )

    def create_link(self, identity: Identity, base: str) -> LoginLink:
        """Make a link with which this device signs in; it ends the session's previous one.

        Args:
            identity: of a stored session.
            base: the page's address without a slash.
        """
        assert identity.device_id is not None, "stored sessions have devices"
        secret, expires = secrets.token_urlsafe(32), self._store.clock() + LINK_SECONDS
        self._store.put_login_link(identity.session_id, identity.device_id, self._hash(secret), expires)
        return LoginLink(url=f"{base}/login?link={secret}", expires_at=to_datetime(expires))

    def use_link(self, secret: str) -> str:
        """The device that a link signs in, once. Raises LoginExpiredError."""
        device_id = self._store.use_login_link(self._hash(secret))
        if device_id is None:
            raise LoginExpiredError
        return device_id

    def finish(self, begun: Begun, redirect_uri: str, query: Mapping[str, str]) -> tuple[Person, str]:
        """Who has signed in, from the query with which the browser came back; and what is kept of their access, sealed.

        Raises:
            NotFoundError: there is no provider.
            LoginRefusedError, ProviderError: see `OpenIDProvider.finish`.
            LoginNotAllowedError: the operator's lists do not name the person.
        """
        if self.provider is None:
            raise NotFoundError
        person, tokens = self.provider.finish(begun, redirect_uri, query, self._store.clock())
        self.check_allowed(person.username, tuple(person.organisations))
        return person, self._tokens.seal(tokens)

    def ask(self, sealed_tokens: str) -> str:
        """Keep what a sign-in allows until its question is answered; the secret of the question."""
        secret = secrets.token_urlsafe(32)
        if sealed_tokens:  # they fit into no cookie
            self._store.put_ticket(_QUESTION + secret, sealed_tokens, self._store.clock() + LOGIN_SECONDS)
        return secret

    def answered(self, secret: str) -> str:
        """What was kept for a question, once; empty where it was nothing, or too long ago."""
        row = self._store.take_ticket(_QUESTION + secret)
        return str(row.value) if row else ""

    def prepare(self, person: Person, device_id: str) -> Connection:
        """Store who has signed in, and find what that would bring to the account. Nothing is connected yet.

        Raises:
            LoginNotAllowedError: the operator's lists do not name the person.
            NotFoundError: the device was signed out meanwhile.
        """
        self.check_allowed(person.username, tuple(person.organisations))
        row = self._store.put_account(person)
        return Connection(self._serialize(row), row.id, device_id, self._store.contents_of(device_id))

    def connect(self, device_id: str, account_id: str, sealed_tokens: str, *, proven: bool) -> Account | None:
        """Tie a device's session to an account; see `AccountStore.connect`. Safe to repeat.

        Open streams of a session that moves end, those of its public links too: they go on where it is now.
        """
        for session_id in self._store.connect(device_id, account_id, sealed_tokens, proven=proven):
            self._hub.end_session(session_id, visitors=True)
        row = self._store.get_account(account_id)
        return self._serialize(row) if row else None

    def sign_out(self, identity: Identity, token: str) -> str:
        """Sign this device out of its account; return its new token. An anonymous session keeps the one it has."""
        if identity.device_id is None or self._store.account_of(identity.session_id) is None:
            return token
        self._hub.end_session(self._store.leave(token))
        return self._sessions.new_token()

    def operator(self, token: str) -> Operator | None:
        """Who has signed in with the browser of this token in the last hours, if the list of operators names them."""
        if not (self._config.admin_users and token):
            return None
        found = self._store.signed_in(token, self._store.clock() - OPERATOR_SECONDS)
        if found is None:
            return None
        row, device_id = found
        is_listed = row.issuer == self._config.oidc_issuer and row.username.lower() in self._config.admin_users
        return Operator(f"@{row.username}", device_id) if is_listed else None

    def end_operator(self, operator: Operator) -> None:
        """Let a browser open the operator's page no more, until somebody signs in with it again."""
        self._store.forget_sign_in(operator.device_id)

    def has_moved(self, session_id: str) -> bool:
        """Whether a session was merged into another one."""
        return self._store.merged_into(session_id) is not None

    def _serialize(self, row: AccountRow, *, can_render: bool = False) -> Account:
        names = {"name": row.name, "username": row.username, "picture": row.picture or None}
        names["provider"] = title(self._config)
        return Account(**names, can_render=can_render)

    def _hash(self, secret: str) -> str:
        return hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256").hex()


class Sealed:
    """What a browser keeps for the server between two steps of a sign-in: nobody else can read or make it."""

    def __init__(self, signer: Signer) -> None:
        self._box = Fernet(urlsafe_b64encode(bytes.fromhex(signer.derive("login-state"))))

    def seal(self, content: bytes) -> str:
        """As text that may stand in a cookie."""
        return self._box.encrypt(content).decode()

    def open(self, sealed: str) -> bytes:
        """What was sealed. Raises LoginExpiredError: longer than `LOGIN_SECONDS` ago, or by somebody else."""
        try:
            return self._box.decrypt(sealed.encode("utf-8", "surrogatepass"), ttl=LOGIN_SECONDS)
        except InvalidToken:
            raise LoginExpiredError from None
