"""What a person can do on the page, by the name in `data-do` or `data-fill` of what was clicked."""

from videogen.ui.handlers import archive, compare, draft, jobs, page, presets, reuse, sharing
from videogen.ui.handlers.registry import FILLS, HANDLERS, Click, FormValues, fills, handles

__all__ = [
    "FILLS",
    "HANDLERS",
    "Click",
    "FormValues",
    "archive",
    "compare",
    "draft",
    "fills",
    "handles",
    "jobs",
    "page",
    "presets",
    "reuse",
    "sharing",
]
