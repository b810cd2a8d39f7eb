"""Queries of sessions, of the tokens (devices) that open them, and of the codes that transfer them to other devices."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, or_, update
from sqlmodel import col, delete, func, select

from videogen.core.errors import Limit, LimitExceededError, SessionRequiredError
from videogen.core.security import new_id, new_token, token_hash
from videogen.db.account_tables import MergeRow, TransferRow
from videogen.db.database import Database
from videogen.db.tables import DeviceRow, SessionRow
from videogen.store.base import BaseStore, require
from videogen.store.merge import current_session

MAX_DEVICES: Final = 50
"""Devices of one session."""
SEEN_SECONDS: Final = 3600.0
"""How old the time of a device's last use must be before a newer one is noted."""
# Built once: building a statement costs more than running it.
_BY_TOKEN: Final = select(DeviceRow).where(col(DeviceRow.token_hash) == bindparam("digest"))


class SessionStore(BaseStore):
    """Sessions, their devices and transfer codes. Tokens and codes are stored as hashes only."""

    def __init__(self, database: Database, *arguments: Any, **options: Any) -> None:
        super().__init__(database, *arguments, **options)
        self._seen: dict[str, float] = {}
        """When devices were used, as far as it is not written yet."""

    def create_session(self, session_id: str = "", token: str = "", name: str = "") -> tuple[str, str]:
        """Store a session with its first device; return its id and its token. One that is stored already stays.

        Args:
            session_id, token: of a signed token; random ones if they are empty.
            name: of the device.

        Raises:
            SessionRequiredError: the session is stored, and this token was signed out of it.
        """
        session_id, token = session_id or new_id("ses"), token or new_token()
        with self.database.write() as unit:
            # Two first writes of one browser may come at the same time.
            known = any(unit.session.get(table, session_id) is not None for table in (SessionRow, MergeRow))
            if not known:
                unit.session.add(SessionRow(id=session_id, created_at=self.clock()))
                unit.session.flush()
                unit.session.add(self._device(session_id, token, name))
            elif unit.session.exec(_BY_TOKEN, params={"digest": token_hash(token)}).first() is None:
                raise SessionRequiredError
        return session_id, token

    def _device(self, session_id: str, token: str, name: str) -> DeviceRow:
        now = self.clock()
        return DeviceRow(
            id=new_id("dev"),
            session_id=session_id,
            token_hash=token_hash(token),
            name=name,
            created_at=now,
            last_seen_at=now,
        )

    def find_device(self, token: str) -> DeviceRow | None:
        """The device that this token belongs to, and that opens its session; None for an unknown token."""
        with self.database.read(snapshot=False) as session:
            return session.exec(_BY_TOKEN, params={"digest": token_hash(token)}).first()

    def has_session(self, session_id: str) -> bool:
        """Whether a session is stored, or was until it was merged into another one."""
        with self.database.read() as session:
            return any(session.get(table, session_id) is not None for table in (SessionRow, MergeRow))

    def note_use(self, device: DeviceRow) -> None:
        """Note that a device is used now. It is written later, by `write_uses`: no request waits for it."""
        if (now := self.clock()) - device.last_seen_at >= SEEN_SECONDS:
            self._seen[device.id] = now

    def write_uses(self) -> None:
        """Write when devices were last used, as far as it is not written yet."""
        noted = dict(self._seen)
        if noted:
            of_device = col(DeviceRow.id) == bindparam("device")
            seen = update(DeviceRow).where(of_device).values(last_seen_at=bindparam("at"))
            with self.database.write() as unit:
                unit.connection.execute(seen, [{"device": device, "at": at} for device, at in noted.items()])
            for device, at in noted.items():
                if self._seen.get(device) == at:
                    del self._seen[device]

    def list_devices(self, session_id: str) -> list[DeviceRow]:
        """The devices of a session, the one that was used last first."""
        with self.database.read() as session:
            rows = list(session.exec(select(DeviceRow).where(DeviceRow.session_id == session_id)))
        for row in rows:
            row.last_seen_at = self._seen.get(row.id, row.last_seen_at)
        return sorted(rows, key=lambda row: row.last_seen_at, reverse=True)

    def remove_device(self, session_id: str, device_id: str) -> None:
        """Sign a device out: its token opens the session never again, and neither does a code that it may have made.

        Raises:
            NotFoundError: the session has no such device.
        """
        query = select(DeviceRow).where(DeviceRow.id == device_id, DeviceRow.session_id == session_id)
        with self.database.write() as unit:
            unit.session.delete(require(unit.session.exec(query).first()))
            unit.session.exec(delete(TransferRow).where(col(TransferRow.session_id) == session_id))

    def remove_other_devices(self, old_token: str) -> str:
        """Sign out all devices of a session but that of this token; return its new one. A pending code ends too.

        Raises:
            SessionRequiredError: that device was signed out meanwhile, or its token was replaced.
        """
        token = new_token()
        with self.database.write() as unit:
            row = unit.session.exec(_BY_TOKEN, params={"digest": token_hash(old_token)}).first()
            if row is None:
                raise SessionRequiredError
            row.token_hash, row.last_seen_at = token_hash(token), self.clock()
            unit.session.add(row)
            others = (col(DeviceRow.session_id) == row.session_id, col(DeviceRow.id) != row.id)
            unit.session.exec(delete(DeviceRow).where(*others))
            unit.session.exec(delete(TransferRow).where(col(TransferRow.session_id) == row.session_id))
        return token

    def put_transfer(self, row: TransferRow) -> None:
        """Store a one-time code, which replaces the session's last one."""
        with self.database.write() as unit:
            row.session_id = current_session(unit, row.session_id)
            unit.session.exec(delete(TransferRow).where(col(TransferRow.session_id) == row.session_id))
            unit.session.add(row)

    def drop_transfer(self, session_id: str) -> None:
        """Delete the session's code, if there is one."""
        with self.database.write() as unit:
            unit.session.exec(delete(TransferRow).where(col(TransferRow.session_id) == session_id))

    def use_transfer(self, digest: str, name: str = "") -> tuple[str, str] | None:
        """Use up the code with this hash; return its session's id and a new token, or None where there is none.

        Raises:
            LimitExceededError: the session has `MAX_DEVICES` devices; the code is still valid.
        """
        token = new_token()
        known = or_(col(TransferRow.code_hash) == digest, col(TransferRow.secret_hash) == digest)
        with self.database.write() as unit:
            valid = select(TransferRow).where(known, col(TransferRow.expires_at) > self.clock())
            row = unit.session.exec(valid).first()
            if row is None:
                return None
            devices = select(func.count()).select_from(DeviceRow).where(DeviceRow.session_id == row.session_id)
            if unit.session.exec(devices).one() >= MAX_DEVICES:
                words = f"A session has at most {MAX_DEVICES} devices. Sign one out first."
                raise LimitExceededError(words, 60, Limit("devices_per_session", MAX_DEVICES, MAX_DEVICES))
            unit.session.delete(row)
            unit.session.add(self._device(row.session_id, token, name))
            return row.session_id, token
