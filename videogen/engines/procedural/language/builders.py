"""Mutable builders: a shot and its subjects while the prompt is parsed. `build` makes the frozen specs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from videogen.engines.procedural.language.phrases import Phrase, calm_strength, join_words, unwanted_kinds
from videogen.engines.procedural.language.scene_spec import MAX_SUBJECTS, Relation, Subject

# Kinds that exist only once in a shot; a number before them is ignored.
# Kinds that are plural even when the phrase is singular.
USUALLY_PLURAL: Final = frozenset({"mountains", "flowers", "stars", "clouds", "lanterns"})
SINGLETONS: Final = frozenset(
    {"ocean", "forest", "city", "desert", "underwater", "space", "abstract", "fractal", "aurora", "rain", "snow", "fog"}
)
# Kinds whose strength is set by words like "heavy" and "light".
WITH_STRENGTH: Final = frozenset(
    {"ocean", "lake", "river", "waterfall", "clouds", "rain", "snow", "fog", "lightning", "fire", "aurora"}
)
# Kinds whose strength is set by a word of size: huge waves are a rough sea.
SIZE_IS_STRENGTH: Final = frozenset({"ocean", "clouds", "rain", "snow", "fog", "lightning", "fire"})
_STRENGTH_OF_SIZE: Final = {"tiny": 0.12, "small": 0.25, "large": 0.85, "huge": 1.0}
WATER_KINDS: Final = ("ocean", "lake", "river")


@dataclass(slots=True)
class PendingModifiers:
    """Modifiers read so far, which belong to the next noun."""

    phrases: list[Phrase] = field(default_factory=list)
    number: int | None = None
    colours: list[str] = field(default_factory=list)
    size: str = ""
    amount: float | None = None
    action: str = ""
    position: str = ""
    is_indefinite: bool = False


@dataclass(slots=True)
class SubjectBuilder:
    """A subject under construction. None and "" mean that the prompt did not mention the value."""

    kind: str
    count: int | None = None
    is_plural: bool = False
    colours: list[str] = field(default_factory=list)
    size: str = ""
    amount: float | None = None
    action: str = ""
    relations: list[tuple[str, int | None]] = field(default_factory=list)
    mentions: list[list[Phrase]] = field(default_factory=list)

    def is_distinct_from(self, other: SubjectBuilder) -> bool:
        """Whether a new mention of this kind describes another subject."""
        if self.kind in SINGLETONS:
            return False
        pairs = ((self.colours, other.colours), (self.size, other.size), (self.count, other.count))
        return any(ours and theirs and ours != theirs for ours, theirs in pairs)

    def merge(self, other: SubjectBuilder) -> None:
        """Add the properties of a new mention of the same subject."""
        self.colours += [colour for colour in other.colours if colour not in self.colours]
        self.count = self.count if self.count is not None else other.count
        self.size = self.size or other.size
        self.amount = self.amount if self.amount is not None else other.amount
        self.action = self.action or other.action
        self.is_plural = self.is_plural or other.is_plural
        self.mentions += other.mentions

    def build(self, water_strength: float | None, new_indices: dict[int, int]) -> Subject:
        """The finished subject.

        `water_strength` applies to waters without a strength of their own. `new_indices` maps old subject indices to
        new ones, for the targets of relations."""
        count = 1 if self.kind in SINGLETONS else self.count
        if count is None:
            count = 0 if self.is_plural else 1
        amount = self.amount
        if amount is None and self.kind in WATER_KINDS:
            amount = water_strength
        if amount is None and self.kind in SIZE_IS_STRENGTH:
            amount = _STRENGTH_OF_SIZE.get(self.size)
        values: dict[str, Any] = {"size": "" if self.kind in SIZE_IS_STRENGTH else self.size, "action": self.action}
        relations = (
            Relation(kind, None if target is None else new_indices[target])  # type: ignore[arg-type]
            for kind, target in dict.fromkeys(self.relations)
            if target is None or target in new_indices
        )
        values |= {"colours": tuple(self.colours), "relations": tuple(relations)}
        return Subject(kind=self.kind, count=count, amount=0.5 if amount is None else amount, **values)  # type: ignore[arg-type]


@dataclass(slots=True)
class ParseNotes:
    """What each phrase became, with its position in the prompt; the phrases without effect; the positions of all of
    them."""

    understood: list[tuple[int, str, str]] = field(default_factory=list)
    ignored: list[Phrase] = field(default_factory=list)
    positions: set[int] = field(default_factory=set)

    def record(self, phrase: Phrase, meaning: str) -> None:
        """Record what a phrase became."""
        self.record_together([phrase], meaning)

    def record_together(self, phrases: Sequence[Phrase], meaning: str) -> None:
        """Record what several phrases became."""
        self.positions.update(phrase.position for phrase in phrases)
        self.understood.append((phrases[0].position, join_words(phrase.text for phrase in phrases), meaning))

    def record_negated(self, negator: Phrase, phrase: Phrase, meaning: str) -> None:
        """Record what a negated phrase became."""
        self.record_together([negator, phrase], meaning)

    def ignore(self, phrase: Phrase) -> None:
        """Record a phrase that had no effect."""
        self.positions.add(phrase.position)
        self.ignored.append(phrase)

    def add(self, other: ParseNotes) -> None:
        """Add the notes about another part of the prompt."""
        self.understood += other.understood
        self.ignored += other.ignored
        self.positions |= other.positions


@dataclass(slots=True)
class ShotBuilder:
    """A shot under construction. `later_time`: the hour that it turns to, as in "from day to night"."""

    transition: str = "crossfade"
    subjects: list[SubjectBuilder] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    palette: list[str] = field(default_factory=list)
    without: dict[str, Phrase | None] = field(default_factory=dict)
    water_strength: float | None = None
    later_time: str = ""
    loop: bool = False
    title_removed: bool = False
    notes: ParseNotes = field(default_factory=ParseNotes)

    @property
    def has_content(self) -> bool:
        """Whether the shot names anything visible."""
        return bool(self.subjects or self.fields.keys() & {"time", "season", "title"})

    def exclude(self, phrase: Phrase) -> str:
        """Remove what a phrase names from the shot. Returns a description of the removal."""
        water_strength = calm_strength(phrase)
        if water_strength is not None:
            self.water_strength = water_strength
            return "calm water"
        kinds = unwanted_kinds(phrase)
        self.without.update(dict.fromkeys(kinds, phrase))
        return f"no {' and no '.join(kinds)}"

    def add(self, new: SubjectBuilder, *, always_new: bool) -> int | None:
        """Add a subject, or merge it into one of the same kind. Returns its index, or None when the shot is full."""
        for index, old in enumerate(self.subjects):
            if (
                old.kind == new.kind
                and not (always_new and old.kind not in SINGLETONS)
                and not old.is_distinct_from(new)
            ):
                old.merge(new)
                return index
        if len(self.subjects) >= MAX_SUBJECTS:
            return None
        self.subjects.append(new)
        return len(self.subjects) - 1

    def build_subjects(self) -> tuple[Subject, ...]:
        """The subjects that were not excluded. Relations between them are kept."""
        indices = [index for index, builder in enumerate(self.subjects) if builder.kind not in self.without]
        new_indices = {old: new for new, old in enumerate(indices)}
        return tuple(self.subjects[index].build(self.water_strength, new_indices) for index in indices)
