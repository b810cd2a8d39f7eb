"""The use cases around generations."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from videogen.core.errors import LimitExceededError, NotQueuedError, NotTerminalError
from videogen.core.log_context import current_context
from videogen.core.security import new_id
from videogen.db.tables import FileRow, GenerationRow, ProjectRow
from videogen.engines.base import Recipe
from videogen.jobs.cleanup import remove_generations
from videogen.jobs.render_logs import RenderLogs
from videogen.live.streams import EventStream, open_stream
from videogen.schemas.generations import (
    Generation,
    GenerationCreate,
    GenerationPage,
    GenerationPatch,
    GenerationResolve,
    ListQuery,
    Project,
    Queue,
)
from videogen.schemas.status import TERMINAL, Status
from videogen.services.admin import Bans
from videogen.services.extensions import ExtensionService, Origin
from videogen.services.generation_views import GenerationViews
from videogen.services.moderation import ModerationService
from videogen.services.parts import Parts
from videogen.services.quotas import QuotaService
from videogen.services.storage_limits import StorageLimits
from videogen.services.submission import (
    IMAGES,
    CheckedRequest,
    changed_request,
    check_request,
    new_row,
    recipe_columns,
    request_body,
    request_of,
    seeds,
)
from videogen.services.uploads import InputImage, UploadService
from videogen.services.visitor_limits import RateLimits
from videogen.store import Filter, Limits, Scope

_ASKED: Final = ("prompt", "negative_prompt", "settings")
"""The fields of a patch that change the recipe."""


class GenerationService:
    """Submit, list, change, cancel, retry and delete generations, and follow their events; each call for one session.

    Every method but `stream` blocks on the database: call it from a thread, never in the event loop.
    """

    def __init__(self, parts: Parts, uploads: UploadService, rates: RateLimits, storage_limits: StorageLimits) -> None:
        self._parts, self._moderation = parts, ModerationService(parts, rates)
        self._store, self._uploads = parts.store, uploads
        self._logs = RenderLogs(parts.store, parts.storage, parts.data_folder)
        self._rates, self._storage_limits = rates, storage_limits
        config = parts.config
        self._limits = Limits(config.max_active_per_session, config.max_active_per_address, config.max_queue)
        self._extensions = ExtensionService(parts.store, parts.storage)
        self._quotas, self._bans = QuotaService(parts), Bans(parts)
        self.views = GenerationViews(parts)
        self._serialize, self._serialize_all = self.views.one, self.views.all

    def submit(self, session_id: str, create: GenerationCreate, key: str | None, address: str) -> tuple[Project, bool]:
        """Accept a request. The project is durable when this returns; an idempotency key gives the same project again.

        Args:
            session_id: the owner.
            create: the request.
            key: the idempotency key, or None.
            address: the visitor's, for whom limits count as well.

        Returns:
            the project, and whether this call made it.

        Raises:
            InvalidRequestError: a field is wrong; the error names field, expected and got.
            IdempotencyConflictError: the key came before, with another request.
            LimitExceededError: too many generations are queued or running, or were submitted lately; or the storage is
                full.
        """
        project = self.new_project(session_id, key, request_body(create))
        needs_files = any(getattr(create, name) for name in (*IMAGES, "extend"))
        if needs_files and key and (known := self._store.known_project(project)):
            # Before any check: the image or video may have been deleted since, but the project still exists.
            return self._serialize_project(known), False
        try:
            self._storage_limits.check(session_id)
        except LimitExceededError:
            if key and (known := self._store.known_project(project)):
                return self._serialize_project(known), False
            raise
        request = self._check(session_id, create)
        recipes = [request.recipe(seed) for seed in seeds(request, create.variations)]
        # Variations are numbered by their seeds, and rendered in this order.
        recipes.sort(key=lambda recipe: recipe.seed)
        return self.accept(project, [new_row(project, request, recipe) for recipe in recipes], address, request.files)

    def _check(self, session_id: str, create: GenerationCreate, origin: Origin | None = None) -> CheckedRequest:
        sources: dict[str, InputImage] = {}

        def digest_of(name: str, file_id: str) -> str:
            sources[name] = self._uploads.find_input(session_id, file_id, name)
            return sources[name].digest

        if create.extend is not None and origin is None:
            origin = self._extensions.find(session_id, create.extend, request_of)
        request = check_request(create, self._parts.engines, self._parts.config, digest_of, origin)
        # The images are kept only when everything else in the request is right.
        return replace(
            request, images={name: self._uploads.ensure_upload(session_id, image) for name, image in sources.items()}
        )

    def retry(self, session_id: str, generation_id: str, address: str) -> Project:
        """Make a new generation with the recipe and the seed of one that has ended.

        Raises:
            NotFoundError: the generation is not this session's.
            NotTerminalError: it is still queued or running.
            InvalidRequestError: it was imported, and this app's engines or limits do not allow it.
            LimitExceededError: see `submit`.
        """
        old = self._store.get_generation(session_id, generation_id)
        if old.status not in TERMINAL:
            raise NotTerminalError
        return self._render_again(old, address)

    def resolve(self, session_id: str, generation_id: str, resolve: GenerationResolve, address: str) -> Generation:
        """Do what the owner has decided about a generation that needs attention.

        Returns:
            the generation; for `resubmit` the new one.

        Raises:
            NotFoundError: it is not this session's.
            NeedsNoAttentionError: it does not need attention, or not any more. Nothing was changed.
            InvalidRequestError, LimitExceededError: it cannot be submitted again. Nothing was changed.
        """
        if resolve.action == "resubmit":
            parked = self._store.get_parked(session_id, generation_id)
            return self._render_again(parked, address, replaced=generation_id).generations[0]
        decide = self._store.look_again if resolve.action == "look" else self._store.give_up
        row = decide(session_id, generation_id)
        self._parts.queue.notify()
        return self._serialize(row)

    def _render_again(self, old: GenerationRow, address: str, replaced: str | None = None) -> Project:
        self._storage_limits.check(old.session_id)
        project = self.new_project(old.session_id, None, b"")
        if old.recipe:
            recipe = Recipe(**old.recipe)
            images = {name: getattr(old, name) for name in IMAGES}
            files = self._extensions.kept_by(old.id)
            request = CheckedRequest(old.type, old.settings, lambda _seed: recipe, None, images, files, old.extends)
        else:
            request = self._check_imported(old)
            recipe = request.recipe(old.seed)
        return self.accept(project, [new_row(project, request, recipe)], address, request.files, replaced)[0]

    def _check_imported(self, old: GenerationRow) -> CheckedRequest:
        """Check the request of an imported generation like a new one: another app made it."""
        return self._check(old.session_id, request_of(old).model_copy(update=dict.fromkeys((*IMAGES, "extend"))))

    def accept(
        self,
        project: ProjectRow,
        rows: list[GenerationRow],
        address: str,
        kept: Mapping[str, str],
        replaced: str | None = None,
    ) -> tuple[Project, bool]:
        """Store the rows of one submit; each gets copies of the files of `kept`, see `Origin.files`."""
        self._bans.check(address, project.session_id)
        for row in rows:
            self._parts.visitor_tokens.check(project.session_id, row.engine)
            row.address_hash = self._quotas.address_hash(address)
        self._moderation.review(project, rows)
        # Counted in the transaction: neither a repeated request nor a refused one counts.
        count = partial(self._rates.count, "submits", address, project.session_id, len(rows))
        limits = replace(self._limits, quotas=self._quotas.limits())
        copies, new = list[FileRow](), False
        try:
            # Those before a fault are removed too.
            copies.extend(file for row in rows for file in self._extensions.copy(kept, row))
            stored, new = self._store.create_project(project, rows, limits, count, replaced, copies)
        finally:
            if not new:
                self._extensions.remove(copies)
        if new:
            self._parts.queue.notify()
            for row in rows:
                self._parts.metrics.submitted(row.engine, row.type)
        return self._serialize_project(stored), new

    def _serialize_project(self, rows: Sequence[GenerationRow]) -> Project:
        items = self._serialize_all(rows)
        return Project(project_id=items[0].project_id, request_id=items[0].request_id, generations=items)

    def new_project(self, session_id: str, key: str | None, body: bytes) -> ProjectRow:
        """The row of a submit; it is not stored yet."""
        return ProjectRow(
            id=new_id("prj"),
            session_id=session_id,
            request_id=str(current_context().get("request_id") or new_id("req")),
            idempotency_key=key,
            body_hash=hashlib.sha256(body).hexdigest(),
            created_at=self._store.clock(),
        )

    def get(self, session_id: str, generation_id: str) -> Generation:
        """One generation. Raises NotFoundError where it is not this session's."""
        return self._serialize(self._store.get_generation(session_id, generation_id))

    def log(self, session_id: str, generation_id: str) -> str:
        """What its engine printed, at most 256 KiB. Raises NotFoundError where it is not this session's."""
        return self._logs.read(session_id, generation_id)

    def list(self, session_id: str, query: ListQuery, before: int | None) -> tuple[GenerationPage, int | None]:
        """A page of the history, newest first, and the position before which the next page begins.

        Raises:
            InvalidRequestError: the query names an unknown status.
        """
        rows, following = self._store.list_generations(session_id, Filter.of(query), before, query.limit)
        return GenerationPage(items=self._serialize_all(rows), next_cursor=None), following

    def list_ids(self, session_id: str, query: ListQuery, before: int | None) -> tuple[Sequence[str], int | None]:
        """The ids of a page of the history; otherwise the same as `list`."""
        return self._store.list_ids(session_id, Filter.of(query), before, query.limit)

    def patch(self, session_id: str, generation_id: str, patch: GenerationPatch) -> Generation:
        """Change the title or the favourite mark; of one that is queued also what is asked for.

        Raises:
            NotFoundError: it is not this session's.
            NotQueuedError: what is asked for cannot be changed any more. Nothing was changed.
            InvalidRequestError: a field is wrong. Nothing was changed.
        """
        values = patch.model_dump(exclude_none=True)
        asked: dict[str, Any] = {name: values.pop(name) for name in _ASKED if name in values}
        if not asked:
            return self._serialize(self._store.patch_generation(session_id, generation_id, values))
        row: GenerationRow | None = None
        while row is None:
            old = self._store.get_generation(session_id, generation_id)
            if old.status != Status.QUEUED:
                raise NotQueuedError
            request = self._check(
                session_id, changed_request(old, asked, self._parts.engines), self._extensions.of(old)
            )
            columns = recipe_columns(request, request.recipe(request.seed))
            columns |= self._moderation.review_edit(old, columns)
            # None where another edit came first: then this one is made from what that one left.
            values |= columns
            row = self._store.edit_generation(session_id, generation_id, values, old.recipe_hash, self._quotas.limits())
        return self._serialize(row)

    def cancel(self, session_id: str, generation_id: str) -> tuple[Generation, bool]:
        """Ask for a cancel, safe at any time; return the generation, and whether this call changed anything."""
        row, changed = self._store.cancel_generation(session_id, generation_id)
        if changed:
            self._parts.queue.cancel(generation_id)
        return self._serialize(row), changed

    def move(self, session_id: str, generation_id: str, before: str | None) -> Generation:
        """Change a queued generation's order among the session's own. Raises NotFoundError or NotQueuedError."""
        return self._serialize(self._store.move_generation(session_id, generation_id, before))

    def queue(self, session_id: str) -> Queue:
        """What of the session runs and waits."""
        paused, rows = self._store.own_queue(session_id)
        return Queue(paused=paused, items=self._serialize_all(rows))

    def pause(self, session_id: str, *, paused: bool) -> Queue:
        """Pause the session's queue, or let it go on; kept over restarts. Safe to repeat."""
        self._store.pause_queue(session_id, paused=paused)
        self._parts.queue.notify()
        return self.queue(session_id)

    def delete(self, session_id: str, generation_id: str) -> None:
        """Delete a generation that has ended, and its files. Raises NotFoundError or NotTerminalError."""
        self._store.get_generation(session_id, generation_id)
        delete_rows = partial(self._store.delete_generation, session_id, generation_id)
        remove_generations(self._store, self._parts.storage, self._parts.data_folder, delete_rows)

    async def stream(self, session_id: str, scope: Scope, last_event_id: int | None) -> EventStream | None:
        """Open an event stream; None when no event will ever come. Raises NotFoundError."""
        return await open_stream(self._store.open_scope, self._parts.hub, session_id, scope, last_event_id)
