"""The three events a generation tells: one closed union of frozen values."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from videogen.schemas.base import Model
from videogen.schemas.status import Status

EventType = Literal["render_progress", "render_result", "error"]


class BaseEvent(Model):
    """What every event carries. `id` is the SSE id; it rises strictly within a session."""

    id: int = Field(exclude=True)
    generation_id: str
    project_id: str
    request_id: str
    status: Status
    progress: float = Field(ge=0, le=100)
    attempt: int
    at: datetime


class RenderProgress(BaseEvent):
    """A full snapshot of a generation that is queued or running; never a delta."""

    type: Literal["render_progress"] = Field(default="render_progress", exclude=True)
    stage: str = ""
    step: int = 0
    total_steps: int = 0
    message: str = ""
    queue_position: int | None = None
    expected_wait_seconds: float | None = None
    eta_seconds: float | None = None
    estimated: bool = False
    preview_url: str | None = None


class RenderResult(BaseEvent):
    """The end of a generation that made its file."""

    type: Literal["render_result"] = Field(default="render_result", exclude=True)
    file_id: str
    video_url: str | None = None
    image_url: str | None = None
    poster_url: str | None = None
    width: int
    height: int
    duration_seconds: float
    fps: int
    size_bytes: int


class RenderError(BaseEvent):
    """The end of a generation that failed or was cancelled (`code` is then `cancelled`)."""

    type: Literal["error"] = Field(default="error", exclude=True)
    code: str
    message: str
    retryable: bool


Event = Annotated[RenderProgress | RenderResult | RenderError, Field(discriminator="type")]
_adapter: TypeAdapter[RenderProgress | RenderResult | RenderError] = TypeAdapter(Event)


def is_terminal(event_type: str) -> bool:
    """Whether an event of this type ends its generation's stream."""
    return event_type != "render_progress"


def decode(event_type: str, event_id: int, data: dict[str, Any]) -> RenderProgress | RenderResult | RenderError:
    """Build the typed event from one SSE message. Fields that this version does not know are ignored.

    Raises:
        pydantic.ValidationError: the message is not an event of this contract.
    """
    return _adapter.validate_python({**data, "type": event_type, "id": event_id}, extra="ignore")
