"""What a shot becomes while its words are read, before it is frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from videogen.engines.procedural.language.items import Item, calmed, unwanted_kinds
from videogen.engines.procedural.language.spec import MAX_SUBJECTS, Relation, Subject

# Kinds there is one of, however many are asked for.
# Kinds that come in numbers, also where a phrase names them without a plural.
PLENTIFUL: Final = frozenset({"mountains", "flowers", "stars", "clouds", "lanterns"})
UNCOUNTED: Final = frozenset(
    {"ocean", "forest", "city", "desert", "underwater", "space", "abstract", "fractal", "aurora", "rain", "snow", "fog"}
)
# Kinds whose strength words like "heavy" and "light" set.
STRONG: Final = frozenset(
    {"ocean", "lake", "river", "waterfall", "clouds", "rain", "snow", "fog", "lightning", "fire", "aurora"}
)
# Kinds whose strength a word of size sets: huge waves are a rough sea.
SWELLING: Final = frozenset({"ocean", "clouds", "rain", "snow", "fog", "lightning", "fire"})
_SWELL: Final = {"tiny": 0.12, "small": 0.25, "large": 0.85, "huge": 1.0}
WATERS: Final = ("ocean", "lake", "river")
_MAX_PHRASES: Final = 4


@dataclass(slots=True)
class Pending:
    """Modifiers that wait for their noun."""

    items: list[Item] = field(default_factory=list)
    number: int | None = None
    colours: list[str] = field(default_factory=list)
    size: str = ""
    amount: float | None = None
    action: str = ""
    place: str = ""
    is_indefinite: bool = False


@dataclass(slots=True)
class Draft:
    """A subject that is still being described. None and "" stand for what was not said."""

    kind: str
    count: int | None = None
    is_plural: bool = False
    colours: list[str] = field(default_factory=list)
    size: str = ""
    amount: float | None = None
    action: str = ""
    relations: list[tuple[str, int | None]] = field(default_factory=list)
    phrases: list[list[Item]] = field(default_factory=list)

    def differs(self, new: Draft) -> bool:
        """Whether a new mention of this kind speaks of another one."""
        if self.kind in UNCOUNTED:
            return False
        pairs = ((self.colours, new.colours), (self.size, new.size), (self.count, new.count))
        return any(ours and theirs and ours != theirs for ours, theirs in pairs)

    def absorb(self, new: Draft) -> None:
        """Take over what a new mention adds."""
        self.colours += [colour for colour in new.colours if colour not in self.colours]
        self.count = self.count if self.count is not None else new.count
        self.size = self.size or new.size
        self.amount = self.amount if self.amount is not None else new.amount
        self.action = self.action or new.action
        self.is_plural = self.is_plural or new.is_plural
        if len(self.phrases) < _MAX_PHRASES:
            self.phrases += new.phrases

    def frozen(self, ambient: float | None, places: dict[int, int]) -> Subject:
        """The subject. `ambient` is the strength that waters take over; `places` maps old indices to new ones."""
        count = 1 if self.kind in UNCOUNTED else self.count
        if count is None:
            count = 0 if self.is_plural else 1
        amount = self.amount
        if amount is None and self.kind in WATERS:
            amount = ambient
        if amount is None and self.kind in SWELLING:
            amount = _SWELL.get(self.size)
        values: dict[str, Any] = {"size": "" if self.kind in SWELLING else self.size, "action": self.action}
        relations = (
            Relation(place, None if target is None else places[target])  # type: ignore[arg-type]
            for place, target in dict.fromkeys(self.relations)
            if target is None or target in places
        )
        values |= {"colours": tuple(self.colours), "relations": tuple(relations)}
        return Subject(kind=self.kind, count=count, amount=0.5 if amount is None else amount, **values)  # type: ignore[arg-type]


@dataclass(slots=True)
class Notes:
    """What each phrase became, and what said nothing, each with its place in the prompt."""

    understood: list[tuple[int, str, str]] = field(default_factory=list)
    ignored: list[tuple[int, str]] = field(default_factory=list)

    def became(self, item: Item, what: str) -> None:
        """Note what an item became."""
        self.understood.append((item.place, item.phrase, what))

    def negated(self, negator: Item, item: Item, what: str) -> None:
        """Note what a phrase with its negation became."""
        self.understood.append((negator.place, f"{negator.phrase} {item.phrase}", what))

    def ignore(self, item: Item) -> None:
        """Note that an item said nothing to us."""
        self.ignored.append((item.place, item.phrase))


@dataclass(slots=True)
class ShotDraft:
    """A shot that is still being read."""

    transition: str = "crossfade"
    subjects: list[Draft] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    palette: list[str] = field(default_factory=list)
    without: dict[str, Item | None] = field(default_factory=dict)
    ambient: float | None = None
    loop: bool = False
    is_untitled: bool = False
    notes: Notes = field(default_factory=Notes)

    @property
    def shows_something(self) -> bool:
        """Whether it names anything to be seen."""
        return bool(self.subjects or self.fields.keys() & {"time", "season", "title"})

    def refuse(self, item: Item) -> str:
        """Take what a phrase names out of the shot, and tell so in plain words."""
        calm = calmed(item)
        if calm is not None:
            self.ambient = calm
            return "calm water"
        kinds = unwanted_kinds(item)
        self.without.update(dict.fromkeys(kinds, item))
        return f"no {' and no '.join(kinds)}"

    def add(self, new: Draft, *, apart: bool) -> int | None:
        """Take a subject in, as a new one or into one of its kind; its index, or None where there is no room."""
        for index, old in enumerate(self.subjects):
            if old.kind == new.kind and not (apart and old.kind not in UNCOUNTED) and not old.differs(new):
                old.absorb(new)
                return index
        if len(self.subjects) >= MAX_SUBJECTS:
            return None
        self.subjects.append(new)
        return len(self.subjects) - 1

    def frozen_subjects(self) -> tuple[Subject, ...]:
        """The subjects that nothing took away, their relations among each other kept."""
        kept = [index for index, draft in enumerate(self.subjects) if draft.kind not in self.without]
        places = {old: new for new, old in enumerate(kept)}
        return tuple(self.subjects[index].frozen(self.ambient, places) for index in kept)
