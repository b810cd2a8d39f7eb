"""Loads engines again whose files have changed, while the app serves: `videogen serve --reload-engines`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError
from videogen.engines.availability import UnavailableEngine
from videogen.engines.base import Engine
from videogen.engines.registry import file_of, forget, load_engine, references_by_id
from videogen.jobs.worker import WorkerPool
from videogen.server.gradio_environment import gradio_environment
from videogen.services.submission import engine_infos

if TYPE_CHECKING:
    from videogen.ui.page import MountedPage

LOOK_SECONDS: Final = 0.5
"""How often the files are looked at."""
Stamp = tuple[int, int] | None
"""Time of the last change in nanoseconds and size in bytes of a file; None: there is none."""
logger = logging.getLogger(__name__)


class EngineReloader:
    """Watches the files that engines are defined in; what such a file imports is not watched."""

    def __init__(
        self, config: AppConfig, engines: MutableMapping[str, Engine], workers: WorkerPool, page: MountedPage | None
    ) -> None:
        """
        Args:
            config: names the engines.
            engines: those that the app offers, by id; changed when one is loaded again.
            workers: get the new references.
            page: is built again when an engine has changed.
        """
        self._config, self._engines, self._workers, self._page = config, engines, workers, page
        self._references = references_by_id(config.engines)
        found = {name: file_of(reference) for name, reference in self._references.items()}
        self._files = {name: path for name, path in found.items() if path is not None}
        self._stamps = self._look()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch during the block."""
        task = asyncio.create_task(self._run(), name="reload-engines")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        async with AsyncExitStack() as stack:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                try:
                    changed = await asyncio.to_thread(self._reload_changed)
                    if changed and self._page is not None:
                        with gradio_environment():
                            await self._page.replace(engine_infos(self._engines, self._config), stack)
                except Exception:  # an engine may raise anything; the next change of a file tries again
                    logger.exception("Engines could not be loaded again.")

    def _look(self) -> dict[str, Stamp]:
        return {name: _stamp(path) for name, path in self._files.items()}

    def _reload_changed(self) -> Sequence[str]:
        """Load what has changed; return the ids."""
        before, self._stamps = self._stamps, self._look()
        changed = [name for name, stamp in self._stamps.items() if stamp != before[name]]
        for name in changed:
            forget(self._references[name])
        for name in changed:
            self._engines[name] = self._loaded(name)
            self._workers.renew_children(name)
        return changed

    def _loaded(self, name: str) -> Engine:
        """The engine of a file that has changed, or one that says what is wrong with it."""
        before = self._engines[name]
        try:
            engine = load_engine(self._references[name])
            reason = engine.reason if isinstance(engine, UnavailableEngine) else ""
            if not reason and engine.id != name:
                reason = f"Its id is {engine.id!r} now. Restart videogen, or change it back to {name!r}."
        except ConfigError as problem:
            reason = problem.detail
        if not reason:
            logger.info("Engine %s was loaded again.", name)
            return engine
        logger.warning("Engine %s could not be loaded again: %s", name, reason)
        return UnavailableEngine(name, before.title, reason, before.version, before.description, before.settings)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
