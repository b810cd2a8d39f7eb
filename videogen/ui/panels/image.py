"""The image to start from: what becomes of it in the size that the form asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from videogen.ui.start_image import cut_of
from videogen.ui.tab import Tab

_CUT: Final = {"sides": "image.cut_sides", "ends": "image.cut_ends"}


def image(tab: Tab) -> Mapping[str, Any]:
    """`words`: the size of the result, and what is cut off; a warning where the engine does not use the image."""
    chosen, say = tab.image, tab.texts.say
    offered = tab.offered[0] if tab.offered else ""
    if chosen is None:
        return {"url": None, "about": "", "words": "", "offered": offered}
    words = ""
    if not tab.takes_image:
        words = say("image.unused")
    elif tab.size is not None:
        cut = cut_of((chosen.width, chosen.height), tab.size)
        size = say("image.size", width=str(tab.size[0]), height=str(tab.size[1]))
        words = say("image.becomes", size=size)
        if cut is not None:
            words = say(_CUT[cut.where], size=size, percent=round(100 * cut.share))
    about = say("image.size", width=str(chosen.width), height=str(chosen.height))
    return {"url": chosen.url, "about": about, "words": words, "offered": offered}
