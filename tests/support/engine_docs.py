"""The engine files that a page of the documentation shows, made to run against a stand-in."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.app import ROOT
from videogen.engines.registry import references_by_id

_BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.M | re.S)


def documented_engines(page: str, folder: Path, base_url: str) -> dict[str, str]:
    """The reference of each engine in the TOML blocks of a page, by its id.

    Args:
        page: its name below docs/engines, without the ending.
        folder: where the files are written.
        base_url: of the stand-in; it takes the place of the address on the page, and all else stays.
    """
    blocks = _BLOCK.findall((ROOT / "docs" / "engines" / f"{page}.md").read_text())
    assert blocks, f"docs/engines/{page}.md shows no engine file"
    files = []
    for number, block in enumerate(blocks):
        text = re.sub(r"^base_url = .*\n", "", block, flags=re.M)
        table = f'[[engine]]\nbase_url = "{base_url}"\npoll_seconds = 0.01\n'
        file = folder / f"{page}-{number}.toml"
        file.write_text(text.replace("[[engine]]\n", table))
        files.append(str(file))
    return references_by_id(files)
