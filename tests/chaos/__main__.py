"""`python -m tests.chaos [--kills 200] [--seed N]`: a long storm; prints its figures, and every fault.

With `--profile distributed [--faults 200]` it is a storm over two web processes and three workers.

Ctrl-C ends the storm early; what happened until then is judged.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tests.chaos.report import cluster_report, report
from tests.chaos.storm import Plan, storm

T = TypeVar("T")


def main() -> int:
    """Run one storm; the exit status tells whether nothing was lost."""
    parser = argparse.ArgumentParser(
        prog="chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", choices=["embedded", "distributed"], default="embedded")
    parser.add_argument("--kills", type=int, default=200, help="embedded: how many processes are killed")
    parser.add_argument("--faults", type=int, default=200, help="distributed: how many faults are made")
    parser.add_argument("--crowd", type=int, default=200, help="distributed: how many streams watch one session")
    parser.add_argument("--namespaces", action="store_true", help="distributed: each host is a network namespace")
    parser.add_argument("--seed", type=int, default=None, help="what the dice show; drawn and printed when left out")
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2, help="embedded: how many render at a time")
    parser.add_argument("--folder", type=Path, help="keep what it leaves here; it must be empty")
    asked = parser.parse_args()
    asked.seed = random.randrange(1_000_000) if asked.seed is None else asked.seed
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="videogen-chaos-") as folder:
        return _storm(asked, asked.folder or Path(folder))


def _storm(asked: argparse.Namespace, folder: Path) -> int:
    if asked.profile == "distributed":
        from tests.chaos.cluster_storm import ClusterPlan, cluster_storm

        namespaces = " --namespaces" * asked.namespaces
        again = f"make chaos PROFILE=distributed ARGS='--faults {asked.faults} --seed {asked.seed}{namespaces}'"
        print(f"chaos: {asked.faults} faults over several machines; again: {again}", flush=True)
        plan = ClusterPlan(asked.faults, asked.seed, asked.people, asked.crowd, namespaces=asked.namespaces)
        over = asyncio.run(_interruptible(lambda enough: cluster_storm(folder, plan, enough)))
        print(cluster_report(over))
        return 1 if any(over.faults.values()) else 0
    print(f"chaos: {asked.kills} kills, seed {asked.seed} ...", flush=True)
    kills = Plan(asked.kills, asked.seed, asked.people, asked.workers)
    outcome = asyncio.run(_interruptible(lambda enough: storm(folder, kills, enough)))
    print(report(outcome))
    return 1 if any(outcome.faults.values()) else 0


async def _interruptible(run: Callable[[asyncio.Event], Coroutine[Any, Any, T]]) -> T:
    enough = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, enough.set)
    return await run(enough)


if __name__ == "__main__":
    sys.exit(main())
