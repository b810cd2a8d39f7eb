"""What one open browser tab shows: its session's generations, and what this tab alone looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from videogen.ui.pages import Page

Link = Literal["live", "reconnecting", "paused"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message above the page's parts."""

    text: str
    kind: Literal["info", "warning"] = "info"
    undo: tuple[str, ...] = ()
    """What Undo brings back: ids of deleted generations."""


@dataclass(frozen=True, slots=True)
class Dialog:
    """The one open dialog: the template `dialog_<name>.html` with these values."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Tab(Page):
    """The state from which the panels are rendered. Handlers change it and call `ring`; its watcher then renders."""

    link: Link = "reconnecting"
    """Whether events arrive from the API."""
    notice: Notice | None = None
    dialog: Dialog | None = None
    adopt: bool = False
    """Whether the browser's cookie is another session's and must be replaced."""
    download: str | None = None
    """The address of what the browser is to download."""
    import_to: str | None = None
    """Where the browser is to send the zip that was chosen; None while none is sent."""
    import_words: str = ""
    """What becomes of it."""
    rendered: dict[str, tuple[Any, str]] = field(default_factory=dict)
    """By panel: the values it was rendered from last, and its HTML."""

    def close_dialog(self) -> None:
        """Close what is open."""
        self.dialog = None
