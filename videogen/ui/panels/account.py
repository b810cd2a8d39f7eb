"""What stands in the place of everything else where only people who have signed in may use the app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from videogen.ui.tab import Tab


def login(tab: Tab) -> Mapping[str, Any]:
    """The sign-in screen, for who may see nothing else."""
    return {"locked": tab.locked, "provider": tab.site.login}
