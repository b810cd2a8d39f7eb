"""Each call of the API as a value: what to send, and how to read the response. No I/O."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import BaseModel

from videogen.client.errors import ProtocolError, from_response
from videogen.schemas.engines import EngineList
from videogen.schemas.generations import (
    File,
    Generation,
    GenerationCreate,
    GenerationMove,
    GenerationPage,
    GenerationPatch,
    GenerationType,
    Project,
)
from videogen.schemas.history import Bundle, IdsPage, Restored, Trashed
from videogen.schemas.portability import Imported, Transfer
from videogen.schemas.sharing import Share, ShareCreate, ShareList
from videogen.schemas.system import Health, SessionCreated

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and how to read its response.

    Attributes:
        options: further arguments of httpx: json, params, files, timeout.
        repeatable: whether it may be sent twice with the same effect as once.
        body: a file that is the body.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    options: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    body: Path | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def result(self, response: httpx.Response) -> T:
        """The value of a response, whose body must have been read.

        Raises:
            ApiError: the server refused the call.
            ProtocolError: the response does not follow the contract.
        """
        if not response.is_success:
            raise from_response(response)
        try:
            return self.read(response)
        except ValueError as problem:
            raise ProtocolError(f"{self}: expected {_expected(self.read)}, got {problem}") from problem


class _Json(Generic[M]):
    """Reads a JSON response as a model. Fields that this version does not know are ignored."""

    def __init__(self, model: type[M]) -> None:
        self.model = model

    def __call__(self, response: httpx.Response) -> M:
        return self.model.model_validate(response.json(), extra="ignore")


def _expected(reader: Callable[[httpx.Response], Any]) -> str:
    return f"a {reader.model.__name__}" if isinstance(reader, _Json) else "an empty response"


def _read_nothing(_response: httpx.Response) -> None:
    return None


class GenerateOptions(TypedDict, total=False):
    """The options of a prompt for one result; see `schemas.GenerationCreate`."""

    type: GenerationType
    negative_prompt: str
    engine: str | None
    settings: dict[str, Any]
    input_file_id: str | None


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


def health() -> Call[Health]:
    """The name, version and state of the server."""
    return Call("GET", "/healthz", _Json(Health))


def create_session() -> Call[SessionCreated]:
    """Make a session. Not repeatable: each call makes another one."""
    return Call("POST", f"{API}/sessions", _Json(SessionCreated), repeatable=False)


def submit(prompt: str | GenerationCreate, key: str | None, options: SubmitOptions) -> Call[Project]:
    """Submit a prompt, always with a key: so it can be sent again when its response was lost."""
    request = GenerationCreate(prompt=prompt, **options) if isinstance(prompt, str) else prompt
    body = request.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    headers = {"Idempotency-Key": key or str(uuid4())}
    return Call("POST", f"{API}/generations", _Json(Project), {"json": body}, headers)


def get(generation_id: str) -> Call[Generation]:
    """The current state of one generation."""
    return Call("GET", _generation(generation_id), _Json(Generation))


def page(filters: ListOptions) -> Call[GenerationPage]:
    """One page of the history, newest first."""
    params = {key: value for key, value in filters.items() if value is not None}
    return Call("GET", f"{API}/generations", _Json(GenerationPage), {"params": params})


def patch(generation_id: str, title: str | None, favorite: bool | None) -> Call[Generation]:
    """Change the title or the favourite mark."""
    changes = GenerationPatch(title=title, favorite=favorite).model_dump(by_alias=True, exclude_none=True)
    return Call("PATCH", _generation(generation_id), _Json(Generation), {"json": changes})


def cancel(generation_id: str) -> Call[Generation]:
    """Stop a generation."""
    return Call("POST", f"{_generation(generation_id)}/cancel", _Json(Generation))


def move(generation_id: str, before: str | None) -> Call[Generation]:
    """Change the position of a queued generation among those of this session."""
    body = GenerationMove(before=before).model_dump(by_alias=True)
    return Call("POST", f"{_generation(generation_id)}/move", _Json(Generation), {"json": body})


def retry(generation_id: str) -> Call[Generation]:
    """Start a generation again. Not repeatable: each call starts another one."""
    return Call("POST", f"{_generation(generation_id)}/retry", _Json(Generation), repeatable=False)


def delete(generation_id: str) -> Call[None]:
    """Delete a generation. Not repeatable: the second call gets `not_found`."""
    return Call("DELETE", _generation(generation_id), _read_nothing, repeatable=False)


def trash(ids: Sequence[str]) -> Call[Trashed]:
    """Delete generations; `restore` undoes it."""
    return Call("POST", f"{API}/generations/trash", _Json(Trashed), {"json": {"ids": list(ids)}})


def restore(ids: Sequence[str]) -> Call[Restored]:
    """Undo `trash`."""
    return Call("POST", f"{API}/generations/restore", _Json(Restored), {"json": {"ids": list(ids)}})


def make_zip(ids: Sequence[str]) -> Call[Bundle]:
    """Get a link to a zip of these generations; a new link for each call."""
    return Call("POST", f"{API}/generations/zip", _Json(Bundle), {"json": {"ids": list(ids)}})


def ids_page(filters: ListOptions) -> Call[IdsPage]:
    """The ids of one page of the history, newest first."""
    params = {key: value for key, value in filters.items() if value is not None}
    return Call("GET", f"{API}/generations/ids", _Json(IdsPage), {"params": params})


def engines() -> Call[EngineList]:
    """The engines of the server."""
    return Call("GET", f"{API}/engines", _Json(EngineList))


def upload(data: bytes, name: str) -> Call[File]:
    """Send an input image. The same image again gives the same file."""
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Call("POST", f"{API}/files", _Json(File), {"files": {"file": (name, data, content_type)}})


def file(file_id: str) -> Call[File]:
    """An image and a new link to it."""
    return Call("GET", f"{API}/files/{quote(file_id, safe='')}", _Json(File))


def share(generation_id: str, options: ShareOptions) -> Call[Share]:
    """Make the public link of one generation, or change the existing one."""
    body = ShareCreate(**options).model_dump(by_alias=True, exclude_unset=True)
    return Call("POST", f"{_generation(generation_id)}/share", _Json(Share), {"json": body})


def shares() -> Call[ShareList]:
    """The public links of the session."""
    return Call("GET", f"{API}/shares", _Json(ShareList))


def unshare(generation_id: str) -> Call[None]:
    """Revoke the public link."""
    return Call("DELETE", f"{_generation(generation_id)}/share", _read_nothing)


def transfer() -> Call[Transfer]:
    """Make a one-time code for this session. The previous code becomes invalid."""
    return Call("POST", f"{API}/sessions/transfer", _Json(Transfer), repeatable=False)


def revoke_transfer() -> Call[None]:
    """Make the code invalid."""
    return Call("DELETE", f"{API}/sessions/transfer", _read_nothing)


def claim(code: str) -> Call[SessionCreated]:
    """Use a one-time code."""
    return Call("POST", f"{API}/sessions/claim", _Json(SessionCreated), {"json": {"code": code}}, repeatable=False)


def import_zip(path: Path, size: int) -> Call[Imported]:
    """Send an export. Sending it again adds nothing."""
    headers = {"Content-Length": str(size), "Content-Type": "application/zip"}
    timeout = httpx.Timeout(connect=5.0, read=600.0, write=60.0, pool=5.0)
    return Call("POST", f"{API}/import", _Json(Imported), {"timeout": timeout}, headers, body=path)


def events_path(generation: str | None, project: str | None) -> str:
    """The stream of one generation, of one project, or of the whole session."""
    if generation and project:
        raise ValueError("watch: expected a generation or a project, got both")
    if generation:
        return f"{_generation(generation)}/events"
    return f"{API}/projects/{_segment(project)}/events" if project else f"{API}/events"


def _generation(generation_id: str) -> str:
    return f"{API}/generations/{_segment(generation_id)}"


def _segment(value: str) -> str:
    return quote(value, safe="")
