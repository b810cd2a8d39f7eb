"""The one door for all edges: what may be asked of videogen, each call on behalf of one session."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import orjson

from videogen.core.errors import FileMissingError, NotFoundError, NotTerminalError
from videogen.core.security import new_id
from videogen.core.text import file_name
from videogen.db.tables import FileRow, GenerationRow, ProjectRow
from videogen.engines.base import Recipe
from videogen.engines.presets import poster_path
from videogen.jobs.cleanup import remove_generation
from videogen.live.streams import EventStream, open_stream
from videogen.schemas.engines import EngineList
from videogen.schemas.generations import (
    Generation,
    GenerationCreate,
    GenerationPage,
    GenerationPatch,
    GenerationType,
    Project,
)
from videogen.schemas.status import TERMINAL
from videogen.schemas.system import SessionCreated
from videogen.services.parts import Parts
from videogen.services.serializers import RENDER_AGAIN
from videogen.services.stored_files import ServedFile, open_stored
from videogen.services.submission import Request, engine_infos, prepare, seeds
from videogen.services.uploads import InputImage, Uploads
from videogen.store import Filter, Limits, Scope


class Service:
    """The use cases. Every method but `stream` blocks on the database: call it from a thread, never from a loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store
        self.instance = parts.signer.derive("instance")[:24]
        """Names this data folder's app to clients, over restarts and ports."""
        self.uploads = Uploads(parts.store, parts.storage, parts.presenter)
        self.max_upload_bytes = int(parts.config.max_upload_mb * 1_000_000)
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

    def preset_poster(self, engine_id: str, preset_id: str) -> Path:
        """The picture of an engine's preset.

        Raises:
            NotFoundError: there is no such engine, preset or picture.
        """
        return poster_path(self._parts.engines.get(engine_id), preset_id)

    def submit(self, session_id: str, create: GenerationCreate, key: str | None) -> tuple[Project, bool]:
        """Accept a request: durable when this returns. Tells whether it is new, or what the same key made before.

        Raises:
            InvalidRequestError: a field is not what it may be; names field, expected and got.
            IdempotencyConflictError: the key came before, with another request.
            LimitExceededError: too much is queued or running.
        """
        body = orjson.dumps(create.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        project = self._project(session_id, key, body)
        if create.input_file_id and key and (known := self._store.known_project(project)):
            # Before anything is checked: the image may be gone since, and the project is there all the same.
            return self._told(known), False
        request = self._prepare(session_id, create)
        recipes = [request.recipe(seed) for seed in seeds(request, create.variations)]
        return self._accept(project, [self._row(project, request, recipe) for recipe in recipes])

    def _prepare(self, session_id: str, create: GenerationCreate) -> Request:
        found: list[InputImage] = []

        def digest_of(file_id: str) -> str:
            found.append(self.uploads.find(session_id, file_id))
            return found[0].digest

        request = prepare(create, self._parts.engines, self._parts.config, digest_of)
        # Kept only now that everything else about the request is right.
        return replace(request, input_file_id=self.uploads.adopt(session_id, found[0])) if found else request

    def retry(self, session_id: str, generation_id: str) -> Project:
        """A new generation with the recipe and the seed of one that has ended.

        Raises:
            NotFoundError: it is not this session's.
            NotTerminalError: it is still queued or running.
            InvalidRequestError: it was imported, and cannot be rendered here: its engine or a bound is another.
            LimitExceededError: too much is queued or running.
        """
        old = self._store.get_generation(session_id, generation_id)
        if old.status not in TERMINAL:
            raise NotTerminalError
        project = self._project(session_id, None, b"")
        if old.recipe:
            recipe = Recipe(**old.recipe)
            request = Request(old.type, old.settings, lambda _seed: recipe, input_file_id=old.input_file_id)
        else:
            request = self._again(old)
            recipe = request.recipe(old.seed)
        return self._accept(project, [self._row(project, request, recipe)])[0]

    def _again(self, old: GenerationRow) -> Request:
        """The request of an imported generation, checked as if it had just come: it was made elsewhere."""
        create = GenerationCreate.model_construct(
            type=cast(GenerationType, old.type),
            prompt=old.prompt,
            negative_prompt=old.negative_prompt,
            engine=old.engine,
            settings=old.settings,
        )
        return self._prepare(old.session_id, create)

    def _accept(self, project: ProjectRow, rows: list[GenerationRow]) -> tuple[Project, bool]:
        stored, new = self._store.create_project(project, rows, self._limits)
        if new:
            self._parts.queue.notify()
        return self._told(stored), new

    def _told(self, rows: Sequence[GenerationRow]) -> Project:
        items = [*self._show_all(rows)]
        return Project(project_id=items[0].project_id, request_id=items[0].request_id, generations=items)

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
            settings=_settings_of(request, recipe),
            recipe=recipe.model_dump(mode="json", exclude={"input_path"}),
            recipe_hash=recipe.digest,
            input_file_id=request.input_file_id,
            seed=recipe.seed,
            width=recipe.width,
            height=recipe.height,
            fps=recipe.fps if request.type == "video" else 0,
            duration_seconds=recipe.duration_seconds,
            created_at=project.created_at,
            updated_at=project.created_at,
        )

    def get(self, session_id: str, generation_id: str) -> Generation:
        """One generation. Raises NotFoundError where it is not this session's."""
        return self._show(self._store.get_generation(session_id, generation_id))

    def list(
        self, session_id: str, wanted: Filter, before: int | None, limit: int
    ) -> tuple[GenerationPage, int | None]:
        """A page of the history, newest first, and the number of the generation before which the next one begins."""
        rows, following = self._store.list_generations(session_id, wanted, before, limit)
        return GenerationPage(items=[*self._show_all(rows)], next_cursor=None), following

    def list_ids(
        self, session_id: str, wanted: Filter, before: int | None, limit: int
    ) -> tuple[Sequence[str], int | None]:
        """The same of the ids alone."""
        return self._store.list_ids(session_id, wanted, before, limit)

    def patch(self, session_id: str, generation_id: str, patch: GenerationPatch) -> Generation:
        """Change the title or the favourite mark. Raises NotFoundError where it is not this session's."""
        values = {name: value for name, value in patch.model_dump(exclude_unset=True).items() if value is not None}
        return self._show(self._store.patch_generation(session_id, generation_id, values))

    def cancel(self, session_id: str, generation_id: str) -> tuple[Generation, bool]:
        """Ask for a stop, safe at any time; tells whether this call changed anything."""
        row, changed = self._store.cancel_generation(session_id, generation_id)
        if changed:
            self._parts.queue.cancel(generation_id)
        return self._show(row), changed

    def move(self, session_id: str, generation_id: str, before: str | None) -> Generation:
        """Give a queued one another place among the session's own. Raises NotFoundError or NotQueuedError."""
        return self._show(self._store.move_generation(session_id, generation_id, before))

    def delete(self, session_id: str, generation_id: str) -> None:
        """Remove a generation that has ended, and its files. Raises NotFoundError or NotTerminalError."""
        self._store.get_generation(session_id, generation_id)
        delete_rows = partial(self._store.delete_generation, session_id, generation_id)
        remove_generation(self._parts.storage, self._parts.data_folder, generation_id, delete_rows)

    def media(self, file_id: str, expires: str, signature: str) -> ServedFile:
        """A file whose link was signed by us.

        Raises:
            NotFoundError: the link is not ours or no longer holds, or leads to what was deleted.
            FileMissingError: the file is gone.
        """
        if not self._parts.signer.verify(file_id, expires, signature, self._store.clock()):
            raise NotFoundError
        file, called = self._store.get_media(file_id)
        result = isinstance(file, FileRow) and file.kind in ("video", "image")
        name = file_name(called, file.key.rpartition(".")[2]) if result else None
        try:
            return open_stored(self._parts.storage, file.key, file.content_type, name)
        except OSError:
            kind, rest = (file.kind, RENDER_AGAIN) if isinstance(file, FileRow) else ("image", "Upload it again.")
            raise FileMissingError(f"The {kind} is gone from the data folder. {rest}") from None

    async def stream(self, session_id: str, scope: Scope, last_event_id: int | None) -> EventStream | None:
        """Open an event stream; None when there is nothing more to tell, ever. Raises NotFoundError."""
        return await open_stream(self._store, self._parts.hub, session_id, scope, last_event_id)

    def ready(self) -> str | None:
        """Prove that the database answers and the workers live; raise what is wrong.

        Returns:
            why nothing new is rendered for now, or None. Everything else works then.
        """
        self._store.ping()
        self._parts.workers.check()
        return self._parts.data_folder.shortage()

    def _show(self, row: GenerationRow) -> Generation:
        return self._show_all([row])[0]

    def _show_all(self, rows: Sequence[GenerationRow]) -> Sequence[Generation]:
        now = self._store.clock()
        kept = {file_id for row in rows for file_id in (row.file_id, row.poster_file_id) if file_id}
        keys = self._store.file_keys(kept) if kept else {}
        gone = frozenset(kept - {name for name, key in keys.items() if self._parts.storage.exists(key)})
        return [self._parts.presenter.generation(row, now, gone) for row in rows]


def _settings_of(request: Request, recipe: Recipe) -> dict[str, Any]:
    """What a person sees of a recipe, in the words of the request. An image has no length and no frame rate."""
    size = {"width": recipe.width, "height": recipe.height, "seed": recipe.seed}
    if request.type == "video":
        return request.settings | size | {"durationSeconds": recipe.duration_seconds, "fps": recipe.fps}
    return {name: value for name, value in (request.settings | size).items() if name not in ("durationSeconds", "fps")}
