"""Each call of the API as a value: what to send, and how to read the response. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from videogen.client.errors import ProtocolError, from_response
from videogen.client.links import absolute_links
from videogen.schemas.generations import GenerationType

M = TypeVar("M", bound=BaseModel)
API = "/api/v1"


class NoContent(BaseModel):
    """The model of an empty response."""


class Text(BaseModel):
    """The model of a response that is plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Call(Generic[M]):
    """One request, and the model of its JSON response. Fields that this version does not know are ignored.

    Attributes:
        options: further arguments of httpx: json, params, files, timeout.
        repeatable: whether it may be sent twice with the same effect as once.
        body: a file that is the body.
    """

    method: str
    path: str
    model: type[M]
    options: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    body: Path | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def result(self, response: httpx.Response, *, absolute: bool = False) -> M:
        """The value of a response, whose body must have been read; with `absolute` all links are.

        Raises:
            ApiError: the server refused the call.
            ProtocolError: the response does not follow the contract.
        """
        if not response.is_success:
            raise from_response(response)
        try:
            content = self._content(response)
            if absolute:
                content = absolute_links(content, response.url)
            return self.model.model_validate(content, extra="ignore")
        except ValueError as problem:
            raise ProtocolError(f"{self}: expected a {self.model.__name__}, got {problem}") from problem

    def _content(self, response: httpx.Response) -> Any:
        if self.model is Text:
            return {"text": response.text}
        return {} if self.model is NoContent else response.json()


class Images(TypedDict, total=False):
    """The ids of the images that a video starts from and ends with."""

    input_file_id: str | None
    last_frame_file_id: str | None


class GenerateOptions(Images, total=False):
    """The options of a prompt for one result; see `schemas.GenerationCreate`. With `extend` the prompt may be empty."""

    extend: str | None

    type: GenerationType
    negative_prompt: str
    engine: str | None
    settings: dict[str, Any]


class ExplainOptions(Images, total=False):
    """The options of a prompt that is explained; see `schemas.ExplainRequest`."""

    extend: str | None

    type: GenerationType
    negative_prompt: str
    settings: dict[str, Any]


class EditOptions(TypedDict, total=False):
    """What of a queued generation is changed."""

    prompt: str
    negative_prompt: str
    settings: dict[str, Any]


class RemakeOptions(TypedDict, total=False):
    """What of a shot is another when it is made again."""

    prompt: str
    seed: int
    followers: bool


class SubmitOptions(GenerateOptions, total=False):
    """The options of a prompt."""

    variations: int


class ListOptions(TypedDict, total=False):
    """Filters of a list; None means any. `status` is one status, or several with commas."""

    status: str | None
    q: str | None
    engine: str | None
    type: GenerationType | None
    favorite: bool | None
    cursor: str | None
    limit: int | None


class ShareOptions(TypedDict, total=False):
    """Properties of a public link. Without a key it does not change; `expires_in_seconds=None` means no expiry."""

    expires_in_seconds: int | None
    indexable: bool


def generation_path(generation_id: str) -> str:
    """The path of one generation."""
    return f"{API}/generations/{segment(generation_id)}"


def events_path(generation: str | None, project: str | None) -> str:
    """The stream of one generation, of one project, or of the whole session."""
    if generation and project:
        raise ValueError("watch: expected a generation or a project, got both")
    if generation:
        return f"{generation_path(generation)}/events"
    return f"{API}/projects/{segment(project)}/events" if project else f"{API}/events"


def segment(value: str) -> str:
    """One segment of a path, quoted."""
    return quote(value, safe="")
