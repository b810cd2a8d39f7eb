"""The tables. Times are seconds since the epoch (UTC); every row that a person owns carries its session."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Connection, Index, event, text
from sqlmodel import Field, SQLModel

from videogen.core.text import searchable
from videogen.schemas.status import Status


class SessionRow(SQLModel, table=True):
    """One anonymous browser or API client. Of its token only the SHA-256 is here."""

    __tablename__ = "sessions"

    id: str = Field(primary_key=True)
    token_hash: str = Field(unique=True)
    created_at: float
    last_served_at: float = 0.0
    """When a renderer last took a job of this session: who waited longest is next."""


class ProjectRow(SQLModel, table=True):
    """What one submit made."""

    __tablename__ = "projects"
    __table_args__ = (Index("ux_projects_idempotency", "session_id", "idempotency_key", unique=True),)

    id: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE")
    request_id: str
    idempotency_key: str | None = None
    """NULLs are distinct in a unique index, so that requests without a key never collide."""
    body_hash: str
    created_at: float


_FILTERED = ("trashed_until", "status", "type", "engine", "favorite", "search_text")


class GenerationRow(SQLModel, table=True):
    """One video or image, from its recipe to its result."""

    __tablename__ = "generations"
    __table_args__ = (
        # All that a filter asks for is in it: rows are read only for what is shown.
        Index("ix_generations_history", "session_id", "seq", *_FILTERED),
        Index("ix_generations_trash", "trashed_until", sqlite_where=text("trashed_until IS NOT NULL")),
        Index("ix_generations_status", "status", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: int | None = Field(default=None, primary_key=True)
    """Rises with every submit and is never used again: the order of the history and of the queue."""
    id: str = Field(unique=True)
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE")
    project_id: str = Field(foreign_key="projects.id", ondelete="CASCADE", index=True)
    request_id: str
    type: str
    status: str = Status.QUEUED.value
    engine: str
    engine_version: str
    prompt: str
    negative_prompt: str = ""
    settings: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    recipe: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    recipe_hash: str
    input_file_id: str | None = Field(default=None, foreign_key="uploads.id", index=True)
    """The image it starts from. The database keeps an upload as long as a generation names it."""
    seed: int = Field(sa_type=BigInteger)
    width: int
    height: int
    fps: int
    duration_seconds: float

    progress: float = 0.0
    stage: str = "queued"
    step: int = 0
    total_steps: int = 0
    message: str = ""
    estimated: bool = False
    queue_position: int | None = None
    rank: int | None = None
    """Its place among its own session's, where its owner has changed that; else `seq` is."""
    expected_wait_seconds: float | None = None
    """From `updated_at` until it should begin; of `eta_seconds`, which counts until it should end, the first part."""
    eta_seconds: float | None = None

    attempt: int = 0
    lease_owner: str | None = None
    lease_until: float = 0.0
    cancel_requested: bool = False
    lost: int = 0
    """How many renderers it has cost. Restarts of the server do not count."""
    checkpoint: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    checkpoint_progress: float = 0.0
    checkpoint_step: int = 0

    preview_file_id: str | None = None
    preview_version: int = 0
    file_id: str | None = None
    poster_file_id: str | None = None
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)

    title: str = ""
    favorite: bool = False
    error_code: str | None = None
    error_message: str | None = None
    error_retryable: bool | None = None

    created_at: float
    started_at: float | None = None
    updated_at: float
    finished_at: float | None = None
    expires_at: float | None = None
    trashed_until: float | None = None
    """Until when it can be restored, where its owner has deleted it. Then it is removed; it is out of sight already."""
    search_text: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    """Title and prompt as a search compares them; kept right by what is below."""


@event.listens_for(GenerationRow, "before_insert")
@event.listens_for(GenerationRow, "before_update")
def _make_searchable(_mapper: Any, _connection: Connection, row: GenerationRow) -> None:
    row.search_text = searchable(row.title, row.prompt)


class RunRow(SQLModel, table=True):
    """A whole render that ended with a result: how long it took, by what decides its pace. It belongs to nobody."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_kind", "engine", "engine_version", "type", "width", "height", "steps", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    engine: str
    engine_version: str
    type: str
    width: int
    height: int
    steps: int
    """As the recipe pins them; 0 for an engine without."""
    frames: int
    startup: float
    """Seconds from the claim until the renderer began to count."""
    seconds: float
    """Seconds from the claim until the file was whole."""


class FileRow(SQLModel, table=True):
    """Bytes that we keep: a video, a poster, a preview. `key` is their place in the storage."""

    __tablename__ = "files"

    id: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE", index=True)
    generation_id: str = Field(foreign_key="generations.id", ondelete="CASCADE", index=True)
    kind: str
    key: str
    content_type: str
    size_bytes: int = Field(sa_type=BigInteger)
    created_at: float


class UploadRow(SQLModel, table=True):
    """An image that generations may start from, as we keep it. `digest` is the SHA-256 of its bytes."""

    __tablename__ = "uploads"
    __table_args__ = (Index("ux_uploads_digest", "session_id", "digest", unique=True),)

    id: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE")
    digest: str
    key: str
    content_type: str
    width: int
    height: int
    size_bytes: int = Field(sa_type=BigInteger)
    created_at: float


class ShareRow(SQLModel, table=True):
    """A public link to one generation. It is found by the hash; the slug is kept so that its owner can be shown it.

    A row that has lost its generation tells that the generation was deleted. A revoked link has no row.
    """

    __tablename__ = "shares"

    slug_hash: str = Field(primary_key=True)
    slug: str
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE", index=True)
    generation_id: str | None = Field(foreign_key="generations.id", ondelete="SET NULL", unique=True)
    views: int = 0
    indexable: bool = False
    created_at: float
    expires_at: float | None = None


class DeviceRow(SQLModel, table=True):
    """Another token of a session: that of a device that came by a one-time code. Only its SHA-256 is here."""

    __tablename__ = "devices"

    token_hash: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE", index=True)
    created_at: float


class TransferRow(SQLModel, table=True):
    """A one-time code that was not used yet. Of the code and of the link's secret only keyed hashes are here."""

    __tablename__ = "transfers"

    session_id: str = Field(primary_key=True, foreign_key="sessions.id", ondelete="CASCADE")
    code_hash: str = Field(unique=True)
    secret_hash: str = Field(unique=True)
    expires_at: float


class OriginRow(SQLModel, table=True):
    """Where an imported generation came from: the id it was first made under. The same is imported once."""

    __tablename__ = "origins"

    session_id: str = Field(primary_key=True, foreign_key="sessions.id", ondelete="CASCADE")
    origin_id: str = Field(primary_key=True)
    generation_id: str = Field(foreign_key="generations.id", ondelete="CASCADE", unique=True)


class EventRow(SQLModel, table=True):
    """One stored event. Its id is the SSE id: given in commit order, never used again."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_session", "session_id", "id"),
        Index("ix_events_project", "project_id", "id"),
        Index("ix_events_generation", "generation_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    session_id: str
    project_id: str
    generation_id: str = Field(foreign_key="generations.id", ondelete="CASCADE")
    type: str
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: float
