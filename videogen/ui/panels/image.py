"""The images to start from and to end with: what becomes of them in the size that the form asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from videogen.core.text import shorten
from videogen.schemas.generations import File
from videogen.ui.start_image import cut_of
from videogen.ui.tab import Tab

_CUT: Final = {"sides": "image.cut_sides", "ends": "image.cut_ends"}


def image(tab: Tab) -> Mapping[str, Any]:
    """`first` and `last`: each image with the size of the result, and what is cut off; a warning where it is not used.
    `can_end`: whether one to end with can be chosen."""
    return {
        "first": _shown(
            tab, tab.image, "" if tab.takes_image else "extend.no_image" if tab.extended else "image.unused"
        ),
        "last": _shown(tab, tab.last_image, "" if tab.takes_last else "image.last_unused"),
        "extended": _extended(tab),
        "offered": tab.offered[0] if tab.offered else "",
        "can_end": tab.takes_last and tab.last_image is None,
        "awaits_last": tab.awaits_last,
    }


def _extended(tab: Tab) -> Mapping[str, Any] | None:
    """The video that goes on: its poster, name and length, and what the length of the form means."""
    if (video := tab.extended) is None:
        return None
    gettext, length = tab.texts.gettext, tab.texts.length(video.duration_seconds)
    return {
        "url": video.poster_url,
        "title": shorten(video.title or video.prompt, 60),
        "words": gettext("extend.whole" if tab.takes_video else "extend.unused", length=length),
    }


def _shown(tab: Tab, chosen: File | None, unused: str) -> Mapping[str, Any] | None:
    if chosen is None:
        return None
    gettext, words = tab.texts.gettext, ""
    if unused:
        words = gettext(unused)
    elif tab.size is not None:
        cut = cut_of((chosen.width, chosen.height), tab.size)
        size = gettext("image.size", width=str(tab.size[0]), height=str(tab.size[1]))
        words = gettext("image.becomes", size=size)
        if cut is not None:
            words = gettext(_CUT[cut.where], size=size, percent=round(100 * cut.share))
    about = gettext("image.size", width=str(chosen.width), height=str(chosen.height))
    return {"url": chosen.url, "about": about, "words": words}
