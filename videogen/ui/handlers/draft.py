"""The form as the browser has kept it."""

from __future__ import annotations

from typing import Final

from videogen.ui.handlers.registry import Click, FormValues, fills
from videogen.ui.tab import Tab

_TYPED: Final = ("prompt", "negative", "seed")
"""The browser has put these back itself, and somebody may type in them already."""


@fills("draft")
async def draft(tab: Tab, click: Click) -> FormValues:
    """Show what belongs to the kept values: the settings of their engine, its frame rates, a size of one's own."""
    form = click.data.get("form")
    kept = {str(name): value for name, value in form.items() if name not in _TYPED} if isinstance(form, dict) else {}
    if tab.site.engine(str(kept.get("engine"))) is None:
        kept.pop("engine", None)
    if type(kept.get("fps")) is not int:
        kept.pop("fps", None)
    return kept
