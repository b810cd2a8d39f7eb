"""Queries of accounts: who has signed in, which session is whose, and the links with which a page signs in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from sqlalchemy import update
from sqlmodel import col, delete, func, select

from videogen.core.errors import NotFoundError, SessionRequiredError
from videogen.core.security import new_id, token_hash
from videogen.db.account_tables import AccountRow, LoginLinkRow, MergeRow, VisitorTokenRow
from videogen.db.database import UnitOfWork
from videogen.db.operating_tables import WebhookRow
from videogen.db.tables import DeviceRow, GenerationRow, SessionRow
from videogen.store.base import BaseStore
from videogen.store.events import Snapshot, last_event_id, make_snapshots
from videogen.store.merge import Merge, merge_sessions


@dataclass(frozen=True, slots=True)
class Person:
    """What a provider says of one who has signed in."""

    issuer: str
    subject: str
    username: str
    name: str
    picture: str = ""
    organisations: Sequence[str] = ()


class Contents(NamedTuple):
    """What a sign-in would bring to an account."""

    generations: int
    other_devices: int
    webhooks: int
    device_name: str
    account_id: str | None
    """The account that the session belongs to already."""


class AccountStore(BaseStore):
    """Accounts, and the sessions that belong to them."""

    def put_account(self, person: Person) -> AccountRow:
        """Store who has signed in, with the names as they are now."""
        now = self.clock()
        key = (AccountRow.issuer == person.issuer, AccountRow.subject == person.subject)
        values = {**asdict(person), "organisations": list(person.organisations), "last_seen_at": now}
        with self.database.write() as unit:
            row = unit.session.exec(select(AccountRow).where(*key)).first()
            row = row or AccountRow.model_validate({"id": new_id("acc"), "created_at": now, **values})
            unit.session.add(row.sqlmodel_update(values))
            return row

    def get_account(self, account_id: str) -> AccountRow | None:
        """An account by id."""
        with self.database.read() as session:
            return session.get(AccountRow, account_id)

    def account_of(self, session_id: str) -> AccountRow | None:
        """The account that a session belongs to; None for an anonymous one."""
        query = select(AccountRow).join(SessionRow, col(SessionRow.account_id) == AccountRow.id)
        with self.database.read() as session:
            return session.exec(query.where(SessionRow.id == session_id)).first()

    def username_of(self, session_id: str) -> str | None:
        """The user name, at the provider, of the account that a session belongs to; None for an anonymous one."""
        row = self.account_of(session_id)
        return row.username if row else None

    def signed_in(self, token: str, since: float) -> tuple[AccountRow, str] | None:
        """The account, and the device, of a person who has signed in with the browser of this token since then."""
        query = (
            select(AccountRow, DeviceRow.id)
            .join(SessionRow, col(SessionRow.account_id) == AccountRow.id)
            .join(DeviceRow, col(DeviceRow.session_id) == SessionRow.id)
            .where(DeviceRow.token_hash == token_hash(token), col(DeviceRow.signed_in_at) >= since)
        )
        with self.database.read() as session:
            return session.exec(query).first()

    def forget_sign_in(self, device_id: str) -> None:
        """Let a device count as one with which nobody has signed in. Its session stays the account's."""
        with self.database.write() as unit:
            changed = update(DeviceRow).where(col(DeviceRow.id) == device_id)
            unit.connection.execute(changed.values(signed_in_at=None))

    def put_login_link(self, session_id: str, device_id: str, secret_hash: str, expires_at: float) -> None:
        """Store a link with which one device of a session can sign in; it replaces the session's last one."""
        row = LoginLinkRow(session_id=session_id, device_id=device_id, secret_hash=secret_hash, expires_at=expires_at)
        with self.database.write() as unit:
            unit.session.exec(delete(LoginLinkRow).where(col(LoginLinkRow.session_id) == session_id))
            unit.session.add(row)

    def use_login_link(self, secret_hash: str) -> str | None:
        """Use up the link with this hash; return the id of the device that it is for, or None where there is none."""
        with self.database.write() as unit:
            row = unit.session.exec(select(LoginLinkRow).where(LoginLinkRow.secret_hash == secret_hash)).first()
            if row is None:
                return None
            unit.session.delete(row)
            return row.device_id if row.expires_at > self.clock() else None

    def device_of(self, token: str) -> DeviceRow | None:
        """The device that a token belongs to."""
        with self.database.read() as session:
            return session.exec(select(DeviceRow).where(DeviceRow.token_hash == token_hash(token))).first()

    def contents_of(self, device_id: str) -> Contents:
        """What a sign-in of this device would bring to the account. Raises NotFoundError: it was signed out."""
        with self.database.read() as session:
            device, owner = _device(session.get(DeviceRow, device_id)), None
            owner = session.get(SessionRow, device.session_id)
            count = select(func.count()).select_from(GenerationRow)
            generations = session.exec(count.where(GenerationRow.session_id == device.session_id)).one()
            devices = select(func.count()).select_from(DeviceRow).where(DeviceRow.session_id == device.session_id)
            others = session.exec(devices).one() - 1
            hooks = select(func.count()).select_from(WebhookRow).where(WebhookRow.session_id == device.session_id)
            webhooks = session.exec(hooks).one()
        return Contents(generations, others, webhooks, device.name, owner.account_id if owner else None)

    def connect(self, device_id: str, account_id: str, sealed_token: str = "", *, proven: bool = False) -> set[str]:
        """Tie a device's session to an account, and keep the access token of this sign-in.

        An anonymous session becomes the account's, or is merged into the one that the account has. From a session of
        another account only this device comes over. `proven`: it is the browser with which the person has signed in.

        Returns:
            the sessions whose open streams must end, because they are another's now.

        Raises:
            NotFoundError: the device was signed out meanwhile.
        """
        made = self._snapshots(device_id)
        with self.database.write() as unit:
            device = _device(unit.session.get(DeviceRow, device_id))
            device.signed_in_at = self.clock() if proven else None
            unit.session.add(device)
            moved = self._connect(unit, device, account_id, made)
            if sealed_token:
                names = {"device_id": device_id, "account_id": account_id}
                unit.session.merge(VisitorTokenRow(**names, sealed=sealed_token, created_at=self.clock()))
            return moved

    def _snapshots(self, device_id: str) -> dict[str, Snapshot]:
        """What a device's anonymous session has. Many are read in a second, in which nobody waits for this."""
        with self.database.read() as session:
            device = _device(session.get(DeviceRow, device_id))
            owner = session.get(SessionRow, device.session_id)
            if owner is None or owner.account_id is not None:
                return {}
            return make_snapshots(session.connection(), col(GenerationRow.session_id) == owner.id)

    def _connect(self, unit: UnitOfWork, device: DeviceRow, account_id: str, made: Mapping[str, Snapshot]) -> set[str]:
        source = device.session_id
        session = unit.session.get(SessionRow, source)
        assert session is not None, "a foreign key"
        target = unit.session.exec(select(SessionRow.id).where(SessionRow.account_id == account_id)).first()
        if target == source:
            return set()
        if session.account_id is None and target is None:
            session.account_id = account_id
            unit.session.add(session)
        elif session.account_id is None:
            assert target is not None
            return merge_sessions(unit, Merge(source, target, made), self.clock(), self.concurrency)
        else:
            self._move_device(unit, device, target or self._new_session(unit, account_id))
        return {source}

    def leave(self, token: str) -> str:
        """Sign the device of this token out of its session, for ever; return the session's id.

        Raises:
            SessionRequiredError: it was signed out before.
        """
        with self.database.write() as unit:
            query = select(DeviceRow).where(DeviceRow.token_hash == token_hash(token))
            device = unit.session.exec(query).first()
            if device is None:
                raise SessionRequiredError
            unit.session.delete(device)
            return device.session_id

    def _new_session(self, unit: UnitOfWork, account_id: str) -> str:
        row = SessionRow(id=new_id("ses"), created_at=self.clock(), account_id=account_id)
        unit.session.add(row)
        unit.session.flush()
        return row.id

    def _move_device(self, unit: UnitOfWork, device: DeviceRow, target: str) -> None:
        for table in (LoginLinkRow, VisitorTokenRow):
            unit.session.exec(delete(table).where(col(table.device_id) == device.id))
        device.session_id, device.since_event = target, last_event_id(unit.connection)
        unit.session.add(device)

    def merged_into(self, session_id: str) -> str | None:
        """The session that all of this one came to; None for one that was not merged."""
        with self.database.read() as session:
            row = session.get(MergeRow, session_id)
            return row.into_id if row else None


def _device(row: DeviceRow | None) -> DeviceRow:
    if row is None:
        raise NotFoundError("The page that asked for this sign-in was signed out. Load it again, and sign in there.")
    return row
