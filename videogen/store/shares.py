"""Public links: made, changed, revoked by their owner; found by whoever knows the slug."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, update
from sqlmodel import Session, col, delete, select

from videogen.core.errors import NotFoundError
from videogen.core.security import new_slug, token_hash
from videogen.db.tables import FileRow, GenerationRow, ShareRow
from videogen.store.base import BaseStore
from videogen.store.trash import in_sight

Shared = tuple[ShareRow, GenerationRow]
"""A link, and the generation that it opens."""


class ShareStore(BaseStore):
    """Who may see one generation without owning it."""

    def put_share(self, session_id: str, generation_id: str, values: dict[str, Any]) -> Shared:
        """Set `values` of the generation's link; make one where there is none that holds.

        Raises:
            NotFoundError: the generation is not this session's.
        """
        now = self.clock()
        with self.database.write() as unit:
            row = _owned(unit.session, session_id, generation_id)
            share = unit.session.exec(select(ShareRow).where(ShareRow.generation_id == row.id)).first()
            if share is not None and not _holds(share, now):
                # An address that has stopped working never comes back to life.
                unit.session.delete(share)
                unit.session.flush()
                share = None
            if share is None:
                slug = new_slug()
                share = ShareRow(
                    slug_hash=token_hash(slug),
                    slug=slug,
                    session_id=session_id,
                    generation_id=row.id,
                    created_at=now,
                )
            for name, value in values.items():
                setattr(share, name, value)
            unit.session.add(share)
            return share, row

    def end_share(self, session_id: str, generation_id: str) -> None:
        """Revoke the generation's link; where there is none, nothing happens.

        Raises:
            NotFoundError: the generation is not this session's.
        """
        with self.database.write() as unit:
            row = _owned(unit.session, session_id, generation_id)
            unit.session.exec(delete(ShareRow).where(col(ShareRow.generation_id) == row.id))

    def list_shares(self, session_id: str) -> list[Shared]:
        """The links of this session that hold, newest first."""
        query = (
            select(ShareRow, GenerationRow)
            .join(GenerationRow, col(ShareRow.generation_id) == col(GenerationRow.id))
            .where(ShareRow.session_id == session_id, _still(self.clock()), in_sight())
            .order_by(col(ShareRow.created_at).desc(), col(ShareRow.slug_hash))
        )
        with self.database.read() as session:
            return [(share, row) for share, row in session.exec(query)]

    def find_share(self, slug: str) -> tuple[ShareRow, GenerationRow | None]:
        """The link of this slug; without its generation where that was deleted, for good or into the trash.

        Whatever the slug is, the same is done: a hash, and one look for it. So nothing can be told from the time.

        Raises:
            NotFoundError: it was guessed, revoked or malformed, or has expired; nobody can tell which.
        """
        query = (
            select(ShareRow, GenerationRow)
            .join(GenerationRow, (col(ShareRow.generation_id) == col(GenerationRow.id)) & in_sight(), isouter=True)
            .where(ShareRow.slug_hash == token_hash(slug), _still(self.clock()))
        )
        with self.database.read() as session:
            found = session.exec(query).first()
        if found is None:
            raise NotFoundError
        return found[0], found[1]

    def count_view(self, slug_hash: str) -> None:
        """Count one more view of a link, if it is still there."""
        statement = update(ShareRow).where(col(ShareRow.slug_hash) == slug_hash).values(views=col(ShareRow.views) + 1)
        with self.database.write() as unit:
            unit.connection.execute(statement)

    def shared_file(self, generation_id: str, file_id: str) -> FileRow | None:
        """A file of this generation, or None."""
        with self.database.read() as session:
            file = session.get(FileRow, file_id)
        return file if file is not None and file.generation_id == generation_id else None


def _owned(session: Session, session_id: str, generation_id: str) -> GenerationRow:
    mine = (GenerationRow.id == generation_id, GenerationRow.session_id == session_id)
    query = select(GenerationRow).where(*mine, in_sight())
    row = session.exec(query).first()
    if row is None:
        raise NotFoundError
    return row


def _holds(share: ShareRow, now: float) -> bool:
    return share.expires_at is None or share.expires_at > now


def _still(now: float) -> Any:
    return or_(col(ShareRow.expires_at).is_(None), col(ShareRow.expires_at) > now)
