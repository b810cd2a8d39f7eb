"""Engines that are rendered by whatever process of the installation offers them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from videogen.engines.base import Engine
from videogen.schemas.engines import Capabilities
from videogen.store import Store
from videogen.store.workers import WORKERS, Offer

NOBODY: Final = "No worker has rendered it in the last hour. Start one: videogen worker --engines {engine}"
WAITS: Final = "No worker renders it now."


class Offers:
    """What all living workers offer. Thread-safe. Until it is opened, nothing is known."""

    def __init__(self) -> None:
        self.concurrency: dict[str, int] = {}
        """How many generations of each engine are rendered at once, by all workers."""
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._found: Mapping[str, Offer] = {}
        self._seconds = self._read_at = 0.0
        self.on_change: Callable[[], object] = lambda: None
        """Called when a worker begins or ends, from any thread."""

    def open(self, store: Store, lease_seconds: float) -> None:
        """Read from this store. A worker that has announced nothing for as long as a lease does not count."""
        self._store, self._seconds = store, lease_seconds
        store.database.subscribe(WORKERS, lambda _owner: self._changed())

    def known(self) -> Mapping[str, Offer] | None:
        """What is offered, by engine; None as long as it is not opened. With no slots, its workers were here lately."""
        with self._lock:
            if self._store is None:
                return None
            # Of those that die nobody tells.
            if time.monotonic() >= self._read_at + self._seconds / 3:
                self._found, self._read_at = self._store.offers(self._seconds), time.monotonic()
                slots = {name: one.slots for name, one in self._found.items() if one.slots}
                # Never without those that stay: other threads read it meanwhile.
                self.concurrency |= slots
                for name in self.concurrency.keys() - slots.keys():
                    del self.concurrency[name]
            return self._found

    def _changed(self) -> None:
        self._read_at = float("-inf")
        self.on_change()


class OfferedEngine:
    """An engine as it is here, but for what it can do and its version: the workers say those that render it."""

    def __init__(self, engine: Engine, offers: Offers) -> None:
        self.here, self._offers = engine, offers
        self.is_offered = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.here, name)

    @property
    def version(self) -> str:
        """That of the workers: checkpoints go on in the same one alone, and here its packages may be missing."""
        found = (self._offers.known() or {}).get(self.here.id)
        return found.version if found is not None and found.version else self.here.version

    def probe(self) -> Capabilities:
        """See `Engine.probe`."""
        offers = self._offers.known()
        if offers is None:
            return self.here.probe()
        if (found := offers.get(self.here.id)) is None:
            reason = NOBODY.format(engine=self.here.id)
            return self.here.probe().model_copy(update={"available": False, "reason": reason})
        return Capabilities.model_validate(found.capabilities, extra="ignore")


class OfferedEngines(dict[str, Engine]):
    """Engines by id. Whatever is put in is offered by the workers."""

    def __init__(self, engines: Mapping[str, Engine], offers: Offers) -> None:
        super().__init__()
        self.offers = offers
        for name, engine in engines.items():
            self[name] = engine

    def __setitem__(self, name: str, engine: Engine) -> None:
        offered: Any = engine if isinstance(engine, OfferedEngine) else OfferedEngine(engine, self.offers)
        super().__setitem__(name, offered)

    def waiting(self) -> dict[str, str]:
        """Why what is queued does not start, by the id of each engine that no living worker renders."""
        known = self.offers.known() or {}
        return {name: WAITS for name in self if name not in known or not known[name].slots}
