"""The tables. Times are seconds since the epoch (UTC). Every row with an owner has the id of the session."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Connection, Index, event, false, text
from sqlmodel import Field, SQLModel

from videogen.core.text import searchable
from videogen.db import operating_tables as operating_tables
from videogen.db.columns import big, history_indexes, number, where_set, whole
from videogen.db.export_table import ExportRow as ExportRow
from videogen.db.quota_table import QuotaRow as QuotaRow
from videogen.schemas.status import Status


class SessionRow(SQLModel, table=True):
    """What one anonymous person owns. The tokens that open it are its devices."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ux_sessions_account", "account_id", unique=True),)

    id: str = Field(primary_key=True)
    created_at: float
    last_served_at: float = 0.0
    """When a worker last claimed a generation of this session. The session that was served longest ago is next."""
    queue_paused: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """While true, none of its queued generations begins; those that have begun go on."""
    account_id: str | None = None
    """Whose it is: an account has one session. None: whoever has a token of it."""


class ProjectRow(SQLModel, table=True):
    """The generations of one submit."""

    __tablename__ = "projects"
    __table_args__ = (Index("ux_projects_idempotency", "session_id", "idempotency_key", unique=True),)

    id: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE")
    request_id: str
    idempotency_key: str | None = None
    """NULLs are distinct in a unique index, so that requests without a key never collide."""
    body_hash: str
    created_at: float


class GenerationRow(SQLModel, table=True):
    """One video or image as it is stored.

    Another shape than the recipe or a request, because it has all of a generation's life: its queue position, lease,
    progress and result too.
    """

    __tablename__ = "generations"
    __table_args__ = (
        *history_indexes(),
        where_set("ix_generations_trash", "trashed_until"),
        Index("ix_generations_status", "status", "seq"),
        where_set("ix_generations_flagged", "flagged"),
        *(Index(f"ix_generations_{name}", name) for name in ("kept_from", "used_at")),
        {"sqlite_autoincrement": True},
    )

    seq: int | None = Field(default=None, sa_column=number())
    """Rises with every submit and is never reused: the order of the history and of the queue."""
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
    """The image it starts from. The foreign key keeps the upload."""
    last_frame_file_id: str | None = Field(default=None, foreign_key="uploads.id", index=True)
    """The image it ends with, which is kept as well."""
    extends: str | None = None  # the id of the generation that it goes on from, which may be deleted
    seed: int = Field(sa_type=BigInteger)
    width: int
    height: int
    fps: int
    duration_seconds: float

    progress: float = 0.0
    stage: str = "queued"
    step: int = Field(default=0, sa_column=whole())
    total_steps: int = Field(default=0, sa_column=whole())
    message: str = ""
    estimated: bool = False
    queue_position: int | None = None
    rank: int | None = Field(default=None, sa_column=whole(nullable=True))
    """Its order within its session, once the owner has changed it; before, that is `seq`."""
    expected_wait_seconds: float | None = None
    """From `updated_at` until it should start. `eta_seconds` is from `updated_at` until it should end."""
    eta_seconds: float | None = None

    address_hash: str | None = None
    """Whose it is by address, as a keyed hash, to count what is queued or running; None once it has ended."""
    attempt: int = 0
    lease_owner: str | None = None
    lease_until: float = 0.0
    cancel_requested: bool = False
    lost: int = 0
    """How many renderers it has lost. Restarts of the server do not count."""
    checkpoint: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    checkpoint_progress: float = 0.0
    checkpoint_step: int = Field(default=0, sa_column=whole())

    preview_file_id: str | None = None
    preview_version: int = 0
    file_id: str | None = None
    poster_file_id: str | None = None
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    has_audio: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    cost: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    """As `schemas.engines.Cost`."""
    attention: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    """As `schemas.generations.Attention`. It stays when the generation ends while its fate is not known."""

    title: str = ""
    favorite: bool = False
    error_code: str | None = None
    error_message: str | None = None
    error_retryable: bool | None = None
    flagged: str | None = None
    """Why the moderation hook wants the operator to look at it."""

    created_at: float
    started_at: float | None = None
    updated_at: float
    finished_at: float | None = None
    kept_from: float | None = None  # from when its retention counts: its end, or the last Keep
    used_at: float | None = None  # the last use, to within an hour; first its end
    trashed_until: float | None = None
    """Until when it can be restored, after its owner has deleted it; then it is removed. None: not in the trash."""
    search_text: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    """Title and prompt, normalised for the search; set by the listener below."""


@event.listens_for(GenerationRow, "before_insert")
@event.listens_for(GenerationRow, "before_update")
def _make_searchable(_mapper: Any, _connection: Connection, row: GenerationRow) -> None:
    row.search_text = searchable(row.title, row.prompt)


class RunRow(SQLModel, table=True):
    """How long one complete render took, with everything that decides its speed. It has no owner."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_kind", "engine", "engine_version", "type", "width", "height", "steps", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=number())
    engine: str
    engine_version: str
    type: str
    width: int
    height: int
    steps: int = Field(sa_column=whole())
    """From the recipe; 0 for an engine without steps."""
    frames: int = Field(sa_column=whole())
    startup: float
    """Seconds from the claim to the first frame."""
    seconds: float
    """Seconds from the claim to the complete file."""


class FileRow(SQLModel, table=True):
    """A file of a generation: its result, poster or preview. `key` is its key in the storage."""

    __tablename__ = "files"
    __table_args__ = (Index("ix_files_session_size", "session_id", "size_bytes"),)

    id: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE")
    generation_id: str = Field(foreign_key="generations.id", ondelete="CASCADE", index=True)
    kind: str
    key: str
    content_type: str
    size_bytes: int = Field(sa_type=BigInteger)
    created_at: float


class UploadRow(SQLModel, table=True):
    """An uploaded image that generations may start from. `digest` is the SHA-256 of its bytes.

    Only a merge of two sessions can leave one image twice in a session.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        Index("ix_uploads_digest", "session_id", "digest"),
        Index("ix_uploads_session_size", "session_id", "size_bytes"),
    )

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
    """A public link to one generation. It is found by the hash; the slug is stored to show it to the owner.

    A row without a generation means that the generation was deleted. A revoked link has no row.
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
    """One token of a session: the first one, or that of a device that used a one-time code. Stored as SHA-256 only."""

    __tablename__ = "devices"

    id: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", ondelete="CASCADE", index=True)
    token_hash: str = Field(unique=True)
    name: str = ""
    """Such as "Firefox on Linux"; empty where that is not known."""
    created_at: float
    last_seen_at: float
    """When the token was last used. It is written once an hour at most; see `SessionStore.note_use`."""
    since_event: int = Field(default=0, sa_column=Column(big(), nullable=False, server_default=text("0")))
    """The last event id before it came to this session from another one: it knows none of the events until then."""
    signed_in_at: float | None = None
    """When the person signed in with this very browser; None for a device that came in any other way."""


class OriginRow(SQLModel, table=True):
    """The id under which an imported generation was first made, so that it is imported once."""

    __tablename__ = "origins"

    session_id: str = Field(primary_key=True, foreign_key="sessions.id", ondelete="CASCADE")
    origin_id: str = Field(primary_key=True)
    generation_id: str = Field(foreign_key="generations.id", ondelete="CASCADE", unique=True)


class EventRow(SQLModel, table=True):
    """One stored event. Its id is the SSE id: given in commit order, never reused."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_session", "session_id", "id"),
        Index("ix_events_project", "project_id", "id"),
        Index("ix_events_generation", "generation_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=number())
    session_id: str
    project_id: str
    generation_id: str = Field(foreign_key="generations.id", ondelete="CASCADE")
    type: str
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: float


class RestoreRow(SQLModel, table=True):
    """One time that the database was restored from a snapshot."""

    __tablename__ = "restores"

    id: int | None = Field(default=None, primary_key=True)
    snapshot_at: float
    restored_at: float
    is_complete: bool
    """Nothing had changed after the snapshot: the server had stopped."""
    is_settled: bool = False
    """Whether it was decided what becomes of the jobs without a result."""
    events_after: int = Field(sa_type=BigInteger)
    """Events with numbers above this, and up to `events_until`, were lost, or never were."""
    events_until: int = Field(sa_type=BigInteger)
