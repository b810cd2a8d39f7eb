"""Each call of the API as a value: what to send, and how to read the answer. No I/O: both clients send these."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import ValidationError

from videogen.client.decode import read
from videogen.client.errors import ProtocolError, from_response
from videogen.schemas.base import Model
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
M = TypeVar("M", bound=Model)
API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and the reader of its answer.

    Attributes:
        repeatable: whether sending it twice does no more than sending it once.
        body: a file to send as it is.
        options: what httpx takes beside: json, params, files, timeout.
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

    def answer(self, response: httpx.Response) -> T:
        """What a response means; its body must have been read.

        Raises:
            ApiError: it is a refusal.
            ProtocolError: it is not what the contract says.
        """
        if not response.is_success:
            raise from_response(response)
        try:
            return self.read(response)
        except (ValidationError, ValueError) as problem:
            raise ProtocolError(f"{self}: expected {_wanted(self.read)}, got {problem}") from problem


class _As(Generic[M]):
    """Reads a JSON answer as a model, leaving out what this version does not know."""

    def __init__(self, model: type[M]) -> None:
        self.model = model

    def __call__(self, response: httpx.Response) -> M:
        return read(self.model, response.json())


def _wanted(reader: Callable[[httpx.Response], Any]) -> str:
    return f"a {reader.model.__name__}" if isinstance(reader, _As) else "an empty answer"


def _nothing(_response: httpx.Response) -> None:
    return None


class SubmitOptions(TypedDict, total=False):
    """What may stand beside a prompt; see `schemas.GenerationCreate`."""

    type: GenerationType
    negative_prompt: str
    engine: str | None
    settings: dict[str, Any]
    input_file_id: str | None
    variations: int


class ListOptions(TypedDict, total=False):
    """What a list may be narrowed to; nothing means any. `status` is one, or several with commas."""

    status: str | None
    q: str | None
    engine: str | None
    type: GenerationType | None
    favorite: bool | None
    cursor: str | None
    limit: int | None


class ShareOptions(TypedDict, total=False):
    """How a public link should be; what is left out stays as it is. No expiry is None."""

    expires_in_seconds: int | None
    indexable: bool


def health() -> Call[Health]:
    """Who answers there, and in which version."""
    return Call("GET", "/healthz", _As(Health))


def create_session() -> Call[SessionCreated]:
    """Not repeatable: each makes one more."""
    return Call("POST", f"{API}/sessions", _As(SessionCreated), repeatable=False)


def submit(prompt: str | GenerationCreate, key: str | None, options: SubmitOptions) -> Call[Project]:
    """With a key always, so that a submit whose answer was lost can be sent again."""
    request = GenerationCreate(prompt=prompt, **options) if isinstance(prompt, str) else prompt
    body = request.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    headers = {"Idempotency-Key": key or str(uuid4())}
    return Call("POST", f"{API}/generations", _As(Project), {"json": body}, headers)


def get(generation_id: str) -> Call[Generation]:
    """One generation as it is now."""
    return Call("GET", _generation(generation_id), _As(Generation))


def page(wanted: ListOptions) -> Call[GenerationPage]:
    """One page of the history, newest first."""
    params = {key: value for key, value in wanted.items() if value is not None}
    return Call("GET", f"{API}/generations", _As(GenerationPage), {"params": params})


def patch(generation_id: str, title: str | None, favorite: bool | None) -> Call[Generation]:
    """Change the title or the favourite mark."""
    changes = GenerationPatch(title=title, favorite=favorite).model_dump(by_alias=True, exclude_none=True)
    return Call("PATCH", _generation(generation_id), _As(Generation), {"json": changes})


def cancel(generation_id: str) -> Call[Generation]:
    """Stop a generation."""
    return Call("POST", f"{_generation(generation_id)}/cancel", _As(Generation))


def move(generation_id: str, before: str | None) -> Call[Generation]:
    """Give a queued generation another place among the own ones."""
    body = GenerationMove(before=before).model_dump(by_alias=True)
    return Call("POST", f"{_generation(generation_id)}/move", _As(Generation), {"json": body})


def retry(generation_id: str) -> Call[Generation]:
    """Not repeatable: each starts one more."""
    return Call("POST", f"{_generation(generation_id)}/retry", _As(Generation), repeatable=False)


def delete(generation_id: str) -> Call[None]:
    """Not repeatable: the second time it is not found."""
    return Call("DELETE", _generation(generation_id), _nothing, repeatable=False)


def trash(ids: Sequence[str]) -> Call[Trashed]:
    """Delete in a way that can be undone."""
    return Call("POST", f"{API}/generations/trash", _As(Trashed), {"json": {"ids": list(ids)}})


def restore(ids: Sequence[str]) -> Call[Restored]:
    """Undo that."""
    return Call("POST", f"{API}/generations/restore", _As(Restored), {"json": {"ids": list(ids)}})


def make_zip(ids: Sequence[str]) -> Call[Bundle]:
    """Get a link to a zip of these; another link each time."""
    return Call("POST", f"{API}/generations/zip", _As(Bundle), {"json": {"ids": list(ids)}})


def ids_page(wanted: ListOptions) -> Call[IdsPage]:
    """The ids of one page of the history, newest first."""
    params = {key: value for key, value in wanted.items() if value is not None}
    return Call("GET", f"{API}/generations/ids", _As(IdsPage), {"params": params})


def engines() -> Call[EngineList]:
    """The engines on offer."""
    return Call("GET", f"{API}/engines", _As(EngineList))


def upload(data: bytes, name: str) -> Call[File]:
    """Send an image to start from. The same image again gives the same file."""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Call("POST", f"{API}/files", _As(File), {"files": {"file": (name, data, kind)}})


def file(file_id: str) -> Call[File]:
    """An image and a fresh link to it."""
    return Call("GET", f"{API}/files/{quote(file_id, safe='')}", _As(File))


def share(generation_id: str, options: ShareOptions) -> Call[Share]:
    """Make the public link to one generation, or change the one there is."""
    body = ShareCreate(**options).model_dump(by_alias=True, exclude_unset=True)
    return Call("POST", f"{_generation(generation_id)}/share", _As(Share), {"json": body})


def shares() -> Call[ShareList]:
    """The session's public links."""
    return Call("GET", f"{API}/shares", _As(ShareList))


def unshare(generation_id: str) -> Call[None]:
    """Revoke the public link."""
    return Call("DELETE", f"{_generation(generation_id)}/share", _nothing)


def transfer() -> Call[Transfer]:
    """Make a one-time code for this session; the code before it no longer holds."""
    return Call("POST", f"{API}/sessions/transfer", _As(Transfer), repeatable=False)


def revoke_transfer() -> Call[None]:
    """Take the code back."""
    return Call("DELETE", f"{API}/sessions/transfer", _nothing)


def claim(code: str) -> Call[SessionCreated]:
    """Use a code, once."""
    return Call("POST", f"{API}/sessions/claim", _As(SessionCreated), {"json": {"code": code}}, repeatable=False)


def import_zip(path: Path, size: int) -> Call[Imported]:
    """Send a whole export. The same again brings no doubles."""
    headers = {"Content-Length": str(size), "Content-Type": "application/zip"}
    timeout = httpx.Timeout(connect=5.0, read=600.0, write=60.0, pool=5.0)
    return Call("POST", f"{API}/import", _As(Imported), {"timeout": timeout}, headers, body=path)


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
