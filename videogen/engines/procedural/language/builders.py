"""What a shot becomes while its words are read, before it is frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from videogen.engines.procedural.language.phrases import Phrase, calm_strength, unwanted_kinds
from videogen.engines.procedural.language.scene_spec import MAX_SUBJECTS, Relation, Subject

# Kinds there is one of, however many are asked for.
# Kinds that come in numbers, also where a phrase names them without a plural.
USUALLY_PLURAL: Final = frozenset({"mountains", "flowers", "stars", "clouds", "lanterns"})
SINGLETONS: Final = frozenset(
    {"ocean", "forest", "city", "desert", "underwater", "space", "abstract", "fractal", "aurora", "rain", "snow", "fog"}
)
# Kinds whose strength words like "heavy" and "light" set.
WITH_STRENGTH: Final = frozenset(
    {"ocean", "lake", "river", "waterfall", "clouds", "rain", "snow", "fog", "lightning", "fire", "aurora"}
)
# Kinds whose strength a word of size sets: huge waves are a rough sea.
SIZE_IS_STRENGTH: Final = frozenset({"ocean", "clouds", "rain", "snow", "fog", "lightning", "fire"})
_STRENGTH_OF_SIZE: Final = {"tiny": 0.12, "small": 0.25, "large": 0.85, "huge": 1.0}
WATER_KINDS: Final = ("ocean", "lake", "river")
_MAX_PHRASES: Final = 4


@dataclass(slots=True)
class PendingModifiers:
    """Modifiers that wait for their noun."""

    items: list[Phrase] = field(default_factory=list)
    number: int | None = None
    colours: list[str] = field(default_factory=list)
    size: str = ""
    amount: float | None = None
    action: str = ""
    place: str = ""
    is_indefinite: bool = False


@dataclass(slots=True)
class SubjectBuilder:
    """A subject that is still being described. None and "" stand for what was not said."""

    kind: str
    count: int | None = None
    is_plural: bool = False
    colours: list[str] = field(default_factory=list)
    size: str = ""
    amount: float | None = None
    action: str = ""
    relations: list[tuple[str, int | None]] = field(default_factory=list)
    mentions: list[list[Phrase]] = field(default_factory=list)

    def is_distinct_from(self, new: SubjectBuilder) -> bool:
        """Whether a new mention of this kind speaks of another one."""
        if self.kind in SINGLETONS:
            return False
        pairs = ((self.colours, new.colours), (self.size, new.size), (self.count, new.count))
        return any(ours and theirs and ours != theirs for ours, theirs in pairs)

    def merge(self, new: SubjectBuilder) -> None:
        """Take over what a new mention adds."""
        self.colours += [colour for colour in new.colours if colour not in self.colours]
        self.count = self.count if self.count is not None else new.count
        self.size = self.size or new.size
        self.amount = self.amount if self.amount is not None else new.amount
        self.action = self.action or new.action
        self.is_plural = self.is_plural or new.is_plural
        if len(self.mentions) < _MAX_PHRASES:
            self.mentions += new.mentions

    def build(self, ambient: float | None, places: dict[int, int]) -> Subject:
        """The subject. `ambient` is the strength that waters take over; `places` maps old indices to new ones."""
        count = 1 if self.kind in SINGLETONS else self.count
        if count is None:
            count = 0 if self.is_plural else 1
        amount = self.amount
        if amount is None and self.kind in WATER_KINDS:
            amount = ambient
        if amount is None and self.kind in SIZE_IS_STRENGTH:
            amount = _STRENGTH_OF_SIZE.get(self.size)
        values: dict[str, Any] = {"size": "" if self.kind in SIZE_IS_STRENGTH else self.size, "action": self.action}
        relations = (
            Relation(place, None if target is None else places[target])  # type: ignore[arg-type]
            for place, target in dict.fromkeys(self.relations)
            if target is None or target in places
        )
        values |= {"colours": tuple(self.colours), "relations": tuple(relations)}
        return Subject(kind=self.kind, count=count, amount=0.5 if amount is None else amount, **values)  # type: ignore[arg-type]


@dataclass(slots=True)
class ParseNotes:
    """What each phrase became, and what said nothing, each with its place in the prompt."""

    understood: list[tuple[int, str, str]] = field(default_factory=list)
    ignored: list[tuple[int, str]] = field(default_factory=list)

    def record(self, phrase: Phrase, what: str) -> None:
        """Note what an item became."""
        self.understood.append((phrase.position, phrase.text, what))

    def record_negated(self, negator: Phrase, phrase: Phrase, what: str) -> None:
        """Note what a phrase with its negation became."""
        self.understood.append((negator.position, f"{negator.text} {phrase.text}", what))

    def ignore(self, phrase: Phrase) -> None:
        """Note that an item said nothing to us."""
        self.ignored.append((phrase.position, phrase.text))


@dataclass(slots=True)
class ShotBuilder:
    """A shot that is still being read."""

    transition: str = "crossfade"
    subjects: list[SubjectBuilder] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    palette: list[str] = field(default_factory=list)
    without: dict[str, Phrase | None] = field(default_factory=dict)
    ambient: float | None = None
    loop: bool = False
    title_removed: bool = False
    notes: ParseNotes = field(default_factory=ParseNotes)

    @property
    def has_content(self) -> bool:
        """Whether it names anything to be seen."""
        return bool(self.subjects or self.fields.keys() & {"time", "season", "title"})

    def exclude(self, phrase: Phrase) -> str:
        """Take what a phrase names out of the shot, and tell so in plain words."""
        calm = calm_strength(phrase)
        if calm is not None:
            self.ambient = calm
            return "calm water"
        kinds = unwanted_kinds(phrase)
        self.without.update(dict.fromkeys(kinds, phrase))
        return f"no {' and no '.join(kinds)}"

    def add(self, new: SubjectBuilder, *, apart: bool) -> int | None:
        """Take a subject in, as a new one or into one of its kind; its index, or None where there is no room."""
        for index, old in enumerate(self.subjects):
            if old.kind == new.kind and not (apart and old.kind not in SINGLETONS) and not old.is_distinct_from(new):
                old.merge(new)
                return index
        if len(self.subjects) >= MAX_SUBJECTS:
            return None
        self.subjects.append(new)
        return len(self.subjects) - 1

    def build_subjects(self) -> tuple[Subject, ...]:
        """The subjects that nothing took away, their relations among each other kept."""
        kept = [index for index, builder in enumerate(self.subjects) if builder.kind not in self.without]
        places = {old: new for new, old in enumerate(kept)}
        return tuple(self.subjects[index].build(self.ambient, places) for index in kept)
