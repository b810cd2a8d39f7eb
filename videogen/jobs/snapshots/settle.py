"""What becomes of the jobs of a restored database."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from videogen.core.text import counted
from videogen.engines.base import Engine, ProcessPolicy
from videogen.jobs.snapshots.place import at_text
from videogen.store import Store

logger = logging.getLogger(__name__)


def at_services(engines: Mapping[str, Engine]) -> list[str]:
    """The engines whose jobs are at a service, where each may be paid for."""
    policies = {name: getattr(engine, "process", None) for name, engine in engines.items()}
    return [name for name, policy in policies.items() if isinstance(policy, ProcessPolicy) and policy.keep_checkpoints]


def settle_jobs(store: Store, engines: Mapping[str, Engine]) -> None:
    """Decide about the jobs without a result, once after a restore; nothing otherwise."""
    last = store.last_restore()
    if last is None or last.is_settled:
        return
    at = at_text(datetime.fromtimestamp(last.snapshot_at, UTC))
    count = store.settle_restore(at_services(engines), f"Restored from a snapshot of {at}.")
    if count:
        logger.info("%s without a result in the snapshot.", counted(count, "generation"))
