"""The image to start from: what becomes of it in the size that the form asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from videogen.ui.start_image import cut_of
from videogen.ui.tab import Tab

_CUT: Final = {"sides": "image.cut_sides", "ends": "image.cut_ends"}


def image(tab: Tab) -> Mapping[str, Any]:
    """`words`: the size of the result, and what is cut off; a warning where the engine does not use the image."""
    chosen, gettext = tab.image, tab.texts.gettext
    offered = tab.offered[0] if tab.offered else ""
    if chosen is None:
        return {"url": None, "about": "", "words": "", "offered": offered}
    words = ""
    if not tab.takes_image:
        words = gettext("image.unused")
    elif tab.size is not None:
        cut = cut_of((chosen.width, chosen.height), tab.size)
        size = gettext("image.size", width=str(tab.size[0]), height=str(tab.size[1]))
        words = gettext("image.becomes", size=size)
        if cut is not None:
            words = gettext(_CUT[cut.where], size=size, percent=round(100 * cut.share))
    about = gettext("image.size", width=str(chosen.width), height=str(chosen.height))
    return {"url": chosen.url, "about": about, "words": words, "offered": offered}
