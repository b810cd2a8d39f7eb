"""What came of a storm, as text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.table import percentile
from tests.chaos.storm import Outcome

if TYPE_CHECKING:
    from tests.chaos.cluster_storm import ClusterOutcome


def report(outcome: Outcome) -> str:
    """The figures as text, each fault on a line of its own."""
    lines = [
        f"duration         {outcome.seconds:.0f} s",
        f"kills            {outcome.kills.total()}: {counts(outcome.kills)}",
        f"also             {counts(outcome.did)}",
        f"people           {counts(outcome.people)}",
        f"generations      {outcome.ends.total()}: {counts(outcome.ends)}; at most {outcome.most_lost} lost by one",
        f"takeover         {_spans(outcome.after_renderer)} from the kill of a renderer to the next attempt's progress",
        f"                 {_spans(outcome.after_server)} from Ready to progress of what a server left",
    ]
    return "\n".join(lines + found_faults(outcome.faults))


def found_faults(faults: dict[str, list[str]]) -> list[str]:
    """How many faults of each kind, and the first of them."""
    lines = [f"{kind:<17}{len(found)}" for kind, found in faults.items()]
    return lines + [f"  {kind}: {fault}" for kind, found in faults.items() for fault in found[:20]]


def counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common()) or "nothing"


def _spans(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
    return f"p50 {p50:.2f} s, p99 {p99:.2f} s, max {max(seconds):.2f} s ({len(seconds)})"


def cluster_report(outcome: ClusterOutcome) -> str:
    """The figures of a storm over several machines, each fault on a line of its own."""
    attempts = Counter({f"in attempt {attempt}": count for attempt, count in sorted(outcome.attempts.items())})
    lines = [
        f"duration         {outcome.seconds:.0f} s",
        f"faults           {outcome.did.total()}: {counts(outcome.did)}",
        f"people           {counts(outcome.people)}",
        f"generations      {outcome.ends.total()}: {counts(outcome.ends)}; at most {outcome.most_lost} lost by one",
        f"ended            {counts(attempts)}",
    ]
    return "\n".join(lines + found_faults(outcome.faults))
