"""The three kinds of event, as closed unions of frozen models: as they are stored, and as clients receive them.

Both share their fields. A stored event refers to a file by its id; a public one has a signed link, which is made when
the event is sent. Every event is a full snapshot of its generation, never a delta.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, TypeAdapter

from videogen.schemas.base import Model
from videogen.schemas.generations import Attention, Cost, GenerationType
from videogen.schemas.status import NEEDS_ATTENTION, Status

EventType = Literal["render_progress", "render_result", "error"]


def _iso_milliseconds(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _null_as(default: str | int) -> BeforeValidator:
    return BeforeValidator(lambda value: default if value is None else value)


class EventData(Model):
    """What every event carries."""

    generation_id: str
    project_id: str
    request_id: str
    status: Status
    progress: float = Field(ge=0, le=100)
    attempt: int
    at: Annotated[datetime, PlainSerializer(_iso_milliseconds, return_type=str, when_used="json")]


class ProgressData(EventData):
    """State of a generation that is queued or running."""

    stage: str = ""
    step: int = 0
    total_steps: int = 0
    message: str = ""
    queue_position: int | None = None
    expected_wait_seconds: float | None = None
    eta_seconds: float | None = None
    estimated: bool = False
    attention: Attention | None = None
    """What is known in the stage `needs_attention`; else null."""
    cost: Cost | None = None
    recipe_hash: str = ""
    """Of the generation as it is now: its owner may change its request while it is queued."""

    @property
    def needs_attention(self) -> bool:
        """Whether it waits for its owner; see `GenerationResolve`."""
        return self.stage == NEEDS_ATTENTION


class ResultData(EventData):
    """The end of a generation that has a result."""

    file_id: str
    width: int
    height: int
    duration_seconds: float
    fps: int
    has_audio: bool = False
    size_bytes: int
    cost: Cost | None = None


class ErrorData(EventData):
    """The end of a generation that failed or was cancelled (`code` is then `cancelled`)."""

    code: str
    message: str
    retryable: bool
    cost: Cost | None = None


class ProgressRecord(ProgressData):
    """`render_progress` as it is stored."""

    preview_file_id: str | None = None
    preview_version: int = 0


class ResultRecord(ResultData):
    """`render_result` as it is stored. Events from before there were images have no `type`."""

    # Null only in a damaged database.
    file_id: Annotated[str, _null_as("")]
    size_bytes: Annotated[int, _null_as(0)]
    type: GenerationType = "video"
    poster_file_id: str | None = None


class ErrorRecord(ErrorData):
    """`error` as it is stored. The reason is null where an imported file did not have it."""

    code: Annotated[str, _null_as("")]
    message: Annotated[str, _null_as("")]


EventRecord = ProgressRecord | ResultRecord | ErrorRecord
RECORDS: Final[dict[EventType, type[EventRecord]]] = {
    "render_progress": ProgressRecord,
    "render_result": ResultRecord,
    "error": ErrorRecord,
}


class BaseEvent(EventData):
    """A public event. `id` is the SSE id; it rises strictly within a session."""

    id: int = Field(exclude=True)


class RenderProgress(ProgressData, BaseEvent):
    """State of a generation that is queued or running."""

    type: Literal["render_progress"] = Field(default="render_progress", exclude=True)
    preview_url: str | None = None


class RenderResult(ResultData, BaseEvent):
    """The end of a generation that has a result."""

    type: Literal["render_result"] = Field(default="render_result", exclude=True)
    video_url: str | None = None
    image_url: str | None = None
    poster_url: str | None = None


class RenderError(ErrorData, BaseEvent):
    """The end of a generation that failed or was cancelled (`code` is then `cancelled`)."""

    type: Literal["error"] = Field(default="error", exclude=True)


Event = Annotated[RenderProgress | RenderResult | RenderError, Field(discriminator="type")]
_adapter: TypeAdapter[Event] = TypeAdapter(Event)


def is_terminal(event_type: str) -> bool:
    """Whether an event of this type ends its generation's stream."""
    return event_type != "render_progress"


def decode(event_type: str, event_id: int, data: dict[str, Any]) -> Event:
    """Build the typed event from one SSE message. Fields that this version does not know are ignored.

    Raises:
        pydantic.ValidationError: the message is not an event of this contract.
    """
    return _adapter.validate_python({**data, "type": event_type, "id": event_id}, extra="ignore")
