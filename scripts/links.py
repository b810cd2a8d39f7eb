"""List the external links of the documentation with the pages that have them (make links).

`--check` asks each one, and exits with 1 where one does not answer. Links inside the project are checked by
tests/test_docs.py.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
PLACES = ("*.md", "docs/**/*.md", "examples/**/*.md", "docs/*.yml")
LINK = re.compile(r"https?://[^\s)>\]\"'`|]+[^\s)>\]\"'`|.,;:]")
ONLY_EXAMPLES = re.compile(
    r"https?://(127\.0\.0\.1|localhost|\[|[\w.-]*\b(example|test)\b|[^/]*[{<$]|[^./]+(:\d+)?(/|$)|10\.|192\.168\.)"
)
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)


def external() -> dict[str, list[str]]:
    """Each link with the pages that have it."""
    found: dict[str, list[str]] = {}
    for path in sorted({path for place in PLACES for path in ROOT.glob(place)}):
        for link in dict.fromkeys(LINK.findall(FENCED.sub("", path.read_text()))):
            if not ONLY_EXAMPLES.match(link):
                found.setdefault(link, []).append(str(path.relative_to(ROOT)))
    return dict(sorted(found.items()))


def fault(link: str) -> str:
    """What is wrong with a link; nothing where it answers."""
    try:
        status = httpx.get(link, follow_redirects=True, timeout=20).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__
    return "" if status < 400 else str(status)


def main(arguments: list[str]) -> int:
    """Print the list; the exit status is 1 where a link was asked and does not answer."""
    broken = 0
    for link, pages in external().items():
        wrong = fault(link) if "--check" in arguments else ""
        broken += bool(wrong)
        print(f"{link}  ({', '.join(pages)}){f'  BROKEN: {wrong}' if wrong else ''}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
