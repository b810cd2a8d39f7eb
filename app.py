"""Serve videogen: `python app.py`. Settings come from the environment (`VIDEOGEN_*`)."""

import sys

from videogen.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["serve"]))
