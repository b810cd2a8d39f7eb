"""What a renderer child and its host say to each other: one closed union of frozen messages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from videogen.engines.base import Artifact, Recipe
from videogen.schemas.base import Model

MAX_LINE: Final = 1 << 20
"""Bytes in one message; a longer line is not ours."""

LOG_NAME: Final = "render.log"
LOG_HEAD: Final = "==="
"""Begins the line with which each attempt opens the log."""
CHECKPOINT_NAME: Final = "checkpoint.json"
CANCEL: Final = b"cancel\n"
SUSPEND: Final = b"suspend\n"
"""The server stops: end at the next checkpoint, after which another attempt can go on."""
MARK: Final = "VIDEOGEN_RENDERER"
"""Variable in the environment of what a renderer starts: the host's process id and the renderer's."""


class RenderJob(Model):
    """The request: the one line that a child gets on its standard input."""

    engine: str = Field(description="reference that `registry.load_engine` takes, not only the engine's id")
    recipe: Recipe
    workdir: Path = Field(description="folder of this generation; kept from attempt to attempt")
    attempt: int = Field(default=1, ge=1)
    checkpoint: dict[str, Any] | None = None


class Started(Model):
    """The child has its request and begins."""

    t: Literal["started"] = "started"
    pid: int
    step: int = 0
    resumed_at: int | None = Field(default=None, description="step of the checkpoint that it goes on from")


class Progress(Model):
    """The engine is at `step` of `total` in `stage`."""

    t: Literal["progress"] = "progress"
    step: int
    total: int
    stage: str
    message: str = ""


class Preview(Model):
    """A new intermediate picture lies at `path`, replaced whole each time."""

    t: Literal["preview"] = "preview"
    path: Path


class Checkpoint(Model):
    """The engine can go on from here; `data` is already durable in the workdir."""

    t: Literal["checkpoint"] = "checkpoint"
    data: dict[str, Any]


class Done(Model):
    """The end: there is an artifact, and a probe has read it."""

    t: Literal["done"] = "done"
    artifact: Artifact


class Cancelled(Model):
    """The end: stopped, as asked."""

    t: Literal["cancelled"] = "cancelled"
    step: int = 0


class Failed(Model):
    """The end: no artifact, and why."""

    t: Literal["failed"] = "failed"
    code: str
    message: str
    retryable: bool = False


_ENDS: Final = (Done, Cancelled, Failed)
Message = Started | Progress | Preview | Checkpoint | Done | Cancelled | Failed
_adapter: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="t")])


def encode(message: Model) -> bytes:
    """One JSON line, newline included."""
    return message.model_dump_json(by_alias=True).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Read one line of a child.

    Raises:
        pydantic.ValidationError: the line is not a message of this protocol.
    """
    return _adapter.validate_json(line)


def is_end(message: Message) -> bool:
    """Whether nothing comes after this message."""
    return isinstance(message, _ENDS)
