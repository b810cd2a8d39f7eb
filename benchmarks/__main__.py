"""`python -m benchmarks [NAME ...]`: measure, and print one table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module

from benchmarks.table import Row, show

NAMES = (
    *("start", "ready", "page", "share", "store", "history", "jobs", "render", "extend", "sse", "load", "idle"),
    *("cli", "metrics", "snapshot", "retention", "merge", "remote", "diffusers", "space", "stock"),
    *("distributed",),
)  # fmt: skip


def main() -> int:
    """Measure what is named, or everything. The exit status is 0 if every bound was kept."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=f"of {', '.join(NAMES)}")
    chosen = parser.parse_args().names or NAMES
    rows: list[Row] = []
    for name in chosen:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        measure: Callable[[], list[Row]] = import_module(f"benchmarks.{name}").measure
        rows += measure()
    print(show(rows))
    return 0 if all(row.within_bound is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
