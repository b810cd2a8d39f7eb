"""What the browser's scripts are given with each frame: data for what only a browser can do. Never HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from videogen.ui.address import build, outer
from videogen.ui.tab import Tab


def signals(tab: Tab) -> Mapping[str, Any]:
    """The values by name; `static/page.js` calls the scripts of those that have changed.

    `session`: the token, until the browser has shown that it knows it, and whether its cookie must be replaced.
    `compare`: the ids of those whose videos play in step in the dialog.
    `address`: see `static/address.js`; None until it is known. `search`: what the search field must show.
    `claim`: whether a one-time code waits for an answer; else it is taken out of the address.
    `download`: the address of what is to be downloaded. `import_to`: where the chosen zip is to be sent.
    `presets`: the text of the person's own presets that the browser is to store.
    `most_bytes`: how large a file for the form may be.
    """
    dialog = tab.dialog
    return {
        "session": None if tab.proven or tab.token is None else {"token": tab.token, "adopt": tab.adopt},
        "link": tab.link,
        "compare": [pane["id"] for pane in dialog.values["panes"]] if dialog and dialog.name == "compare" else None,
        "address": _address(tab) if tab.history.loaded else None,
        "search": tab.history.search,
        "claim": tab.claim is not None,
        "download": tab.download,
        "import_to": tab.import_to,
        "presets": tab.presets_text,
        "most_bytes": tab.site.max_upload_bytes,
    }


def _address(tab: Tab) -> Mapping[str, Any]:
    address = tab.address()
    # A step is something that can be gone back from; what is typed, and what takes the place of a deleted one, is none.
    step = tab.board.selections + tab.history.steps
    shown = tab.board.selected_id or ""
    return {"query": build(address), "outer": outer(address), "step": step, "shown": shown}
