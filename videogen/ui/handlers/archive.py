"""Everything as one zip: taken along, and brought in. The browser itself fetches and sends it, by signed links."""

from __future__ import annotations

from typing import Any

from videogen.core import i18n as language
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.history import load
from videogen.ui.tab import Tab


@handles("export")
async def export(tab: Tab, _click: Click) -> None:
    """Have the browser download everything."""
    tab.download = (await tab.client.export_link()).url


@handles("import")
async def import_zip(tab: Tab, click: Click) -> None:
    """A zip was chosen: have the browser send it, unless it is too large. `name` and `size` (bytes) are the file's."""
    texts, size = tab.texts, click.data.get("size")
    name = click.text("name") or "zip"
    link = await tab.client.import_link()
    if isinstance(size, int) and size > link.max_bytes:
        tab.import_words = texts.gettext(
            "take.too_large", name=name, size=texts.size(size), most=texts.size(link.max_bytes)
        )
        return
    tab.import_to, tab.import_words = link.url, texts.gettext("take.importing", name=name)


@handles("imported")
async def imported(tab: Tab, click: Click) -> None:
    """The browser has sent it: `answer` is the API's, or null where there was none."""
    answer = click.data.get("answer")
    tab.import_to, tab.import_words = None, _outcome(tab, answer if isinstance(answer, dict) else {})
    await load(tab.client, tab.history)


def _outcome(tab: Tab, answer: dict[str, Any]) -> str:
    new, known = answer.get("imported"), answer.get("known")
    if isinstance(new, int) and isinstance(known, int):
        if known:
            return tab.texts.gettext("take.imported_known", imported=new, count=known)
        return tab.texts.gettext("take.imported", count=new)
    if isinstance(answer.get("code"), str):
        return language.error_message(
            tab.texts.words, answer["code"], str(answer.get("detail") or answer["code"])[:500]
        )
    return tab.texts.gettext("take.not_imported")
