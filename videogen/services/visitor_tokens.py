"""The access tokens of visitors, with which engines render on their own accounts. No other module reads one."""

from __future__ import annotations

import logging
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

from videogen.core.config import AppConfig
from videogen.core.errors import AccountRequiredError, ConfigError, LoginRefusedError, ProviderError
from videogen.core.security import Signer, new_id
from videogen.core.space_settings import HUB
from videogen.db.account_tables import VisitorTokenRow
from videogen.engines.availability import is_on_visitor_account
from videogen.engines.base import Engine
from videogen.jobs.base import Lease
from videogen.services.openid import OpenIDProvider, Tokens
from videogen.store import Store

SCOPE: Final = "inference-api"
"""What Hugging Face wants in a token with which its inference providers are asked."""
SPARE_SECONDS: Final = 3600.0
"""A job begins with a token that is valid for at least so long, where the provider gives a newer one."""
RENEWAL_SECONDS: Final = 60.0
"""How long another process waits for one that has stopped while it renewed a token."""
logger = logging.getLogger(__name__)


class VisitorTokens:
    """Keeps them encrypted, and only where an engine renders on visitors' accounts. Its methods block: call them from
    a thread."""

    def __init__(self, store: Store, config: AppConfig, engines: Mapping[str, Engine], signer: Signer) -> None:
        """
        Raises:
            ConfigError: an engine renders on visitors' accounts, and nobody can sign in, or not with the right scope.
        """
        self._store, self._engines = store, engines
        self._box = Fernet(urlsafe_b64encode(bytes.fromhex(signer.derive("visitor-token"))))
        self.provider = OpenIDProvider(config) if config.oidc_issuer else None
        self._renewing, self._owner = threading.Lock(), new_id("wrk")
        wanted = [name for name, engine in engines.items() if is_on_visitor_account(engine)]
        self.is_used = bool(wanted)
        if wanted and self.provider is None:
            expected = f"a provider to sign in with, since {wanted[0]} renders on the account of its visitor"
            raise ConfigError("VIDEOGEN_OIDC_ISSUER", expected, "")
        if wanted and config.oidc_issuer == HUB and SCOPE not in config.oidc_scopes.split():
            expected = f"{SCOPE} among them, since {wanted[0]} renders on the account of its visitor"
            raise ConfigError("VIDEOGEN_OIDC_SCOPES", expected, config.oidc_scopes)

    def seal(self, tokens: Tokens) -> str:
        """For the database; empty where no engine needs them."""
        return self._box.encrypt(tokens.model_dump_json().encode()).decode() if self.is_used else ""

    def can_render(self, session_id: str) -> bool:
        """Whether a job of a session could begin on its account, as far as is known here."""
        return self.is_used and bool(self._found(session_id))

    def check(self, session_id: str, engine_id: str) -> None:
        """Check a request before it is accepted. Raises AccountRequiredError: its engine needs a sign-in."""
        engine = self._engines.get(engine_id)
        if engine is not None and is_on_visitor_account(engine) and not self.can_render(session_id):
            raise AccountRequiredError

    def key_of(self, lease: Lease) -> str:
        """The access token for the child process of a job; empty where its engine needs none.

        Raises:
            AccountRequiredError: nobody is signed in any more, or no token of the session is valid.
        """
        engine = self._engines.get(lease.engine)
        if engine is None or not is_on_visitor_account(engine):
            return ""
        session_id = self._store.session_of(lease.generation_id) or lease.session_id
        task = f"tokens of {session_id}"
        with self._renewing:  # a refresh token may be good for one use
            while not self._store.hold_task(task, self._owner, RENEWAL_SECONDS):
                time.sleep(1.0)  # another process renews it
            try:
                for row, tokens in self._found(session_id):
                    if tokens.expires_at > self._store.clock() + SPARE_SECONDS:
                        return tokens.access
                    renewed = self._renew(row, tokens)
                    if renewed is not None:
                        return renewed.access
            finally:
                self._store.end_task(task, self._owner)
        raise AccountRequiredError

    def _renew(self, row: VisitorTokenRow, tokens: Tokens) -> Tokens | None:
        """What is valid instead; the same where the provider gives nothing newer and it has not expired."""
        if tokens.refresh and self.provider is not None:
            try:
                renewed = self.provider.renew(tokens.refresh, self._store.clock())
            except (LoginRefusedError, ProviderError) as problem:
                logger.warning("An access token could not be renewed: %s", problem.detail)
            else:
                self._store.replace_visitor_token(row, self.seal(renewed))
                return renewed
        return tokens if tokens.expires_at > self._store.clock() else None

    def _found(self, session_id: str) -> list[tuple[VisitorTokenRow, Tokens]]:
        """The tokens of a session that are valid or can be renewed, the newest first."""
        found = []
        for row in self._store.visitor_tokens(session_id):
            try:
                tokens = Tokens.model_validate_json(self._box.decrypt(row.sealed))
            except (InvalidToken, ValueError):  # of another secret key
                continue
            if tokens.refresh or tokens.expires_at > self._store.clock():
                found.append((row, tokens))
        return found
