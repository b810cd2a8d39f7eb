"""The state of the shot parser: pending modifiers are attached to nouns, relations are attached to their targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from videogen.engines.procedural.language.builders import (
    SINGLETONS,
    USUALLY_PLURAL,
    WITH_STRENGTH,
    PendingModifiers,
    ShotBuilder,
    SubjectBuilder,
)
from videogen.engines.procedural.language.phrases import Phrase
from videogen.engines.procedural.language.scene_spec import LIVING, SKY, WEATHER

MOVABLE: Final = LIVING | {"boat", "balloon", "lanterns", "sun", "moon", "clouds"}
"""Kinds that can have an action."""
SELF_MOVING: Final = frozenset(
    {"rain", "snow", "fog", "waterfall", "river", "ocean", "fire", "aurora", "stars", "flowers", "tree"}
)
"""Kinds that always move; an action adds nothing."""

_MODIFIERS: Final = frozenset(
    {"colour", "size", "amount", "number", "action", "light", "mood", "style", "tempo", "praise", "unknown"}
)
_NOUNS: Final = frozenset({"kind", "tint", "time", "season"})
_SIDE_FIELDS: Final = frozenset({"time", "style", "tempo"})
# Invalid targets of a relation: "in the rain" and "under the snow" are weather, not positions.
_PRECIPITATION: Final = WEATHER - {"clouds"}
_INVALID_TARGETS: Final = {
    "in": SKY | WEATHER,
    "on": SKY | WEATHER,
    "under": _PRECIPITATION,
    "reflected in": _PRECIPITATION,
}
_LOOKAHEAD: Final = 8
_TO_LOOKBACK: Final = 4
_TO: Final = frozenset(
    {
        "to",
        "into",
        "till",
        "until",
        "zu",
        "zur",
        "bis",
        "in",
        "à",
        "a",
        "alla",
        "al",
        "para",
        "к",
        "до",
        "到",
        "から",
        "へ",
        "-",
    }
)
_POSTPOSED: Final = frozenset({"ja", "zh", "ko"})


class ParserState:
    """The phrases of one shot, and the result so far."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = phrases
        self._shot = ShotBuilder()
        self._pending = PendingModifiers()
        self._group: list[int] = []  # indices of subjects that "and" has joined so far
        self._recent: list[int] = []  # the group before the last pause
        self._current: int | None = None  # index of the subject that the previous phrase belongs to
        self._relation: tuple[Phrase, list[int]] | None = None
        self._negator: Phrase | None = None
        self._is_joined = False  # the previous phrase was "and"

    def _kind(self, at: int, phrase: Phrase) -> None:
        kinds = [effect for effect in phrase.sense.effects if effect.topic == "kind"]
        if self._negator:
            self._shot.notes.record_negated(self._negator, phrase, self._shot.exclude(phrase))
            self._pending = PendingModifiers()
            self._end_negation(at)
            return
        first: int | None = None
        for effect in kinds:
            index = self._subject(effect.value, effect.amount, phrase, is_head=first is None)
            first = index if first is None else first
        self._side_effects(phrase)
        self._link_subject(first, phrase)

    def _subject(self, kind: str, amount: float | None, phrase: Phrase, *, is_head: bool) -> int | None:
        """Add a subject. The head noun of a phrase takes the pending modifiers."""
        if not is_head:
            new = SubjectBuilder(kind, is_plural=kind in USUALLY_PLURAL, amount=amount, mentions=[[phrase]])
            return self._shot.add(new, always_new=False)
        pending, self._pending = self._pending, PendingModifiers()
        phrases, action = [*pending.phrases, phrase], pending.action
        count = next((int(effect.value) for effect in phrase.sense.effects if effect.topic == "number"), None)
        count = pending.number if pending.number is not None else count
        is_plural = phrase.plural or (phrase.sense.is_invariant and not pending.is_indefinite)
        if pending.number is not None and kind in SINGLETONS:
            phrases = self._without_topics(phrases, "number")
            count = None
        if pending.amount is not None and kind not in WITH_STRENGTH:
            phrases = self._without_topics(phrases, "amount", "light")
        elif pending.amount is not None:
            amount = pending.amount
        if action and kind not in MOVABLE:
            phrases, action = phrases if kind in SELF_MOVING else self._without_topics(phrases, "action"), ""
        new = SubjectBuilder(kind, count, is_plural, pending.colours, pending.size, amount, action, mentions=[phrases])
        if pending.position:
            new.relations.append((pending.position, None))
        linked = {self._shot.subjects[source].kind for source in self._relation[1]} if self._relation else set()
        always_new = pending.is_indefinite or pending.number is not None or kind in linked
        index = self._shot.add(new, always_new=always_new)
        if index is None:
            for part in phrases:
                self._shot.notes.ignore(part)
        return index

    def _without_topics(self, phrases: list[Phrase], *topics: str) -> list[Phrase]:
        """The phrases without modifiers that do not apply to this noun. Those are recorded as ignored."""
        for part in phrases:
            if part.topic in topics:
                self._shot.notes.ignore(part)
        return [part for part in phrases if part.topic not in topics]

    def _link_subject(self, index: int | None, phrase: Phrase) -> None:
        """Connect a subject with the others: complete an open relation, extend the group."""
        if index is None:
            self._relation, self._current = None, None
            return
        if self._relation:
            relation, sources = self._relation
            self._relate(relation, sources, index)
            self._relation, self._group = None, []
        self._group = [*self._group, index] if self._is_joined else [index]
        self._recent, self._current, self._is_joined = self._group, index, False

    def _relate(self, relation: Phrase, candidates: list[int], target: int) -> None:
        subjects = self._shot.subjects
        sources = [source for source in candidates if source != target]
        if sources and relation.sense.languages <= _POSTPOSED:  # "on the mountain's top the moon"
            sources, target = [target], sources[-1]
        kind = relation.value
        if kind in ("in", "on") and all(subjects[source].kind in SKY for source in sources):
            kind = "over"
        if not sources or subjects[target].kind in _INVALID_TARGETS.get(kind, ()):
            return
        for source in sources:
            subjects[source].relations.append((kind, target))
        names = " and ".join(subjects[source].kind for source in sources)
        self._shot.notes.record(relation, f"{names} {kind} {subjects[target].kind}")

    def _noun_ahead(self, at: int) -> Phrase | None:
        """The noun that the modifier at index `at` belongs to; None if another phrase separates them."""
        topic = self._phrases[at].topic
        for index in range(at + 1, min(len(self._phrases), at + _LOOKAHEAD)):
            phrase = self._phrases[index]
            if phrase.topic in _NOUNS:
                return phrase
            joins = phrase.topic in ("and", "pause") and self._topic_at(index + 1) == topic == "colour"
            if phrase.topic not in _MODIFIERS and not joins:
                return None
        return None

    def _turns_to(self, at: int, value: str) -> bool:
        """Whether an hour is what another hour turns to: "from day to night"."""
        before = self._phrases[max(0, at - _TO_LOOKBACK) : at]
        words = [phrase.text.casefold() for phrase in before]
        joined = any(phrase.topic == "time" for phrase in before) and any(word in _TO for word in words)
        return joined and self._shot.fields.get("time", value) != value and not self._shot.later_time

    def _is_of_unknown(self, at: int, phrase: Phrase) -> bool:
        """Whether a colour after a noun belongs to one that is not drawn: "un coussin rouge"."""
        return at > 0 and phrase.sense.follows_noun and self._topic_at(at - 1) == "unknown" and not self._noun_ahead(at)

    def _flies_past_something(self, at: int) -> bool:
        """Whether it is the camera that flies: "flying over the mountains", but not "a kite flies"."""
        if (at and self._topic_at(at - 1) == "unknown") or self._topic_at(at + 1) != "relation":
            return False
        noun = self._noun_ahead(at + 1 + (self._topic_at(at + 2) in ("definite", "indefinite")))
        return noun is not None

    def _topic_at(self, at: int) -> str:
        return self._phrases[at].topic if at < len(self._phrases) else ""

    def _end_phrase(self, *, keep_relation: bool = False) -> None:
        """End a phrase. Colours without a noun apply to the whole picture, other pending modifiers are ignored."""
        self._colours_to_palette()
        self._drop_pending()
        self._recent = self._group or self._recent
        self._group, self._current, self._is_joined = [], None, False
        self._relation = self._relation if keep_relation else None

    def _colours_to_palette(self) -> None:
        palette = self._shot.palette
        for phrase in self._pending.phrases:
            if phrase.topic == "colour":
                self._shot.notes.record(phrase, f"palette: {phrase.value}")
                palette += [phrase.value] if phrase.value not in palette else []
        self._pending.phrases = [phrase for phrase in self._pending.phrases if phrase.topic != "colour"]
        self._pending.colours = []

    def _drop_pending(self) -> None:
        for phrase in self._pending.phrases:
            self._shot.notes.ignore(phrase)
        self._pending = PendingModifiers()

    def _end_negation(self, at: int) -> None:
        """End a negation. It continues over "or" and "and" to the next noun, except before an article or a number."""
        goes_on = self._topic_at(at + 1) in ("or", "and")
        if not goes_on or self._topic_at(at + 2) in ("indefinite", "number", "negator", "stop"):
            self._negator = None

    def _side_effects(self, phrase: Phrase) -> None:
        """Apply the effects of a phrase after its first one."""
        for effect in phrase.sense.effects[1:]:
            if effect.topic == "amount":
                self._shot.water_strength = (
                    effect.amount if self._shot.water_strength is None else self._shot.water_strength
                )
            elif effect.topic in _SIDE_FIELDS:
                has_effect = self._shot.fields.setdefault(effect.topic, effect.value) == effect.value
                if has_effect and effect.topic != "tempo":
                    self._shot.notes.record(phrase, f"{effect.topic}: {effect.value}")
