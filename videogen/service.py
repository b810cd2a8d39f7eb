"""The one door for all edges: what may be asked of videogen, each call on behalf of one session."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from videogen.config import AppConfig
from videogen.engines.base import Engine, Recipe
from videogen.errors import NotFound, NotTerminal
from videogen.hub import Hub
from videogen.models import FileRow, GenerationRow, ProjectRow
from videogen.presenter import Presenter
from videogen.requests import Request, engine_infos, prepare, seeds
from videogen.schemas import (
    TERMINAL,
    EngineList,
    Generation,
    GenerationCreate,
    GenerationPage,
    GenerationPatch,
    Project,
    SessionCreated,
)
from videogen.security import Signer, new_id
from videogen.storage import DiskStorage
from videogen.store import Filter, Limits, Scope, Store
from videogen.streams import EventStream, open_stream
from videogen.worker import WorkerPool


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service is made of; built by the root."""

    config: AppConfig
    store: Store
    hub: Hub
    storage: DiskStorage
    signer: Signer
    presenter: Presenter
    engines: Mapping[str, Engine]
    workers: WorkerPool


class Service:
    """The use cases. Every method but `stream` blocks on the database: call it from a thread, never from a loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store
        self.instance = parts.signer.derive("instance")[:24]
        """Names this data folder's app to clients, over restarts and ports."""
        self._limits = Limits(parts.config.max_active_per_session, parts.config.max_queue)

    def create_session(self) -> SessionCreated:
        """Make a session; its token is told only here."""
        session_id, token = self._store.create_session()
        return SessionCreated(session_id=session_id, token=token)

    def find_session(self, token: str) -> str | None:
        """The session that a token opens, or None."""
        return self._store.find_session(token)

    def engines(self) -> EngineList:
        """The engines on offer, with what they can do here and now."""
        return EngineList(items=engine_infos(self._parts.engines, self._parts.config))

    def submit(self, session_id: str, create: GenerationCreate, key: str | None) -> tuple[Project, bool]:
        """Accept a request: durable when this returns. Tells whether it is new, or what the same key made before.

        Raises:
            InvalidRequest: a field is not what it may be; names field, expected and got.
            IdempotencyConflict: the key came before, with another request.
            LimitExceeded: too much is queued or running.
        """
        request = prepare(create, self._parts.engines, self._parts.config)
        body = orjson.dumps(create.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        project = self._project(session_id, key, body)
        recipes = [request.recipe(seed) for seed in seeds(request, create.variations)]
        return self._accept(project, [self._row(project, request, recipe) for recipe in recipes])

    def retry(self, session_id: str, generation_id: str) -> Project:
        """A new generation with the recipe and the seed of one that has ended.

        Raises:
            NotFound: it is not this session's.
            NotTerminal: it is still queued or running.
            LimitExceeded: too much is queued or running.
        """
        old = self._store.get_generation(session_id, generation_id)
        if old.status not in TERMINAL:
            raise NotTerminal
        project = self._project(session_id, None, b"")
        recipe = Recipe(**old.recipe)
        request = Request(type=old.type, settings=old.settings, recipe=lambda _seed: recipe)
        return self._accept(project, [self._row(project, request, recipe)])[0]

    def _accept(self, project: ProjectRow, rows: list[GenerationRow]) -> tuple[Project, bool]:
        stored, new = self._store.create_project(project, rows, self._limits)
        if new:
            self._parts.workers.notify()
        items = [self._show(row) for row in stored]
        return Project(project_id=items[0].project_id, request_id=items[0].request_id, generations=items), new

    def _project(self, session_id: str, key: str | None, body: bytes) -> ProjectRow:
        return ProjectRow(
            id=new_id("prj"),
            session_id=session_id,
            request_id=new_id("req"),
            idempotency_key=key,
            body_hash=hashlib.sha256(body).hexdigest(),
            created_at=self._store.clock(),
        )

    def _row(self, project: ProjectRow, request: Request, recipe: Recipe) -> GenerationRow:
        return GenerationRow(
            id=new_id("gen"),
            session_id=project.session_id,
            project_id=project.id,
            request_id=project.request_id,
            type=request.type,
            engine=recipe.engine,
            engine_version=recipe.engine_version,
            prompt=recipe.prompt,
            negative_prompt=recipe.negative_prompt,
            settings=request.settings | _settings_of(recipe),
            recipe=recipe.model_dump(mode="json"),
            recipe_hash=recipe.digest,
            seed=recipe.seed,
            width=recipe.width,
            height=recipe.height,
            fps=recipe.fps,
            duration_seconds=recipe.duration_seconds,
            created_at=project.created_at,
            updated_at=project.created_at,
        )

    def get(self, session_id: str, generation_id: str) -> Generation:
        """One generation. Raises NotFound where it is not this session's."""
        return self._show(self._store.get_generation(session_id, generation_id))

    def list(
        self, session_id: str, wanted: Filter, before: int | None, limit: int
    ) -> tuple[GenerationPage, int | None]:
        """A page of the history, newest first, and the number of the generation before which the next one begins."""
        rows, following = self._store.list_generations(session_id, wanted, before, limit)
        return GenerationPage(items=[self._show(row) for row in rows], next_cursor=None), following

    def patch(self, session_id: str, generation_id: str, patch: GenerationPatch) -> Generation:
        """Change the title or the favourite mark. Raises NotFound where it is not this session's."""
        values = {name: value for name, value in patch.model_dump(exclude_unset=True).items() if value is not None}
        return self._show(self._store.patch_generation(session_id, generation_id, values))

    def cancel(self, session_id: str, generation_id: str) -> tuple[Generation, bool]:
        """Ask for a stop, safe at any time; tells whether this call changed anything."""
        row, changed = self._store.cancel_generation(session_id, generation_id)
        if changed:
            self._parts.workers.cancel(generation_id)
        return self._show(row), changed

    def delete(self, session_id: str, generation_id: str) -> None:
        """Remove a generation that has ended, and its files. Raises NotFound or NotTerminal."""
        self._store.delete_generation(session_id, generation_id)
        self._parts.storage.remove(generation_id)

    def media(self, file_id: str, expires: str, signature: str) -> tuple[FileRow, Path]:
        """A file whose link was signed by us.

        Raises:
            NotFound: the link is not ours or no longer holds, or the file is gone.
        """
        if not self._parts.signer.verify(file_id, expires, signature, self._store.clock()):
            raise NotFound
        file = self._store.get_file(file_id)
        path = self._parts.storage.path(file.key)
        if not path.is_file():
            raise NotFound("The file of this link is gone from the data folder.")
        return file, path

    async def stream(self, session_id: str, scope: Scope, last_event_id: int | None) -> EventStream | None:
        """Open an event stream; None when there is nothing more to tell, ever. Raises NotFound."""
        return await open_stream(self._store, self._parts.hub, session_id, scope, last_event_id)

    def ready(self) -> None:
        """Prove that the database answers and the workers live; raise what is wrong."""
        self._store.ping()
        self._parts.workers.check()

    def _show(self, row: GenerationRow) -> Generation:
        return self._parts.presenter.generation(row, self._store.clock())


def _settings_of(recipe: Recipe) -> dict[str, Any]:
    """What a person sees of a recipe, in the words of the request."""
    return {
        "width": recipe.width,
        "height": recipe.height,
        "durationSeconds": recipe.duration_seconds,
        "fps": recipe.fps,
        "seed": recipe.seed,
    }
