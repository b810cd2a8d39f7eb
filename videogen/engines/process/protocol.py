"""The messages between a renderer child and its host. Each one names its job: a generation and an attempt."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pydantic import Field

from videogen.engines.base import Artifact, Recipe
from videogen.schemas.base import Model
from videogen.schemas.engines import Cost

MAX_LINE: Final = 1 << 20
"""The largest size of a message in bytes."""

LOG_NAME: Final = "render.log"
LOG_HEAD: Final = "==="
"""The start of the line that each attempt writes first into the log."""
CHECKPOINT_NAME: Final = "checkpoint.json"
MARK: Final = "VIDEOGEN_RENDERER"
"""Environment variable of the processes that a renderer starts: process id of the host, process id of the renderer."""


class JobKey(NamedTuple):
    """Identifies one attempt at one generation."""

    generation_id: str
    attempt: int


class RenderJob(Model):
    """One attempt at a recipe, as it is sent to a child.

    It is not the `Recipe`, because it also holds what differs between attempts and machines.
    """

    engine: str = Field(description="reference for `registry.load_engine`, not only the engine's id")
    recipe: Recipe
    generation_id: str
    workdir: Path = Field(description="folder of this generation; all attempts use the same one")
    attempt: int = Field(default=1, ge=1)
    checkpoint: dict[str, Any] | None = None
    account_key: str = Field(default="", repr=False, description="see `ChildContext`; never stored")

    @property
    def key(self) -> JobKey:
        """The name of this job in messages."""
        return JobKey(self.generation_id, self.attempt)


class Start(Model):
    """To the child: render this job."""

    t: Literal["start"] = "start"
    job: RenderJob


class Cancel(Model):
    """To the child: stop this job."""

    t: Literal["cancel"] = "cancel"


class Abandon(Model):
    """To the child: another attempt has this job now, or nobody; end without a trace."""

    t: Literal["abandon"] = "abandon"


class Suspend(Model):
    """To the child: the server stops; end this job at its next checkpoint. Another attempt goes on from there."""

    t: Literal["suspend"] = "suspend"


class Started(Model):
    """The child has loaded the engine and begins."""

    t: Literal["started"] = "started"
    pid: int
    resumed_at: int | None = Field(default=None, description="step of the checkpoint that the render goes on from")


class Progress(Model):
    """The engine is at `step` of `total` in `stage`."""

    t: Literal["progress"] = "progress"
    step: int
    total: int
    stage: str
    message: str = ""
    estimated: bool = False


class Alive(Model):
    """The job is still worked on; there is no progress to report."""

    t: Literal["alive"] = "alive"


class LogLine(Model):
    """The engine, or what it uses, logged a warning or an error. It is in the job's log too."""

    t: Literal["log"] = "log"
    level: int
    logger: str
    message: str
    exception: str = ""


class Spent(Model):
    """What the job costs. Each one replaces the one before."""

    t: Literal["spent"] = "spent"
    cost: Cost


class Preview(Model):
    """There is a new intermediate picture at `path`. Each one replaces the one before."""

    t: Literal["preview"] = "preview"
    path: Path


class Checkpoint(Model):
    """The engine can go on from here; `data` is already durable in the workdir. Empty: there is no checkpoint."""

    t: Literal["checkpoint"] = "checkpoint"
    data: dict[str, Any]


class Done(Model):
    """The end: the artifact is complete, and a probe could read it."""

    t: Literal["done"] = "done"
    artifact: Artifact


class Cancelled(Model):
    """The end: the job was cancelled."""

    t: Literal["cancelled"] = "cancelled"
    step: int = 0
    message: str = ""


class Failed(Model):
    """The end: there is no artifact, for this reason."""

    t: Literal["failed"] = "failed"
    code: str
    message: str
    retryable: bool = False


class NeedsAttention(Model):
    """The end of this attempt: the owner must decide what to do. See `engines.base.NeedsAttention`."""

    t: Literal["needs_attention"] = "needs_attention"
    message: str
    sent_at: datetime | None = None
    provider_id: str = ""
    look_at: str = ""


class Suspended(Model):
    """The end of this attempt: the job was suspended at a checkpoint."""

    t: Literal["suspended"] = "suspended"


End = Done | Cancelled | Failed | NeedsAttention | Suspended
Command = Cancel | Abandon | Suspend
Message = Start | Command | Started | Progress | Alive | LogLine | Spent | Preview | Checkpoint | End


class _Envelope(Model):
    key: JobKey
    message: Message = Field(discriminator="t")


def encode(key: JobKey, message: Message) -> bytes:
    """Return a message about a job as one JSON line, with its newline."""
    return _Envelope(key=key, message=message).model_dump_json(by_alias=True).encode() + b"\n"


def decode(line: bytes) -> tuple[JobKey, Message]:
    """Read one line. Raises pydantic.ValidationError if it is not a message of this protocol."""
    envelope = _Envelope.model_validate_json(line)
    return envelope.key, envelope.message


def is_end(message: Message) -> bool:
    """Whether this message is the last one about its job."""
    return isinstance(message, End)
