"""Generations as the API takes and returns them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from videogen.schemas.base import Model, PlainObject, Text
from videogen.schemas.status import NEEDS_ATTENTION, Status

GenerationType = Literal["video", "image"]
Join = Literal["start", "motion", "picture", "cut"]


class GenerationCreate(Model):
    """What `POST /generations` takes. `settings` is any JSON object here: only the engine's own model can check it."""

    type: GenerationType = "video"
    prompt: Text = Field(
        default="",
        description="What the video or image should show. Blank lines in that of a video separate shots, each of which "
        "goes on from the one before. It may be left out with `extend`: then it is that of the source's last shot.",
        examples=["ocean at sunset, slow pan"],
    )
    negative_prompt: Text = Field(default="", description="What it should not show. Not every engine uses it.")
    engine: Text | None = Field(default=None, description="An engine id from `GET /engines`; default: the app's own.")
    settings: PlainObject = Field(
        default_factory=dict,
        description="The engine's settings: width, height, durationSeconds, fps, seed, ...; see `GET /engines`.",
        examples=[{"width": 512, "height": 288, "durationSeconds": 4, "fps": 24, "seed": 7}],
    )
    input_file_id: Text | None = Field(
        default=None,
        description="An image of this session to start from: the id of an upload, or the `fileId` of a finished still.",
    )
    last_frame_file_id: Text | None = Field(
        default=None,
        description="An image of this session to end with; see `lastFrame` of an engine's capabilities.",
    )
    extend: Text | None = Field(
        default=None,
        max_length=100,
        description="The id of a finished video of this session. The new one has all of it and goes on from there; "
        "`durationSeconds` is that of the whole. What is not named (prompt, engine, seed, size, ...) is the source's.",
    )
    variations: int = Field(
        default=1, ge=1, le=8, strict=True, description="How many generations to make, each with another seed."
    )


class GenerationPatch(Model):
    """What `PATCH /generations/{id}` takes. A field that is missing is not changed."""

    title: Text | None = Field(default=None, max_length=200)
    favorite: bool | None = Field(default=None, strict=True)
    prompt: Text | None = Field(default=None, description="Only while it is queued, as the next two.")
    negative_prompt: Text | None = None
    settings: PlainObject | None = Field(
        default=None, description="The settings to change; the others stay. A seed of null draws a new one."
    )


class ListQuery(BaseModel):
    """The query parameters of `GET /generations`. A parameter that is missing means any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: str | None = Field(default=None, description="One status, or several with commas.")
    q: str | None = Field(default=None, max_length=200, description="Words in the prompt or the title.")
    engine: str | None = Field(default=None, max_length=100)
    type: GenerationType | None = None
    favorite: bool | None = None
    cursor: str | None = Field(default=None, max_length=100, description="`nextCursor` of the page before.")
    limit: int = Field(default=24, ge=1, le=100)


class ErrorInfo(Model):
    """Why a generation ended without a result."""

    code: str
    message: str
    retryable: bool


class Cost(Model):
    """A price."""

    amount: float = Field(ge=0, allow_inf_nan=False)
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217, such as USD.")
    estimated: bool = Field(default=True, description="False where exactly this amount is charged.")

    @classmethod
    def sum_of(cls, costs: Sequence[Cost]) -> Cost | None:
        """All together; None where there is none, or where they are in several currencies."""
        if len({cost.currency for cost in costs}) != 1:
            return None
        amount = round(sum(cost.amount for cost in costs), 6)
        return cls(amount=amount, currency=costs[0].currency, estimated=any(cost.estimated for cost in costs))


class Attention(Model):
    """What is known of a job at a service, of which it is not known whether the service has it."""

    sent_at: datetime | None = Field(default=None, description="When it was sent to the service; null: not known.")
    provider_id: str = Field(default="", description="Its id at the service; empty: not known.")
    look_at: str = Field(default="", description="Where to look for it: a link, or words. Any text: escape it in HTML.")


ResolveAction = Literal["look", "resubmit", "fail"]


class GenerationResolve(Model):
    """What `POST /generations/{id}/resolve` takes."""

    action: ResolveAction = Field(
        description="look: it is looked for at the service, and goes on if it is there. resubmit: it ends as failed, "
        "and a new generation with the same recipe and seed is made; it may be paid twice. fail: it ends as failed."
    )


class UnderstoodPhrase(Model):
    """A phrase of the prompt, and how the engine understood it."""

    phrase: str
    became: str
    role: Literal["subject", "setting", "other"] = Field(
        default="other",
        description="subject: something that is drawn, named first in `became`. setting: light, style, camera and the "
        "like. other: a position, or what must not be seen.",
    )


class Understanding(Model):
    """How an engine understood a prompt. The texts are user input: escape them in HTML."""

    understood: tuple[UnderstoodPhrase, ...] = Field(default=(), description="In the order of the prompt.")
    ignored: tuple[str, ...] = Field(default=(), description="Words that the engine did not understand.")
    unused: tuple[str, ...] = Field(
        default=(), description="Words that the engine knows and that have no effect here: `cinematic`, a second hour."
    )
    not_drawn: tuple[str, ...] = Field(
        default=(), description="The things of the prompt that will not be seen, by name: `Will Smith`, `spaghetti`."
    )
    abstract: bool = Field(default=False, description="True if nothing that can be shown was understood.")


class Shot(Model):
    """One part of a video that was rendered in parts."""

    prompt: str
    start_seconds: float
    duration_seconds: float
    kept: bool = Field(default=False, description="Whether it was taken from the video that this one goes on from.")
    join: Join = Field(
        description="How it begins. start: it is the first. motion: the motion before goes on. picture: the engine "
        "had only the last frame before it, so that the motion may change. cut: what is before it was made again later."
    )
    seed: int | None = Field(default=None, description="Null where it is not known.")
    understanding: Understanding | None = Field(default=None, description="As of a generation, of this prompt alone.")


class Generation(Model):
    """One video or image: its request, its status, its progress and its result."""

    id: str
    type: GenerationType
    status: Status
    project_id: str
    request_id: str
    file_id: str | None
    engine: str
    engine_version: str
    prompt: str
    negative_prompt: str
    settings: dict[str, Any]
    seed: int
    recipe_hash: str
    understanding: Understanding | None = Field(default=None, description="Null where the engine gives none.")
    input_file_id: str | None = Field(default=None, description="The image it starts from; see `GET /files/{id}`.")
    last_frame_file_id: str | None = Field(default=None, description="The image it ends with.")
    extends: str | None = Field(
        default=None, description="The id of the generation that it goes on from, which may have been deleted since."
    )
    shots: tuple[Shot, ...] = Field(default=(), description="Its parts in order; empty: rendered as a whole.")
    progress: float = Field(ge=0, le=100, description="0..100, and never falls within an attempt.")
    stage: str
    step: int
    total_steps: int
    message: str
    estimated: bool = Field(description="True where progress is an estimate, not a measured step.")
    queue_position: int | None = Field(description="In the queue of its engine: 1 is next; null when not queued.")
    wait_seconds: float
    expected_wait_seconds: float | None = Field(
        default=None, description="Until it should begin; null when unknown, and when not queued."
    )
    eta_seconds: float | None = Field(description="Until it should end. Null when unknown; never made up.")
    attempt: int
    preview_url: str | None
    video_url: str | None = Field(description="The MP4 of a completed video; null for an image.")
    image_url: str | None = Field(default=None, description="The picture of a completed image; null for a video.")
    poster_url: str | None
    width: int
    height: int
    duration_seconds: float = Field(description="0 for an image.")
    fps: int = Field(description="0 for an image.")
    has_audio: bool = Field(default=False, description="Whether the result has sound.")
    size_bytes: int | None
    title: str
    favorite: bool
    cost: Cost | None = Field(default=None, description="What it costs, or has cost; null where nobody says.")
    attention: Attention | None = Field(
        default=None,
        description="What is known, in the stage `needs_attention`, and if it ended in that stage; else null.",
    )
    error: ErrorInfo | None = Field(
        description="Why there is no result; of a completed one, that its file is gone (`file_missing`)."
    )
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None = Field(
        description="Until when it is kept; then it is removed for good. Null: for ever, or it has not ended yet. "
        "`POST /generations/{id}/keep` counts anew. Where the storage is full, what was used longest ago goes sooner."
    )

    @property
    def needs_attention(self) -> bool:
        """Whether it waits for its owner to resolve it; see `GenerationResolve`."""
        return self.status is Status.PROCESSING and self.stage == NEEDS_ATTENTION


class Project(Model):
    """The generations of one submit."""

    project_id: str
    request_id: str
    generations: list[Generation]


class GenerationPage(Model):
    """One page of the history, newest first."""

    items: list[Generation]
    next_cursor: str | None


class File(Model):
    """An image that a generation may start from: an upload, or the result of an image generation."""

    id: str
    content_type: str
    width: int
    height: int
    size_bytes: int
    created_at: datetime
    url: str = Field(description="Signed; valid for a day. Get the file again for a new one.")


class GenerationMove(Model):
    """What `POST /generations/{id}/move` takes."""

    before: Text | None = Field(
        max_length=100, description="The id of a queued generation of this session; null: after all of them."
    )


class Queue(Model):
    """The session's part of the queue."""

    paused: bool = Field(description="While true, nothing of it begins; what has begun goes on.")
    items: list[Generation] = Field(description="What runs, then what waits, in the order of service.")


class SettingsWarning(Model):
    """A value of a file that cannot be asked for here as it is."""

    field: str = Field(description="As in the errors of `POST /generations`, such as `settings.width`.")
    expected: str
    got: str
    used: Any = Field(default=None, description="What stands in `request` instead; null: nothing, or the same.")


class FileSettings(Model):
    """The settings that a file made by videogen carries, as a request that can be sent to `POST /generations`."""

    request: GenerationCreate
    engine: str = Field(description="The engine that made it; `request` has another where this one is not here.")
    engine_version: str = Field(description="Another version may make something else of the same settings.")
    had_image: bool = Field(
        description="It started from an image. `request` has it if this session still does; the file does not."
    )
    had_last_frame: bool = Field(default=False, description="The same for an image that it ended with.")
    warnings: list[SettingsWarning] = Field(description="Empty if the same can be asked for here.")
