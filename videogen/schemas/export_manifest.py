"""The manifest of an export: `manifest.json`, the last file of the zip."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field

from videogen.schemas.base import Model, PlainObject, Text
from videogen.schemas.generations import Cost, ErrorInfo, GenerationType

FORMAT: Final = "videogen-export"
VERSION: Final = 1
NAME: Final = "manifest.json"
MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ENTRIES: Final = 20_000

_STEM: Final = r"[^\x00-,./:-@\[-^`{-\x9f]{1,130}"
"""A file name without its ending: ASCII letters, digits, hyphens and underscores, and all other scripts."""

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$", strict=True)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", strict=True)]
Pixels = Annotated[int, Field(ge=0, le=32768, strict=True)]


def _since_1970(value: datetime) -> datetime:
    # The first and the last year are left out: a time zone could move them out of what a date can be.
    if not 1970 <= value.year <= 9998:
        raise ValueError("a date between 1970 and 9998")
    return value


Moment = Annotated[datetime, AfterValidator(_since_1970)]


class _Tolerant(Model):
    # A later release may add fields. It must not change the meaning of one without a new version.
    model_config = ConfigDict(extra="ignore")


class ExportedFile(_Tolerant):
    """One file of the zip; `path` is its name in the zip."""

    path: Annotated[str, Field(pattern=rf"^(videos|images|posters|frames)/{_STEM}\.(mp4|png|jpg)$", strict=True)]
    sha256: Digest
    size_bytes: int = Field(ge=1, strict=True)


class ExportedGeneration(_Tolerant):
    """One generation that has ended. `id` is its first id, which exports and imports do not change."""

    id: Id
    type: GenerationType
    status: Literal["completed", "failed", "cancelled"]
    prompt: Annotated[Text, Field(min_length=1, max_length=100_000)]
    negative_prompt: Annotated[Text, Field(max_length=100_000)] = ""
    engine: Annotated[Text, Field(min_length=1, max_length=100)]
    engine_version: Annotated[Text, Field(max_length=100)]
    settings: PlainObject
    recipe_hash: Annotated[Text, Field(max_length=128)] = ""
    seed: int = Field(ge=0, lt=2**63, strict=True)
    width: Pixels
    height: Pixels
    fps: int = Field(ge=0, le=1000, strict=True)
    duration_seconds: float = Field(ge=0, le=1e6, allow_inf_nan=False)
    has_audio: bool = Field(default=False, strict=True)
    title: Annotated[Text, Field(max_length=200)] = ""
    favorite: bool = False
    error: ErrorInfo | None = None
    cost: Cost | None = None
    created_at: Moment
    started_at: Moment | None = None
    finished_at: Moment | None = None
    result: ExportedFile | None = None
    poster: ExportedFile | None = None
    last_frame: ExportedFile | None = Field(default=None, description="Lossless: an extension goes on from it.")


class Manifest(_Tolerant):
    """The whole manifest. `left_out` counts the generations that were not exported: active, or without their file."""

    format: Literal["videogen-export"] = "videogen-export"
    version: int = Field(default=VERSION, ge=1, le=VERSION)
    app_version: str = Field(default="", max_length=100)
    exported_at: Moment
    left_out: int = Field(default=0, ge=0)
    generations: list[ExportedGeneration] = Field(max_length=MAX_ENTRIES)
