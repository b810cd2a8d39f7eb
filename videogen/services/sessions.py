"""Sessions and their devices, and one-time codes that open a session on another device.

A code is valid for minutes, for one use, and revocable.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from videogen.core.clock import to_datetime
from videogen.core.errors import CodeRefusedError
from videogen.core.security import SessionTokens, Signer
from videogen.db.account_tables import TransferRow
from videogen.db.tables import DeviceRow
from videogen.live.hub import Hub
from videogen.schemas.portability import Transfer
from videogen.schemas.system import Device, DeviceList, SessionCreated
from videogen.services.visitor_limits import RateLimits
from videogen.store import START_OVER, Store

CODE_SECONDS: Final = 10 * 60
# Crockford's base 32: no two characters look alike.
CODE_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH: Final = 8
"""40 bits; docs/security.md says how long many addresses together would have to guess."""
_LOOKALIKES: Final = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a token opens."""

    session_id: str
    device_id: str | None
    """None: a signed token whose session is not stored yet. It reads as an empty session."""
    since_event: int = 0
    """As `DeviceRow.since_event`."""

    def resume_after(self, event_id: int | None) -> int | None:
        """The event after which the session's stream goes on: where the device came to it later, it starts over."""
        is_of_another = event_id is not None and self.since_event and event_id <= self.since_event
        return START_OVER if is_of_another else event_id


class SessionService:
    """Makes and finds sessions. Every method blocks on the database: call it from a thread, never in the event loop."""

    def __init__(self, store: Store, signer: Signer, hub: Hub, rates: RateLimits) -> None:
        self._store = store
        self._hub = hub
        self._tokens = SessionTokens(signer)
        self._key = signer.derive("transfer").encode()
        self._rates = rates

    def new_token(self) -> str:
        """Make a token, without a session in the database: `save` stores one once there is something to keep."""
        return self._tokens.new()

    def find(self, token: str) -> Identity | None:
        """What a token opens; None for one that is unknown or signed out."""
        device = self._store.find_device(token)
        if device is not None:
            self._store.note_use(device)
            return _identity(device)
        if not self._tokens.is_ours(token):
            return None
        session_id = self._tokens.session_id(token)
        if not self._store.has_session(session_id):
            return Identity(session_id, None)
        # It was stored a moment ago, or this token is no longer among its devices: it was signed out.
        device = self._store.find_device(token)
        return _identity(device) if device else None

    def save(self, token: str, device_name: str) -> SessionCreated:
        """Store the session of a token that `new_token` made. Safe to repeat.

        Raises:
            SessionRequiredError: the token was signed out meanwhile.
        """
        session_id, _ = self._store.create_session(self._tokens.session_id(token), token, device_name)
        return SessionCreated(session_id=session_id, token=token)

    def list_devices(self, identity: Identity) -> DeviceList:
        """The devices that can open a session, the one that was used last first; none while it is not stored."""
        items = [
            Device(
                id=row.id,
                name=row.name,
                created_at=to_datetime(row.created_at),
                last_seen_at=to_datetime(row.last_seen_at),
                current=row.id == identity.device_id,
            )
            for row in self._store.list_devices(identity.session_id)
        ]
        return DeviceList(items=items)

    def sign_out(self, session_id: str, device_id: str) -> None:
        """Sign one device out: its token never opens the session again, and a pending code neither.

        All open event streams of the session end; those of the other devices go on after a reconnect.

        Raises:
            NotFoundError: the session has no such device.
        """
        self._store.remove_device(session_id, device_id)
        self._hub.end_session(session_id)

    def sign_out_others(self, session_id: str, token: str) -> SessionCreated:
        """Sign out all devices but that of this token, which is replaced: somebody may have a copy of it.

        Raises:
            SessionRequiredError: it was replaced or signed out meanwhile.
        """
        created = SessionCreated(session_id=session_id, token=self._store.remove_other_devices(token))
        self._hub.end_session(session_id)
        return created

    def create_code(self, session_id: str, base: str) -> Transfer:
        """Make a code for this session, which ends its previous code. `base` is the page's address without a slash."""
        code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        secret = secrets.token_urlsafe(32)
        expires, hashes = self._store.clock() + CODE_SECONDS, (self._hash(code), self._hash(secret))
        row = TransferRow(session_id=session_id, code_hash=hashes[0], secret_hash=hashes[1], expires_at=expires)
        self._store.put_transfer(row)
        # The part of a URL after the # is not sent to any server, and so not written to any log.
        return Transfer(code=f"{code[:4]}-{code[4:]}", url=f"{base}/#claim={secret}", expires_at=to_datetime(expires))

    def revoke_code(self, session_id: str) -> None:
        """Revoke the session's code. Safe to repeat."""
        self._store.drop_transfer(session_id)

    def claim_code(self, secret: str, address: str, device_name: str = "") -> SessionCreated:
        """Open the session of a code or of the secret of a link, with a new token.

        Args:
            secret: the code or the secret, as a person typed it.
            address: the visitor's, whose wrong codes are counted.
            device_name: of the device that opens the session.

        Raises:
            CodeRefusedError: the code is wrong, used, expired or revoked; the answer does not say which.
            LimitExceededError: the session has too many devices, or too many wrong codes came from this address.
        """
        secret = secret.strip()
        code = "".join(secret.upper().replace("-", "").split()).translate(_LOOKALIKES)
        is_code = len(code) == CODE_LENGTH
        if is_code:
            self._rates.check("claims", address)
        opened = self._store.use_transfer(self._hash(code if is_code else secret), device_name)
        if opened is None:
            if is_code:
                self._rates.count("claims", address)
            raise CodeRefusedError
        return SessionCreated(session_id=opened[0], token=opened[1])

    def _hash(self, value: str) -> str:
        # With a key: somebody with a copy of the database could try all 40 bits.
        return hmac.digest(self._key, value.encode("utf-8", "surrogatepass"), "sha256").hex()


def _identity(device: DeviceRow) -> Identity:
    return Identity(device.session_id, device.id, device.since_event)
