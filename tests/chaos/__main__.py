"""`python -m tests.chaos [--kills 200] [--seed N]`: a long storm; prints its figures, and every fault.

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
from collections import Counter
from pathlib import Path

from benchmarks.table import percentile
from tests.chaos.storm import Outcome, Plan, storm


def main() -> int:
    """Run one storm; the exit status tells whether nothing was lost."""
    parser = argparse.ArgumentParser(
        prog="chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200, help="how many processes are killed")
    parser.add_argument("--seed", type=int, default=None, help="what the dice show; drawn and printed when left out")
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    seed = random.randrange(1_000_000) if asked.seed is None else asked.seed
    logging.disable(logging.WARNING)
    print(f"chaos: {asked.kills} kills, seed {seed} ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="videogen-chaos-") as folder:
        outcome = asyncio.run(_interruptible(Path(folder), Plan(asked.kills, seed, asked.people, asked.workers)))
    print(report(outcome))
    return 1 if any(outcome.faults.values()) else 0


async def _interruptible(folder: Path, plan: Plan) -> Outcome:
    enough = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, enough.set)
    return await storm(folder, plan, enough)


def report(outcome: Outcome) -> str:
    """The figures as text, each fault on a line of its own."""
    lines = [
        f"duration         {outcome.seconds:.0f} s",
        f"kills            {outcome.kills.total()}: {_counts(outcome.kills)}",
        f"also             {_counts(outcome.did)}",
        f"people           {_counts(outcome.people)}",
        f"generations      {outcome.ends.total()}: {_counts(outcome.ends)}; at most {outcome.most_lost} lost by one",
        f"takeover         {_spans(outcome.after_renderer)} from the kill of a renderer to the next attempt's progress",
        f"                 {_spans(outcome.after_server)} from Ready to progress of what a server left",
    ]
    lines += [f"{kind:<17}{len(found)}" for kind, found in outcome.faults.items()]
    lines += [f"  {kind}: {fault}" for kind, found in outcome.faults.items() for fault in found[:20]]
    return "\n".join(lines)


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common()) or "nothing"


def _spans(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
    return f"p50 {p50:.2f} s, p99 {p99:.2f} s, max {max(seconds):.2f} s ({len(seconds)})"


if __name__ == "__main__":
    sys.exit(main())
