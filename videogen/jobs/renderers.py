"""The renderers of the workers: for each engine a pool of child processes of its own."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from videogen.core.errors import InputMissingError, StorageError, VideogenError, is_disk_fault
from videogen.engines.base import Recipe, RenderLost
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.protocol import RenderJob
from videogen.jobs.base import Lease
from videogen.jobs.checkpoint_files import CheckpointFiles
from videogen.storage import DataFolder, Storage
from videogen.store import Store
from videogen.store.progress import SOURCE, SOURCE_FRAME

logger = logging.getLogger(__name__)
SPARES: Final = 2
"""Children of the first engine that wait: one for the next job, and one for its next attempt. Others keep one."""


class Renderers:
    """Starts the renderers of leases. Close it, or its children live until this process ends."""

    def __init__(
        self,
        store: Store,
        storage: Storage,
        data_folder: DataFolder,
        references: Mapping[str, str],
        stopping: threading.Event,
    ) -> None:
        self._store, self._storage, self._data_folder = store, storage, data_folder
        self._references, self._stopping = references, stopping
        self.checkpoints = CheckpointFiles(storage, data_folder)
        self.account_key: Callable[[Lease], str] = lambda _lease: ""
        """The access token of the visitor on whose account a job renders; empty for all other engines."""
        # The test suite sets this to 0: spare children cost it more than they save.
        spares = int(os.environ.get("VIDEOGEN_TEST_SPARES", SPARES))
        self._pools = {name: ProcessPool(min(spares, 1) if index else spares) for index, name in enumerate(references)}

    def prepare(self) -> None:
        """Start a spare child for the first engine."""
        name, reference = next(iter(self._references.items()))
        self._pools[name].prepare(reference)

    def renew_children(self, engine_id: str) -> None:
        """Let the next job of an engine import it anew: its children without a job end."""
        self._pools[engine_id].retire(self._references[engine_id])

    def pids(self) -> dict[str, list[int]]:
        """The process ids of the children of each engine, by its id."""
        return {name: pool.pids() for name, pool in self._pools.items()}

    def close(self) -> None:
        """Kill the children without a job; those with a job end with it. No other is started."""
        for pool in self._pools.values():
            pool.close()

    def start(self, lease: Lease, inputs: ExitStack, *, stall: float, on_idle: Callable[[], None]) -> RenderHandle:
        """Start the renderer of a lease in a child of its engine.

        Args:
            lease: what to render.
            inputs: keeps the images that it starts from and ends with.
            stall: seconds without a message after which it counts as hung; 0: never.
            on_idle: called whenever nothing has come for half a second.

        Raises:
            VideogenError: no other attempt can render it here either.
            StorageError: the disk takes nothing.
            RenderLost: no process could be started.
        """
        recipe = self._with_inputs(self._recipe(lease), lease, inputs)
        checkpoint = self.checkpoints.fetch(lease, inputs)
        job = RenderJob(
            engine=self._references[recipe.engine],
            recipe=recipe,
            generation_id=lease.generation_id,
            workdir=self._data_folder.work_folder(lease.generation_id),
            attempt=lease.attempt,
            checkpoint=checkpoint,
            account_key=self.account_key(lease),
        )
        try:
            return RenderHandle(job, self._pools[recipe.engine], stall=stall, on_idle=on_idle)
        except OSError as problem:
            if is_disk_fault(problem):
                raise StorageError(f"No renderer could be started: {problem.strerror}.") from problem
            self._stopping.wait(1.0)  # whatever the system lacks may come back
            raise RenderLost(f"No renderer could be started: {problem.strerror or problem}.") from problem

    def _with_inputs(self, recipe: Recipe, lease: Lease, inputs: ExitStack) -> Recipe:
        """The recipe with the paths of what it needs."""
        paths: dict[str, Path] = {}
        if recipe.input_digest is not None:
            paths["input_path"] = self._input(lease, inputs)
        if recipe.last_digest is not None:
            paths["last_path"] = self._input(lease, inputs, last=True)
        if recipe.source is not None:
            paths |= self._source(lease, inputs)
        return recipe.model_copy(update=paths)

    def _source(self, lease: Lease, inputs: ExitStack) -> dict[str, Path]:
        """The paths of the video that a generation goes on from, and of its last frame if that is known."""
        keys = {file.kind: file.key for file in self._store.files_of(lease.generation_id)}
        paths = {}
        for kind, name in ((SOURCE, "source_path"), (SOURCE_FRAME, "source_frame_path")):
            with suppress(KeyError, OSError):  # the renderer says what is missing
                paths[name] = inputs.enter_context(self._storage.local_copy(keys[kind]))
        return paths

    def _recipe(self, lease: Lease) -> Recipe:
        try:
            recipe = Recipe(**lease.recipe)
        except ValidationError as problem:
            logger.warning("%s has a recipe of another version: %s", lease.generation_id, problem)
            raise VideogenError("This version of videogen cannot read its recipe. Submit it again.") from problem
        if recipe.engine not in self._references:
            raise VideogenError(f"The engine {recipe.engine!r} is not on offer any more. Choose another one.")
        return recipe

    def _input(self, lease: Lease, inputs: ExitStack, *, last: bool = False) -> Path:
        """The path of the image that a generation starts from, or ends with: the same file for every attempt."""
        upload = self._store.find_input(lease.generation_id, last=last)
        if upload is None:
            raise InputMissingError
        try:
            return inputs.enter_context(self._storage.local_copy(upload.key))
        except OSError:
            raise InputMissingError from None
