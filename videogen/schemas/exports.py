"""A result in another format: made as a job, kept with its generation, and made again where it is gone."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, NamedTuple

from pydantic import Field

from videogen.schemas.base import Model
from videogen.schemas.generations import ErrorInfo

ExportFormat = Literal["webm", "gif", "png"]
ExportStatus = Literal["queued", "processing", "completed", "failed"]
EVENT: Final = "export"
"""The name of the events of an export's stream. Its data is an `Export`, its id the number of its last change."""


class FileKind(NamedTuple):
    """What kind of file a format gives."""

    ending: str
    content_type: str
    mark: str = ""
    """What its file name says beside the title."""


KINDS: Final[dict[ExportFormat, FileKind]] = {
    "webm": FileKind("webm", "video/webm"),
    "gif": FileKind("gif", "image/gif"),
    "png": FileKind("zip", "application/zip", "-frames"),
}


class ExportCreate(Model):
    """What a result is to be made into.

    `webm`: VP9 with the sound as Opus, in the size and the frame rate of the video. `gif`: up to 480 pixels wide and
    15 frames a second, with colours chosen for the clip, without sound. `png`: a zip of all frames, `frame_0001.png`
    and so on, lossless, without sound.
    """

    format: ExportFormat


class Export(Model):
    """One result in one format, as a job and as a file."""

    id: str
    generation_id: str
    format: ExportFormat
    status: ExportStatus
    progress: float = Field(ge=0, le=100)
    message: str = ""
    """Why it waits, where something holds it up."""
    name: str
    """The name under which the file is saved, such as `videogen-calm-lake-k3x9q2ab.webm`."""
    content_type: str
    sound_left_out: bool = False
    """Whether the video has sound that this format cannot have."""
    file_id: str | None = None
    url: str | None = None
    """A signed link to the file, once it is completed. Ask again for a new one."""
    size_bytes: int | None = None
    error: ErrorInfo | None = None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens, unless it is asked for again."""
        return self.status in ("completed", "failed")


class ExportList(Model):
    """The exports of one generation, the oldest first."""

    items: list[Export]
