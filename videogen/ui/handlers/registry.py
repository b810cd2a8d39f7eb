"""The registry of handlers: `handles` for what changes a tab, `fills` for what changes the form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from videogen.ui.tab import Tab

FormValues = Mapping[str, Any]
"""New values of the form's fields, by field name; all others stay as they are."""


@dataclass(frozen=True, slots=True)
class Click:
    """What was clicked: its `data-*` attributes in camelCase, those of the entry around it, and the fields of a form.

    Anybody may have written it, so every shape is possible.
    """

    data: Mapping[str, Any]

    @classmethod
    def read(cls, event_data: object) -> Click:
        """Read Gradio's event data."""
        return cls(event_data if isinstance(event_data, dict) else {})

    def text(self, name: str, longest: int = 200) -> str:
        """A value as text, cut to `longest` characters; empty where there is none."""
        value = self.data.get(name)
        return value[:longest] if isinstance(value, str) else ""

    @property
    def generation_id(self) -> str:
        """The generation that it belongs to; empty where there is none."""
        return self.text("generationId", 100)

    @property
    def base(self) -> str:
        """The app's address as the browser knows it, without a slash at the end; empty where it has none."""
        address = self.text("base", 500)
        return address if address.startswith(("http://", "https://")) else ""

    @property
    def ids(self) -> list[str]:
        """Several generations: the attribute `data-ids`, separated by spaces."""
        return self.text("ids", 200_000).split()


Handler = Callable[[Tab, Click], Awaitable[None]]
Filler = Callable[[Tab, Click], Awaitable[FormValues]]
HANDLERS: Final[dict[str, Handler]] = {}
FILLS: Final[dict[str, Filler]] = {}


def handles(name: str) -> Callable[[Handler], Handler]:
    """Have a function handle clicks on `data-do="name"`. It may raise ClientError, which becomes a notice."""

    def register(handler: Handler) -> Handler:
        if HANDLERS.setdefault(name, handler) is not handler:
            raise ValueError(f"{name!r} has a handler already; take another name")
        return handler

    return register


def fills(name: str) -> Callable[[Filler], Filler]:
    """Have a function fill the form on clicks on `data-fill="name"`. It may raise ClientError as well."""

    def register(filler: Filler) -> Filler:
        if FILLS.setdefault(name, filler) is not filler:
            raise ValueError(f"{name!r} fills the form already; take another name")
        return filler

    return register
