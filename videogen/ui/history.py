"""The page of the history that one tab shows: what is looked for, what has come of it, and what is selected."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from videogen.client import ApiError, AsyncClient
from videogen.schemas.generations import Generation, GenerationPage
from videogen.ui.address import Address, Filters

PAGE: Final = 24
"""Entries of one page."""


@dataclass(slots=True)
class History:
    """One page of what has ended. Handlers change it; `load` brings it up to date."""

    filters: Filters = field(default_factory=Filters)
    cursors: list[str] = field(default_factory=lambda: [""])
    """The pages on the way to this one, which is the last; the newest page's cursor is empty."""
    items: tuple[Generation, ...] = ()
    next_cursor: str | None = None
    loaded: bool = False
    picked: dict[str, None] | None = None
    """The selected ids, in the order in which they were; None while nothing is being selected."""
    version: int = 0
    """Rises with each change: what is rendered from it is kept until then."""
    steps: int = 0
    """How often somebody has gone to another page or chosen another filter: each can be gone back from."""
    search: str | None = None
    """What the search field must show after a click; None: what it shows."""
    shown_before: str = ""
    """What was deleted while it was on the stage: Undo puts it there again."""
    outdated: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where something has ended since it was read."""
    rendered: tuple[object, Mapping[str, Any]] | None = None
    """The panel's values, with what they were made from."""
    _board_version: int | None = None
    _last_picked: str = ""

    @property
    def before(self) -> str:
        """The cursor of this page."""
        return self.cursors[-1]

    def show(self, page: GenerationPage) -> None:
        """Take in what the API has; what has not ended stands elsewhere."""
        self.items = tuple(item for item in page.items if item.status.is_terminal)
        self.next_cursor, self.loaded = page.next_cursor, True
        self.version += 1

    def look(self, filters: Filters, before: str = "") -> None:
        """Look for something else; the entries stay until `load` has others."""
        self.filters = filters
        if before in self.cursors:
            del self.cursors[self.cursors.index(before) + 1 :]
        else:
            self.cursors = ["", before] if before else [""]
        self.version += 1

    def older(self) -> None:
        """Go to the next page."""
        if self.next_cursor is not None:
            self.cursors.append(self.next_cursor)
            self.steps += 1

    def newer(self) -> None:
        """Go to the page before this one."""
        if len(self.cursors) > 1:
            self.cursors.pop()
            self.steps += 1

    def replace(self, generation: Generation) -> None:
        """Show a changed entry."""
        self.items = tuple(generation if item.id == generation.id else item for item in self.items)
        self.version += 1

    def remove(self, ids: Collection[str]) -> None:
        """Take entries away at once; what comes after them is there after `load`."""
        self.items = tuple(item for item in self.items if item.id not in ids)
        self.picked = None
        self.version += 1

    def drop(self, ids: Collection[str]) -> None:
        """Take away what is gone; all else stays selected."""
        self.items = tuple(item for item in self.items if item.id not in ids)
        if self.picked is not None:
            self.picked = {name: None for name in self.picked if name not in ids}
        self.version += 1

    def pick(self, generation_id: str, *, ranged: bool = False) -> None:
        """Select an entry, or take it out again; `ranged`: and all between it and the one before."""
        picked = {} if self.picked is None else self.picked
        on = generation_id not in picked
        for name in self._between(generation_id) if ranged else [generation_id]:
            if on:
                picked[name] = None
            else:
                picked.pop(name, None)
        self.picked, self._last_picked = picked, generation_id
        self.version += 1

    def _between(self, generation_id: str) -> Iterable[str]:
        ids = [item.id for item in self.items]
        if self._last_picked not in ids or generation_id not in ids:
            return [generation_id]
        first, last = sorted((ids.index(self._last_picked), ids.index(generation_id)))
        return ids[first : last + 1]

    def pick_all(self, ids: Iterable[str] | None) -> None:
        """Have exactly these selected; None: end it."""
        self.picked = None if ids is None else dict.fromkeys(ids)
        self.version += 1

    def picked_ids(self) -> list[str]:
        """The selected ids: those of this page in its order, then those of others."""
        picked = self.picked or {}
        here = [item.id for item in self.items if item.id in picked]
        return [*here, *(name for name in picked if name not in here)]

    def follow(self, board_version: int) -> None:
        """Have it read again where something has ended since; `board_version` is `Board.history_version`."""
        if self._board_version not in (None, board_version):
            self.outdated.set()
        self._board_version = board_version


async def load(client: AsyncClient, history: History) -> None:
    """Read the page again.

    Raises:
        ClientError: the API does not answer, or does not take the filters.
    """
    filters, before = history.filters, history.before
    page = await client.list(limit=PAGE, cursor=before or None, **filters.query())
    # Meanwhile somebody may look for something else, whose answer comes as well.
    if (filters, before) == (history.filters, history.before):
        history.show(page)


async def open_history(client: AsyncClient, history: History, address: Address, newest: GenerationPage) -> None:
    """Show what an address says. `newest` are the newest generations, ended or not, which are known on arrival.

    Raises:
        ClientError: the API does not answer.
    """
    history.show(newest)
    if (address.filters, address.before) != (Filters(), ""):
        history.look(address.filters, address.before)
    elif len(history.items) == len(newest.items):
        return
    try:
        await load(client, history)
    except ApiError:
        # An address that somebody has changed by hand.
        history.look(Filters())
