"""Looks at the engines while the app serves: whether each can render here now, and, with `--reload-engines`, whether
its file has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError, StorageError
from videogen.engines.availability import UnavailableEngine, capabilities_of, unavailable
from videogen.engines.base import Engine
from videogen.engines.registry import file_of, forget, load_engine, references_by_id
from videogen.jobs.offers import OfferedEngines
from videogen.jobs.worker import WorkerPool
from videogen.schemas.engines import Capabilities
from videogen.server.gradio_environment import gradio_environment
from videogen.services.submission import engine_infos

if TYPE_CHECKING:
    from videogen.ui.page import MountedPage

LOOK_SECONDS: Final = 5.0
"""How often engines are asked whether they can render here."""
RELOAD_LOOK_SECONDS: Final = 0.5
"""The same where their files are looked at too."""
Stamp = tuple[int, int] | None
"""Time of the last change in nanoseconds and size in bytes of a file; None: there is none."""
logger = logging.getLogger(__name__)


class EngineReloader:
    """Puts a newer engine in the place of one that has changed, for the API, the page and the renderers.

    One of videogen's own kinds is made again when it has become available or unavailable, for example because the
    folder of its model is there now. With `reload_engines`, one whose file has changed is imported again; what such a
    file imports is not watched.
    """

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
        self._own = {name for name, path in found.items() if path is None}
        self._files = {name: path for name, path in found.items() if path is not None and config.reload_engines}
        self._stamps, self._capabilities = self._look(), self._ask()

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
        loop, changed_elsewhere = asyncio.get_running_loop(), asyncio.Event()
        if isinstance(self._engines, OfferedEngines):
            self._engines.offers.on_change = partial(loop.call_soon_threadsafe, changed_elsewhere.set)
        async with AsyncExitStack() as stack:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(RELOAD_LOOK_SECONDS if self._files else LOOK_SECONDS):
                        await changed_elsewhere.wait()
                changed_elsewhere.clear()
                try:
                    changed = await asyncio.to_thread(self.look)
                    if changed and self._page is not None:
                        with gradio_environment():
                            await self._page.replace(engine_infos(self._engines, self._config), stack)
                except StorageError as problem:
                    logger.warning("What waits for an engine could not be shown yet: %s", problem.detail)
                except Exception:  # an engine may raise anything; the next change of a file tries again
                    logger.exception("Engines could not be loaded again.")

    def look(self) -> set[str]:
        """Load again what has changed since the last look; return the ids of what the page shows otherwise now."""
        changed = self._reload_changed() | self._renew_changed()
        if self._reasons or self._workers.unavailable:
            self._workers.hold_engines(self._reasons)
        return changed

    def _look(self) -> dict[str, Stamp]:
        return {name: _stamp(path) for name, path in self._files.items()}

    def _ask(self) -> dict[str, Capabilities]:
        found = {name: capabilities_of(engine) for name, engine in self._engines.items()}
        self._reasons = self._engines.waiting() if isinstance(self._engines, OfferedEngines) else unavailable(found)
        # Without the reason: one with a number in it, such as the free memory, may change at every look.
        return {name: one.model_copy(update={"reason": None}) for name, one in found.items()}

    def _reload_changed(self) -> set[str]:
        before, self._stamps = self._stamps, self._look()
        changed = {name for name, stamp in self._stamps.items() if stamp != before[name]}
        self._load_again(changed)
        return changed

    def _renew_changed(self) -> set[str]:
        before, asked = self._capabilities, self._ask()
        changed = {name for name, found in asked.items() if found != before[name]}
        # What it can do, and its settings, may have been a guess as long as its model was not here.
        self._load_again(changed & self._own)
        self._capabilities = self._ask() if changed else asked
        return changed

    def _load_again(self, names: set[str]) -> None:
        for name in names:
            forget(self._references[name])
        for name in names:
            self._engines[name] = self._loaded(name)
            self._workers.processes.renew_children(name)

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
