"""The app as `make run` installs it: without the package `mcp`, which the test environment has."""

import sys

sys.modules["mcp"] = None  # type: ignore[assignment]  # the import system then treats it as not installed

from videogen.__main__ import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(["serve"]))
