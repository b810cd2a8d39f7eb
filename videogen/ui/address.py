"""The query of the page's address: which generation is looked at, and what of the history. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from videogen.schemas.generations import ListQuery
from videogen.schemas.status import TERMINAL

LONGEST: Final = {"generation": 100, "q": 200, "engine": 100, "before": 100}
"""Characters; what is longer is cut."""
CHOICES: Final = {"status": tuple(status.value for status in TERMINAL), "type": ("video", "image")}
FAVORITE: Final = "favorite"


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for in the history. An empty value means any."""

    q: str = ""
    """Words in the prompt or the title."""
    status: str = ""
    type: str = ""
    engine: str = ""
    favorite: bool = False

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Filters:
        """Read from texts by name; anybody may have written them, so what is not possible means any."""
        texts = {name: values.get(name, "")[: LONGEST[name]].strip() for name in ("q", "engine")}
        chosen = {name: value for name in CHOICES if (value := values.get(name, "")) in CHOICES[name]}
        return cls(**texts, **chosen, favorite=values.get(FAVORITE) == "true")

    def texts(self) -> dict[str, str]:
        """The same as texts by name, without those that mean any."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: "true" if value is True else value for name, value in values.items() if value}

    def query(self) -> dict[str, Any]:
        """The filters of `AsyncClient.list`: of what has ended."""
        return {"status": ",".join(TERMINAL)} | {name: getattr(self, name) for name in self.texts()}


@dataclass(frozen=True, slots=True)
class Address:
    """What an address says."""

    generation: str = ""
    """The id of the generation that is looked at."""
    filters: Filters = Filters()
    before: str = ""
    """The cursor of the history's page; empty: the newest."""
    rest: tuple[tuple[str, str], ...] = ()
    """Other parameters, such as `language`, and the `__theme` and `__sign` of a Space: kept as they are."""


def parse(search: str) -> Address:
    """Read the query of an address, with or without its `?`."""
    pairs = parse_qsl(search[:8000].removeprefix("?"), keep_blank_values=True)
    known = {"generation", "before", *ListQuery.model_fields} - {"cursor", "limit"}
    values = {name: value for name, value in pairs if name in known}
    place = {name: values.get(name, "")[: LONGEST[name]] for name in ("generation", "before")}
    rest = tuple((name, value) for name, value in pairs if name not in known)
    return Address(**place, filters=Filters.read(values), rest=rest)


def build(address: Address) -> str:
    """The query of an address, with its `?`; empty where it says nothing."""
    place = {"generation": address.generation, **address.filters.texts(), "before": address.before}
    pairs = [*address.rest, *((name, value) for name, value in place.items() if value)]
    return f"?{urlencode(pairs)}" if pairs else ""


def outer(address: Address) -> str:
    """The same for the page around the frame of a Space, without the parameters that it gives to the frame itself."""
    rest = tuple((name, value) for name, value in address.rest if not name.startswith("__"))
    return build(Address(address.generation, address.filters, address.before, rest))
