"""The engine seam: what renders, the frozen recipe it gets, and the context it reports to."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, Protocol, runtime_checkable

import orjson
from pydantic import BaseModel, Field

from videogen.schemas.base import Model
from videogen.schemas.engines import Capabilities, Cost
from videogen.schemas.generations import GenerationType, Join, Understanding


class RenderRequest(Model):
    """What a person asked for, checked against the engine's `settings` model.

    It is not the API's `GenerationCreate`, because an engine is chosen, and its settings are valid.
    """

    type: GenerationType = "video"
    prompt: str
    negative_prompt: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    input_digest: str | None = Field(default=None, description="SHA-256 of the image to start from, as hex")
    last_digest: str | None = Field(default=None, description="SHA-256 of the image to end with, as hex")


class Recipe(Model):
    """The engine's normalised, frozen form of a request: all that a render depends on.

    It is not the `RenderRequest`, because nothing is open any more: seed, sizes and versions are fixed. For an image,
    `num_frames` is 1, and `fps` is only the rate at which a frame function may count its time.
    """

    type: GenerationType = "video"
    engine: str
    engine_version: str
    prompt: str
    negative_prompt: str = ""
    seed: int = Field(ge=0, lt=2**63)
    width: int = Field(gt=0, multiple_of=2, description="pixels; even, as 4:2:0 needs")
    height: int = Field(gt=0, multiple_of=2, description="pixels; even, as 4:2:0 needs")
    fps: int = Field(gt=0)
    num_frames: int = Field(gt=0)
    settings: dict[str, Any] = Field(default_factory=dict, description="whatever else the engine fixes")
    input_digest: str | None = Field(default=None, description="SHA-256 of the image to start from, as hex")
    input_path: Path | None = Field(default=None, description="path of that image during the render")
    last_digest: str | None = Field(default=None, description="SHA-256 of the image to end with, as hex")
    last_path: Path | None = Field(default=None, description="path of that image during the render")
    understanding: Understanding | None = Field(default=None, description="what the engine made of the prompt")
    source: Source | None = Field(default=None, description="the finished video that some of `spans` are taken from")
    source_path: Path | None = Field(default=None, description="path of that video during the render")
    source_frame_path: Path | None = Field(default=None, description="path of its last frame that is kept, if known")
    spans: tuple[Span, ...] = Field(
        default=(), description="the parts of a video that is rendered in parts; empty: it is rendered as a whole"
    )

    @property
    def duration_seconds(self) -> float:
        """Length of the result in seconds; 0 for an image."""
        return self.num_frames / self.fps if self.type == "video" else 0.0

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON: the same recipe, the same digest, on any machine.

        An input image counts by its bytes, not by its path. `understanding` does not count: it changes no picture.
        """
        values = self.model_dump(mode="json", exclude={*PATHS, "understanding", "spans"})
        for name in ("last_digest", "source"):  # so that recipes from before there was one keep their digest
            if values[name] is None:
                del values[name]
        if self.spans:
            values["spans"] = [
                [span.num_frames, span.kept_from, span.recipe and span.recipe.digest] for span in self.spans
            ]
        return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()


class Source(Model):
    """The finished video that an extension keeps: by its bytes, not by whose it is."""

    digest: str = Field(description="SHA-256 of the video, as hex")
    frame_digest: str | None = Field(default=None, description="SHA-256 of its last kept frame as PNG, if it has one")


class Span(Model):
    """One part of a video that is rendered in parts. It begins where the one before ends."""

    num_frames: int = Field(gt=0)
    kept_from: int | None = Field(default=None, ge=0, description="its first frame in the source; null: it is rendered")
    join: Join = Field(default="start", description="how it begins; see `schemas.generations.Shot`")
    prompt: str = ""
    recipe: Recipe | None = Field(default=None, description="what renders it, or has rendered it; null: not known")


PATHS: Final = frozenset({"input_path", "last_path", "source_path", "source_frame_path"})
"""The fields of a recipe that hold paths of this machine; nobody else must see them."""


class Preset(Model):
    """A named prompt with settings, which the page shows as a picture: a click on it starts a render.

    An engine may have a sequence of these in an attribute `presets`.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", description="unique within its engine")
    title: str = Field(min_length=1, max_length=60)
    prompt: str = Field(min_length=1)
    negative_prompt: str = ""
    type: GenerationType = "video"
    settings: dict[str, Any] = Field(default_factory=dict, description="in the API's camelCase, as in a request")
    poster: Path | None = Field(default=None, description="a small WebP of about 16:9, a few kB")


class ProcessPolicy(Model):
    """How the child processes of an engine are used. An engine may have one in an attribute `process`."""

    mode: Literal["per_job", "sequential", "concurrent"] = Field(
        default="per_job",
        description="per_job: each job has a child of its own. sequential: a child stays, and takes the next job after "
        "the last one. concurrent: one child has all jobs of the engine, each on a thread of its own.",
    )
    imports: tuple[str, ...] = Field(
        default=("videogen.engines.frames",),
        description="modules that a child imports before it has a job; whatever is slow to import belongs here",
    )
    environment: tuple[str, ...] = Field(
        default=(), description="environment variables that children get in addition to the allow-list"
    )
    idle_seconds: float = Field(
        default=600.0, ge=0, description="a child that has stayed ends after so long without a job; 0: never"
    )
    memory_mb: int = Field(
        default=0,
        ge=0,
        description="MiB of memory that a child may take, with the processes that it has started and without mapped "
        "files; a child that takes more is killed. 0: nine tenths of the machine's memory. Linux only",
    )
    max_seconds: float = Field(
        default=6 * 3600.0, ge=0, description="a job whose attempt takes longer is stopped, and fails; 0: no limit"
    )
    cancel_seconds: float = Field(
        default=3.0, gt=0, description="how long a cancelled job has to stop by itself, until it is stopped by force"
    )
    keep_checkpoints: bool = Field(
        default=False,
        description="an attempt gets its checkpoint also if another version of the engine has saved it; for engines "
        "whose jobs go on at a service, and must never be sent there again",
    )


class Artifact(Model):
    """What a render made: files in its workdir, and their properties.

    A still has `content_type` image/png or image/webp, and `fps` 0. Width and height must be those of the file. The
    other values are corrected after the render: any video is made one that browsers play, whatever its format.

    What only the file knows, because another machine made it, may be 0: width and height, or the number of frames. Then
    it is taken from the file, and not compared with it.
    """

    path: Path
    poster_path: Path | None = None
    content_type: str = "video/mp4"
    width: int
    height: int
    fps: int
    num_frames: int
    has_audio: bool = Field(default=False, description="whether the file has sound; found out after the render")
    frame_paths: dict[int, Path] = Field(
        default_factory=dict,
        description="lossless PNGs of frames from which another render can go on, by the number of frames up to them",
    )

    @property
    def duration_seconds(self) -> float:
        """Length in seconds; 0 for a still."""
        return self.num_frames / self.fps if self.fps else 0.0


class RenderContext(Protocol):
    """What an engine can use while it renders; `checkpoint` is the newest one of its earlier attempts."""

    workdir: Path
    attempt: int
    checkpoint: dict[str, Any] | None

    def report(self, step: int, total: int, stage: str, message: str = "", *, estimated: bool = False) -> None:
        """Report progress: `step` of `total` (0 <= step <= total) in `stage`; `estimated`: it is not exactly known."""

    def alive(self) -> None:
        """Report that the job is still worked on, without progress: one that waits for long does not count as hung."""

    def spent(self, cost: Cost) -> None:
        """Report what the job costs. The newest report replaces the one before, also that of an earlier attempt."""

    def preview(self, image: Any) -> None:
        """Show an intermediate picture: uint8 array of shape (H, W, 3), RGB."""

    def save(self, checkpoint: dict[str, Any]) -> None:
        """Keep a checkpoint of JSON values. It is durable when this returns."""

    def raise_if_cancelled(self) -> None:
        """Raise `RenderCancelled` if the job was cancelled."""

    def wait(self, seconds: float) -> None:
        """Wait so long. A cancel ends it at once with `RenderCancelled`. When the server stops, this attempt ends here,
        and the next one goes on from the newest checkpoint."""


class RenderEnd(Exception):
    """A render ended without an artifact."""


class RenderCancelled(RenderEnd):
    """The job was cancelled, and the engine has stopped. Its text, if it has one, is shown to the owner."""


class RenderFailed(RenderEnd):
    """The engine could not render this recipe."""

    def __init__(self, message: str, *, code: str = "render_failed", retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class RenderLost(RenderEnd):
    """The rendering process ended without a result."""


class NeedsAttention(RenderEnd):
    """Its owner must decide what to do: a paid service may have the job, and it cannot be known whether.

    The generation stays `processing` in the stage `needs_attention`, without a worker, until it is resolved.
    """

    def __init__(
        self, message: str, *, sent_at: datetime | None = None, provider_id: str = "", look_at: str = ""
    ) -> None:
        """
        Args:
            message: what is known, and what is not.
            sent_at: when the job was sent to the service, with a time zone; None: it is not known.
            provider_id: the id of the job at the service; empty: it is not known.
            look_at: where the owner can look for it: an address, or words.
        """
        super().__init__(message)
        self.sent_at, self.provider_id, self.look_at = sent_at, provider_id, look_at


@runtime_checkable
class Engine(Protocol):
    """What renders. `render` is synchronous and always runs in a child process.

    Optional attributes: `presets` (a sequence of `Preset`), `process` (a `ProcessPolicy`), and these methods:

    - `explain(request: RenderRequest) -> Explanation`: what it would make of a request. It is called in the web process
      while people type, so it takes milliseconds, imports nothing heavy, and makes nothing up.
    - `extend(request: RenderRequest, before: Recipe) -> Recipe`: as `normalise`, for what comes after a video that
      `before` describes. The request has the length of what is added, and `input_digest` for the last frame. A recipe
      without `input_digest` goes on natively, without that picture. Engines without it go on from the picture.
    """

    id: str
    version: str
    title: str
    description: str
    settings: type[BaseModel]

    def probe(self) -> Capabilities:
        """Whether this engine can render here and now, and what it can do. Cheap: no model is loaded."""

    def normalise(self, request: RenderRequest) -> Recipe:
        """Turn a request into a recipe. Pure, except that a seed is drawn when none is given.

        Raises:
            pydantic.ValidationError: the settings are not this engine's.
        """

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """Render into `ctx.workdir`.

        Raises:
            RenderEnd: one of its subclasses says why there is no artifact.
        """
