"""A process that only renders: `videogen worker`. It has neither the API nor the page."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Final

from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError, StartError
from videogen.engines.availability import capabilities_of, concurrencies
from videogen.engines.base import Engine
from videogen.engines.registry import references_by_id
from videogen.jobs.moderation import Moderator
from videogen.jobs.settings import WorkerSettings
from videogen.jobs.worker import WorkerPool
from videogen.server.build import build_engines, here, open_queue, open_state
from videogen.services.visitor_tokens import VisitorTokens

DRAIN_SECONDS: Final = 30.0
"""Time that a renderer has to reach its next checkpoint when the process stops."""


def run_worker(config: AppConfig, names: Sequence[str], concurrency: int | None) -> int:
    """Render until SIGTERM or SIGINT, then give back what is not finished; return the exit status.

    A second signal ends the process at once. Others then take its jobs back when their leases expire.

    Args:
        config: names a database that several processes use.
        names: ids of the engines whose jobs it takes; none: all that can render here.
        concurrency: how many jobs of each engine it renders at once; None: as its engine file or VIDEOGEN_WORKERS says.

    Raises:
        StartError, ConfigError: it cannot start; one line that says why, and what to do.
    """
    if not config.uses_postgresql:
        raise StartError(
            "A worker needs a database that several processes use: set VIDEOGEN_DATABASE_URL=postgresql://... "
            "With SQLite, `videogen serve` renders by itself."
        )
    if not config.storage_url:
        raise StartError(
            "A worker needs a bucket that several processes use, or nobody sees its results: "
            "set VIDEOGEN_STORAGE_URL=s3://..."
        )
    engines = build_engines(config)
    slots = _slots(config, here(engines), names, concurrency)
    with open_worker(config, engines, slots) as workers, _stop_signal() as stop:
        workers.start()
        print("Ready: renders " + ", ".join(f"{name} ({count})" for name, count in slots.items()), flush=True)
        stop.wait()
        workers.stop()
    return 0


@contextmanager
def open_worker(
    config: AppConfig, engines: Mapping[str, Engine], concurrency: Mapping[str, int]
) -> Iterator[WorkerPool]:
    """Open the state, and build the parts of a process that only renders; close all of it at the end.

    Args:
        config: see `run_worker`.
        engines: all that the configuration names, by id.
        concurrency: how many jobs of each engine it renders at once; those that are not named are left to others.

    Raises:
        StartError: see `open_state`.
    """
    with open_state(config, engines) as state, ExitStack() as stack:
        queue = open_queue(config, state.store, here(engines), concurrency, list(concurrency))
        stack.callback(queue.withdraw)
        settings = WorkerSettings(
            count=0,
            lease_seconds=config.lease_seconds,
            stall_seconds=config.stall_seconds,
            concurrency=concurrency,
            moderator=Moderator.of(config),
            max_attempts=config.max_attempts,
            suspend_seconds=DRAIN_SECONDS,
            shows_holds=False,
        )
        references = references_by_id(config.engines)
        workers = WorkerPool(state.store, queue, state.storage, state.data_folder, references, settings)
        workers.processes.account_key = VisitorTokens(state.store, config, engines, state.signer).key_of
        yield workers


def _slots(
    config: AppConfig, engines: Mapping[str, Engine], names: Sequence[str], concurrency: int | None
) -> dict[str, int]:
    """How many jobs of each engine it renders at once.

    Raises:
        ConfigError: there is no engine of a name.
        StartError: one that is named, or every engine, cannot render here.
    """
    if unknown := [name for name in names if name not in engines]:
        raise ConfigError("--engines", f"some of {', '.join(engines)} (from VIDEOGEN_ENGINES)", ", ".join(unknown))
    found = {name: capabilities_of(engines[name]) for name in names or engines}
    able = [name for name, one in found.items() if one.available]
    if not able or (names and len(able) < len(found)):
        name = next(name for name in found if name not in able)
        raise StartError(f"The engine {name} cannot render here: {found[name].reason}")
    usual = concurrencies({name: engines[name] for name in able}, max(config.workers, 1))
    return {name: concurrency or usual[name] for name in able}


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """Set by the first SIGTERM or SIGINT. The second one ends the process."""
    stop = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
