"""`python -m tests.fuzz [--calls 20000] [--seed N]`: calls made from the OpenAPI description.

Prints each kind of failing call once, with a command that repeats it.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.fuzz.calls import SETTINGS, Fuzzer
from tests.support.app import App


def main() -> int:
    """Make the calls; the exit status tells whether all were answered as described."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=None, help="drawn and printed when left out")
    asked = parser.parse_args()
    seed = random.randrange(1_000_000) if asked.seed is None else asked.seed
    print(f"fuzz: {asked.calls} calls, seed {seed} ...", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="videogen-fuzz-") as folder,
        App(Path(folder), page=False, **SETTINGS) as app,
    ):
        fuzzer = Fuzzer(app, seed)
        with suppress(KeyboardInterrupt):  # Ctrl-C: what was found so far
            fuzzer.run(asked.calls)
        outcome = fuzzer.outcome
        fuzzer.close()
        log = app.log
    for kind, text in outcome.failures.items():
        print(f"\n{kind}\n{text}")
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(outcome.statuses.items()))
    print(f"\n{outcome.calls} calls, {len(outcome.failures)} kinds of failures; {statuses}")
    if "Traceback" in log:
        print(f"\nThe log of the server has a traceback:\n{log[-4000:]}")
    return 1 if outcome.failures or "Traceback" in log else 0


if __name__ == "__main__":
    sys.exit(main())
