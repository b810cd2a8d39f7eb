"""Other formats of the result on the stage."""

from __future__ import annotations

from videogen.schemas.exports import KINDS
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.tab import Tab


@handles("export-one")
async def export_one(tab: Tab, click: Click) -> None:
    """Have a result made into a format; the browser downloads it when it is ready."""
    if (wanted := click.text("format")) not in KINDS:
        return
    export = await tab.client.export(click.generation_id, wanted)
    tab.exports.awaited.add(export.id)
    tab.download = tab.exports.put(export) or tab.download
    tab.exports.outdated.set()
    tab.changed.add(click.generation_id)
