"""The use cases around the whole app: who it is, whether it is ready, which engines it offers."""

from __future__ import annotations

from pathlib import Path

from videogen.engines.presets import poster_path
from videogen.schemas.engines import EngineList
from videogen.services.parts import Parts
from videogen.services.submission import engine_infos


class SystemService:
    """What does not belong to a session. Every method blocks: call it from a thread, never in the event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.instance = parts.signer.derive("instance")[:24]
        """Identifies this data folder's app to clients, over restarts and ports."""
        self.keeps_data = parts.config.keeps_data
        """Whether what is stored outlives a restart."""

    def engines(self) -> EngineList:
        """The engines on offer, with what they can do here and now."""
        return EngineList(items=engine_infos(self._parts.engines, self._parts.config))

    def preset_poster(self, engine_id: str, preset_id: str) -> Path:
        """The picture of an engine's preset.

        Raises:
            NotFoundError: there is no such engine, preset or picture.
        """
        return poster_path(self._parts.engines.get(engine_id), preset_id)

    def ready(self) -> str | None:
        """Check that the database answers and the workers live.

        Returns:
            why nothing new is rendered for now, or None. Everything else works then.

        Raises:
            NotReadyError, StorageError: it does not.
        """
        self._parts.store.ping()
        self._parts.workers.check()
        return self._parts.data_folder.shortage()
