"""The app as `make run` installs it: without the package `mcp`, which the tests' environment has for its extra."""

import sys

sys.modules["mcp"] = None  # type: ignore[assignment]  # the import system's own word for "not here"

from videogen.__main__ import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(["serve"]))
