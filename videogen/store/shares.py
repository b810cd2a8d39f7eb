"""Queries of public links: changed by the owner, found by the slug."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, update
from sqlmodel import col, delete, select

from videogen.core.security import new_slug, token_hash
from videogen.db.tables import FileRow, GenerationRow, ShareRow
from videogen.store.base import BaseStore, count_anew, get_owned, require, visible

Shared = tuple[ShareRow, GenerationRow]
"""A link and its generation."""


class ShareStore(BaseStore):
    """Public links. Each holds until it is revoked or expires."""

    def put_share(self, session_id: str, generation_id: str, values: dict[str, Any]) -> Shared:
        """Set `values` of the generation's link; create the link where there is none that holds.

        Raises:
            NotFoundError: the generation is not this session's.
        """
        now = self.clock()
        with self.database.write() as unit:
            row = get_owned(unit.session, session_id, generation_id)
            of_row = col(ShareRow.generation_id) == row.id
            # An address that has expired never works again.
            unit.session.exec(delete(ShareRow).where(of_row, ~_unexpired(now)))
            share = unit.session.exec(select(ShareRow).where(of_row)).first()
            if share is None:
                slug = new_slug()
                share = ShareRow(
                    slug_hash=token_hash(slug), slug=slug, session_id=session_id, generation_id=row.id, created_at=now
                )
            unit.session.add(share.sqlmodel_update(values))
            return share, row

    def end_share(self, session_id: str, generation_id: str) -> None:
        """Revoke the generation's link, if there is one.

        Raises:
            NotFoundError: the generation is not this session's.
        """
        with self.database.write() as unit:
            row = get_owned(unit.session, session_id, generation_id)
            if unit.session.exec(delete(ShareRow).where(col(ShareRow.generation_id) == row.id)).rowcount:
                count_anew(row, self.clock())
                unit.session.add(row)

    def list_shares(self, session_id: str) -> list[Shared]:
        """The links of this session that hold, newest first."""
        query = (
            select(ShareRow, GenerationRow)
            .join(GenerationRow, col(ShareRow.generation_id) == col(GenerationRow.id))
            .where(ShareRow.session_id == session_id, _unexpired(self.clock()), visible())
            .order_by(col(ShareRow.created_at).desc(), col(ShareRow.slug_hash))
        )
        with self.database.read() as session:
            return [(share, row) for share, row in session.exec(query)]

    def find_share(self, slug: str) -> tuple[ShareRow, GenerationRow | None]:
        """The link with this slug, and its generation; None where the generation was deleted or is in the trash.

        The work is the same for every slug (a hash and one query), so that the duration reveals nothing.

        Raises:
            NotFoundError: the slug is unknown, revoked or malformed, or the link has expired. All look the same.
        """
        query = (
            select(ShareRow, GenerationRow)
            .join(GenerationRow, (col(ShareRow.generation_id) == col(GenerationRow.id)) & visible(), isouter=True)
            .where(ShareRow.slug_hash == token_hash(slug), _unexpired(self.clock()))
        )
        with self.database.read() as session:
            return require(session.exec(query).first())

    def count_view(self, slug_hash: str) -> None:
        """Count one view of a link, if it still exists."""
        statement = update(ShareRow).where(col(ShareRow.slug_hash) == slug_hash).values(views=col(ShareRow.views) + 1)
        with self.database.write(exclusive=False, durable=False) as unit:
            unit.connection.execute(statement)

    def shared_file(self, generation_id: str, file_id: str) -> FileRow | None:
        """A file of this generation, or None."""
        with self.database.read() as session:
            file = session.get(FileRow, file_id)
        return file if file is not None and file.generation_id == generation_id else None


def _unexpired(now: float) -> Any:
    return or_(col(ShareRow.expires_at).is_(None), col(ShareRow.expires_at) > now)
