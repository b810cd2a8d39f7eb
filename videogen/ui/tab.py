"""What one open browser tab shows: its session's generations, and what this tab alone looks at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from videogen.schemas.accounts import Account
from videogen.schemas.engines import Explanation
from videogen.schemas.generations import File, Generation, GenerationCreate
from videogen.schemas.retention import Retention
from videogen.ui.address import Address
from videogen.ui.choices import Choices
from videogen.ui.exports import Exports
from videogen.ui.form import EngineForm
from videogen.ui.history import History
from videogen.ui.own_presets import OwnPreset
from videogen.ui.pages import Page

Link = Literal["live", "reconnecting", "paused"]
_EARLY: Final = ("notice", "dialog", "download", "import_to", "import_words")
"""What a click may change before the tab's watcher is there; beside it, what is on the stage."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message above the page's parts."""

    text: str
    kind: Literal["info", "warning"] = "info"
    show: str = ""
    """The generation that it offers to show."""
    welcome: bool = False
    """Whether it also says what is still being rendered, for as long as something is."""
    undo: tuple[str, ...] = ()
    """What Undo brings back: ids of deleted generations."""
    undo_do: str = ""
    """The handler of Undo for anything else."""
    form_back: bool = False
    """Whether the form was filled, and what stood in it before can be brought back."""


@dataclass(frozen=True, slots=True)
class Dialog:
    """The one open dialog: the template `dialog_<name>.html` with these values."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site:
    """What is the same for all tabs."""

    engines: Sequence[EngineForm] = ()
    """What the form offers, the default first."""
    max_upload_bytes: int = 20_000_000
    """Of one file for the form."""
    links_from_api: Callable[[], bool] = lambda: True
    """Whether the API knows the public address of shared links; where it does not, the browser does."""
    keeps_data: bool = True
    """Whether what is stored outlives a restart of the server."""
    recent_loss: Callable[[], str] = lambda: ""
    """As of when the data is, where something was lost in a restore; else empty."""
    login: str = ""
    """The name of the provider to sign in with; empty: nobody signs in."""
    requires_login: bool = False
    """Whether only people who have signed in may use the app."""

    def engine(self, engine_id: str) -> EngineForm | None:
        """An engine by id; None where it is not offered."""
        return next((one for one in self.engines if one.id == engine_id), None)

    def animator(self, engine_id: str) -> EngineForm | None:
        """The engine that makes a video from a still: this one if it can, else the first that can, else None."""
        able = [one for one in self.engines if one.available and one.image and "video" in one.types]
        return next((one for one in able if one.id == engine_id), able[0] if able else None)

    def extender(self, engine_id: str) -> EngineForm | None:
        """The same for an engine that goes on from a video."""
        able = [one for one in self.engines if one.available and one.extend]
        return next((one for one in able if one.id == engine_id), able[0] if able else None)


@dataclass(frozen=True, slots=True)
class Explained:
    """What an engine would make of the form as it was when the person paused."""

    request: GenerationCreate
    explanation: Explanation


@dataclass(slots=True)
class Tab(Page):
    """The state from which the panels are rendered. Handlers change it and call `ring`; its watcher then renders."""

    site: Site = field(default_factory=Site)
    link: Link = "reconnecting"
    """Whether events arrive from the API."""
    notice: Notice | None = None
    dialog: Dialog | None = None
    account: Account | None = None
    """Who has signed in."""
    account_outdated: bool = False
    """Whether it must be read again: the session may have become another one."""
    anew: bool = False
    """Whether its watcher begins anew: what the session has must be read again."""
    form: Mapping[str, Any] = field(default_factory=dict)
    """The form's values by field name, as they came last."""
    retention: Retention | None = None
    """How long things are kept, and what goes soon; None until it has been read."""
    retention_outdated: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where something else may go soon since then."""
    explained: Explained | None = None
    """None without a prompt, with a wrong form, and while the API does not answer."""
    preset_seed: str = ""
    """The seed that came from a preset last; it is not the person's own."""
    presets: tuple[OwnPreset, ...] = ()
    """The person's own."""
    deleted_presets: tuple[OwnPreset, ...] = ()
    """The same before the last one was deleted."""
    presets_text: str | None = None
    """What the browser is to store of them; None: it has what is right."""
    form_before: Mapping[str, Any] = field(default_factory=dict)
    """The form's values by field name, as they were before it was filled last."""
    playing: str = ""
    """The link of the video that the player has."""
    history: History = field(default_factory=History)
    exports: Exports = field(default_factory=Exports)
    """Of what is on the stage."""
    arrival: Address = field(default_factory=Address)
    """What the address said when the tab was opened, or when somebody went back to it."""
    selections_before: int = 0
    """The board's selections at that time."""
    choices: Choices = field(default_factory=Choices)
    claim: str | None = None
    """A one-time code of another device, from the address or typed, that waits for the visitor's answer."""
    next_token: str | None = None
    """The token that the page is to have from now on; its watcher takes it up."""
    image: File | None = None
    """The image to start from."""
    last_image: File | None = None
    """The image to end with."""
    extended: Generation | None = None
    """The finished video that the form's one goes on from."""
    takes_video: bool = True
    """Whether the chosen engine goes on from a video."""
    offered: tuple[str, File] | None = None
    """A picture that could be started from, by its name: only its settings were taken."""
    offers_own_shape: bool = False
    """Whether the form offers the image's own shape."""
    size: tuple[int, int] | None = None
    """Width and height in pixels that the form asks for."""
    like_image: bool = False
    """Whether they are of the image's own shape."""
    takes_image: bool = True
    """Whether the chosen engine starts from an image."""
    takes_last: bool = False
    """Whether what the form asks for can end with an image."""
    awaits_last: bool = False
    """Whether the next picture that comes is the one to end with."""
    download: str | None = None
    """The address of what the browser is to download."""
    import_to: str | None = None
    """Where the browser is to send the zip that was chosen; None while none is sent."""
    import_words: str = ""
    """What becomes of it."""
    changed: set[str] = field(default_factory=set)
    """Ids of what was renamed, marked, deleted or brought back here, and is not yet in the browser's other tabs."""
    rendered: dict[str, tuple[Any, str]] = field(default_factory=dict)
    """By panel: the values it was rendered from last, and its HTML."""

    def take_over(self, before: Tab) -> None:
        """Keep what only the browser would know otherwise, after the watcher has begun anew."""
        self.form, self.form_before, self.explained = before.form, before.form_before, before.explained
        self.image, self.offered, self.size = before.image, before.offered, before.size
        self.extended, self.takes_video = before.extended, before.takes_video
        self.last_image, self.takes_last, self.awaits_last = before.last_image, before.takes_last, before.awaits_last
        self.presets, self.presets_text = before.presets, before.presets_text
        self.exports.awaited = before.exports.awaited
        self.choices, self.claim, self.notice = (
            before.choices,
            before.claim,
            before.notice if before.next_token or before.anew else None,
        )
        if before.next_token is None:
            self.history.picked = before.history.picked

    def wanted(self) -> Mapping[str, Any]:
        """What this tab was asked to show, for the one that has taken its place: see `show`."""
        changed = {name: value for name in _EARLY if (value := getattr(self, name))}
        board = self.board
        return changed | ({"selected": board.selected, "grid": board.grid} if board.selected else {})

    def show(self, wanted: Mapping[str, Any]) -> None:
        """Show what was asked for before this tab was there."""
        for name in _EARLY:
            setattr(self, name, wanted.get(name) or getattr(self, name))
        if (selected := wanted.get("selected")) is not None:
            self.board.put(selected)
            self.board.select(selected.id)
            self.board.grid = wanted.get("grid") or ""

    def address(self) -> Address:
        """What the address says now. It names no generation that nobody has asked for."""
        named = self.board.selected_id or ""
        if self.board.selections == self.selections_before:
            named = self.arrival.generation and (named or self.arrival.generation)
        rest = tuple(pair for pair in self.arrival.rest if self.claim or pair[0] != "claim")
        return replace(
            self.arrival, rest=rest, generation=named, filters=self.history.filters, before=self.history.before
        )

    def close_dialog(self) -> None:
        """Close what is open. A code that waited for an answer is declined."""
        self.dialog = self.claim = None

    def move(self, token: str, notice: Notice) -> None:
        """Bind the page to another token: the watcher begins anew with it, and says `notice`."""
        self.dialog, self.next_token, self.notice = None, token, notice
