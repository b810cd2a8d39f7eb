"""One-time codes that open a session on another device: valid for minutes, used once, revocable."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from videogen.core.clock import to_datetime
from videogen.core.errors import CodeRefusedError, TooManyGuessesError
from videogen.core.security import Signer
from videogen.db.tables import TransferRow
from videogen.schemas.portability import Transfer
from videogen.schemas.system import SessionCreated
from videogen.store import Store

HOLDS_SECONDS: Final = 10 * 60
# Crockford's base 32: nothing that could be read as something else.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 8
"""40 bits: with the guesses that are allowed, a chance of one in a hundred million for each code that holds."""
_ALIKE: Final = str.maketrans("OIL", "011")
GUESS_SECONDS: Final = 5 * 60
GUESSES_OF_ONE: Final = 10
GUESSES_OF_ALL: Final = 1000


class Transfers:
    """Makes codes and takes them. Every method blocks on the database."""

    def __init__(self, store: Store, signer: Signer) -> None:
        self._store = store
        self._key = signer.derive("transfer").encode()
        self._guesses = Guesses(store.clock)

    def make(self, session_id: str, base: str) -> Transfer:
        """A code for this session; the one before no longer holds. `base` is the page's address, without a slash."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        secret = secrets.token_urlsafe(32)
        expires = self._store.clock() + HOLDS_SECONDS
        self._store.put_transfer(
            TransferRow(
                session_id=session_id,
                code_hash=self._hash(code),
                secret_hash=self._hash(secret),
                expires_at=expires,
            )
        )
        # Behind the #: what stands there is sent to no server, and written into no log.
        return Transfer(
            code=f"{code[:4]}-{code[4:]}",
            url=f"{base}/#claim={secret}",
            expires_at=to_datetime(expires),
        )

    def revoke(self, session_id: str) -> None:
        """Take the code back. Safe to repeat."""
        self._store.drop_transfer(session_id)

    def claim(self, typed: str, who: str) -> SessionCreated:
        """Open the session of a code or of a link's secret, with a token of its own. `who` is where it came from.

        Raises:
            CodeRefusedError: it was used, has expired, was revoked, or never was: nobody can tell which.
            TooManyGuessesError: too many came from there that were none.
        """
        secret = typed.strip()
        code = "".join(secret.upper().replace("-", "").split()).translate(_ALIKE)
        is_code = len(code) == LENGTH
        if is_code:
            self._guesses.check(who)
        found = self._store.use_transfer(self._hash(code if is_code else secret))
        if found is None:
            if is_code:
                self._guesses.note(who)
            raise CodeRefusedError
        return SessionCreated(session_id=found[0], token=found[1])

    def _hash(self, value: str) -> str:
        # Keyed: 40 bits could be guessed by whoever has a copy of the database.
        return hmac.digest(self._key, value.encode("utf-8", "surrogatepass"), "sha256").hex()


class Guesses:
    """Wrong codes of late, from each place and from everywhere."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: deque[tuple[float, str]] = deque(maxlen=GUESSES_OF_ALL)
        self._lock = threading.Lock()

    def check(self, who: str) -> None:
        """Raise TooManyGuessesError where no more are taken from there for now."""
        with self._lock:
            since = self._clock() - GUESS_SECONDS
            while self._wrong and self._wrong[0][0] < since:
                self._wrong.popleft()
            if len(self._wrong) >= GUESSES_OF_ALL or sum(one == who for _, one in self._wrong) >= GUESSES_OF_ONE:
                raise TooManyGuessesError

    def note(self, who: str) -> None:
        """One more."""
        with self._lock:
            self._wrong.append((self._clock(), who))
