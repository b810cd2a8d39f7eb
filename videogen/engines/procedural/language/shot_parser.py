"""Parses the phrases of one shot from left to right. Modifiers wait for their noun, relations for their target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from videogen.engines.procedural.language.builders import WITH_STRENGTH, ShotBuilder
from videogen.engines.procedural.language.context import is_unit
from videogen.engines.procedural.language.lexicon import ROMANCE, Effect, Sense
from videogen.engines.procedural.language.parser_state import MOVABLE, SELF_MOVING, ParserState
from videogen.engines.procedural.language.phrases import Phrase
from videogen.engines.procedural.language.scene_spec import WEATHER

FIELDS: Final[Mapping[str, str]] = {
    "time": "time", "season": "season", "mood": "mood", "style": "style", "camera": "camera", "tempo": "pace",
}  # fmt: skip
"""Fields of a shot that a phrase can set -> their names in texts for users."""

_PLACED: Final = {
    "left of": "on the left", "right of": "on the right", "behind": "in the background",
    "in front of": "in the foreground", "reflected in": "reflected",
}  # fmt: skip


_IN_THE: Final = Sense((Effect("relation", "in"),), frozenset({"pt"}))


class ShotParser(ParserState):
    """Parses the phrases of one shot. Use each instance once."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        super().__init__(phrases)
        self._handlers: Mapping[str, Callable[[int, Phrase], None]] = {
            "kind": self._kind, "without": self._without, "colour": self._colour, "size": self._size,
            "amount": self._amount, "number": self._number, "action": self._action, "light": self._light,
            "tint": self._tint, "relation": self._start_relation, "place": self._position, "negator": self._negate,
            "and": self._join, "or": self._join, "is": self._keep, "indefinite": self._indefinite,
            "definite": self._keep_negation, "pause": self._pause, "quoted": self._quoted, "title": self._title,
            "loop": self._loop, "unknown": self._unknown, "stop": self._stop, "unwanted": self._stop,
            "unused": self._unused, "praise": self._keep,
        }  # fmt: skip

    def parse(self) -> ShotBuilder:
        """The shot, with notes about all its words."""
        for at, phrase in enumerate(self._phrases):
            self._handlers.get(phrase.topic, self._field)(at, phrase)
        self._end_phrase()
        return self._shot

    # Fields

    def _without(self, at: int, phrase: Phrase) -> None:
        self._shot.without.setdefault(phrase.value, phrase)
        self._shot.notes.record(phrase, f"no {phrase.value}")
        self._current = None

    def _field(self, at: int, phrase: Phrase) -> None:
        """Time, season, mood, style, camera, tempo. The first value counts."""
        topic, value = phrase.topic, phrase.value
        needs_negation = any(effect.topic == "when" for effect in phrase.sense.effects)
        if needs_negation != (self._negator is not None):
            if self._describes_negated_noun(at):
                return
            self._shot.notes.ignore(phrase)
            self._negator = None
            return
        self._negator = None
        if topic in ("time", "season"):
            self._colours_to_palette()
            self._drop_pending()
            # "..., sunlight through the trees": the relation refers to the subjects before the light.
            self._recent = self._group
        if topic == "time" and self._turns_to(at, value):
            self._shot.later_time = value
            self._shot.notes.record(phrase, f"time: {value}")
        elif self._shot.fields.setdefault(topic, value) == value:
            self._shot.notes.record(phrase, f"{FIELDS.get(topic, topic)}: {value}")
        else:
            self._shot.notes.ignore(phrase)
        self._side_effects(phrase)
        if topic not in ("mood", "style", "tempo"):
            self._relation, self._current = None, None

    def _describes_negated_noun(self, at: int) -> bool:
        """Whether the phrase only describes a negated noun: "no dark clouds"."""
        noun = self._noun_ahead(at)
        return self._negator is not None and noun is not None and noun.topic == "kind"

    def _tint(self, at: int, phrase: Phrase) -> None:
        self._colours_to_palette()
        self._drop_pending()
        self._current, self._negator, self._relation = None, None, None

    # Modifiers

    def _colour(self, at: int, phrase: Phrase) -> None:
        if self._negator:
            if not self._describes_negated_noun(at):
                self._shot.notes.ignore(phrase)
            return
        if self._is_of_unknown(at, phrase):
            self._shot.notes.ignore(phrase)
            return
        if self._current is not None and (phrase.sense.follows_noun or not self._noun_ahead(at)):
            builder = self._shot.subjects[self._current]
            builder.colours += [phrase.value] if phrase.value not in builder.colours else []
            builder.mentions[-1].append(phrase)
            return
        if phrase.value not in self._pending.colours:
            self._pending.colours.append(phrase.value)
        self._hold_modifier(phrase)

    def _size(self, at: int, phrase: Phrase) -> None:
        if self._current is not None and not self._noun_ahead(at):
            builder = self._shot.subjects[self._current]
            builder.size = builder.size or phrase.value
            builder.mentions[-1].append(phrase)
            return
        self._pending.size = phrase.value
        self._hold_modifier(phrase)

    def _amount(self, at: int, phrase: Phrase) -> None:
        strength = phrase.sense.effects[0].amount
        subject = None if self._current is None else self._shot.subjects[self._current]
        if subject and subject.kind in WITH_STRENGTH and not self._noun_ahead(at):
            subject.amount = strength
            subject.mentions[-1].append(phrase)
            return
        self._pending.amount = strength
        self._hold_modifier(phrase)

    def _light(self, at: int, phrase: Phrase) -> None:
        """Before a weather noun, "light" is a strength ("light rain"); otherwise it is daylight or lamplight."""
        noun = self._noun_ahead(at)
        if noun and noun.value in WEATHER:
            self._pending.amount = 0.25
            self._hold_modifier(phrase)
        else:
            self._tint(at, phrase)

    def _number(self, at: int, phrase: Phrase) -> None:
        noun = self._noun_ahead(at)
        if noun is None or noun.topic != "kind" or is_unit(self._phrases[at + 1 : at + 2]):
            self._shot.notes.ignore(phrase)
            return
        self._pending.number = int(phrase.value)
        self._hold_modifier(phrase)

    def _action(self, at: int, phrase: Phrase) -> None:
        subject = None if self._current is None else self._shot.subjects[self._current]
        if subject and subject.kind in MOVABLE | SELF_MOVING:
            if subject.kind in MOVABLE:
                subject.action = subject.action or phrase.value
            subject.mentions[-1].append(phrase)
            return
        if self._noun_ahead(at):
            self._pending.action = phrase.value
            self._hold_modifier(phrase)
        elif phrase.value == "flying" and not self._shot.subjects and self._flies_past_something(at):
            self._shot.fields.setdefault("camera", "dolly in")
            self._shot.notes.record(phrase, "camera: dolly in")
        else:
            self._shot.notes.ignore(phrase)

    def _hold_modifier(self, phrase: Phrase) -> None:
        self._pending.phrases.append(phrase)
        self._current = None

    def _indefinite(self, at: int, phrase: Phrase) -> None:
        if not self._negator:
            self._drop_pending()
        self._pending.is_indefinite = True
        self._current = None

    # Function words

    def _start_relation(self, at: int, phrase: Phrase) -> None:
        sources = self._group or self._recent
        self._end_phrase(keep_relation=False)
        if sources:
            self._relation = (phrase, sources)
        self._current = None

    def _position(self, at: int, phrase: Phrase) -> None:
        """A position in the picture. It applies to the noun before it, to the next noun, or to the first subject."""
        next_noun = self._noun_ahead(at) or self._topic_at(at + 1) in ("indefinite", "definite", "is")
        if self._current is None and next_noun and phrase.value != "reflected in":
            self._pending.position = phrase.value
            self._pending.phrases.append(phrase)
            return
        solid = [index for index, builder in enumerate(self._shot.subjects) if builder.kind not in WEATHER]
        index = self._current if self._current is not None else next(iter(solid), None)
        if index is None:
            self._shot.notes.ignore(phrase)
            return
        self._shot.subjects[index].relations.append((phrase.value, None))
        self._shot.notes.record(phrase, f"{self._shot.subjects[index].kind} {_PLACED[phrase.value]}")

    def _negate(self, at: int, phrase: Phrase) -> None:
        next_noun = self._phrases[at + 1].sense.languages if at + 1 < len(self._phrases) else frozenset()
        if phrase.text.lower() == "no" and next_noun and next_noun <= ROMANCE:  # Portuguese "no" means "in the"
            self._start_relation(at, replace(phrase, sense=_IN_THE))
            return
        self._end_phrase()
        self._negator = phrase

    def _join(self, at: int, phrase: Phrase) -> None:
        if self._pending.colours and self._topic_at(at + 1) != "colour":
            self._end_phrase()
        self._is_joined = bool(self._group) and not self._pending.phrases
        self._current = None

    def _keep(self, at: int, phrase: Phrase) -> None:
        """A word without effect that separates nothing."""

    def _keep_negation(self, at: int, phrase: Phrase) -> None:
        if not self._negator:
            self._drop_pending()
        self._current = None

    def _stop(self, at: int, phrase: Phrase) -> None:
        self._current = None
        self._is_joined = False

    def _unused(self, at: int, phrase: Phrase) -> None:
        if phrase.value == "noun":
            self._drop_pending()
        self._stop(at, phrase)

    def _pause(self, at: int, phrase: Phrase) -> None:
        if self._topic_at(at + 1) == "colour" and self._pending.colours:
            return
        self._end_phrase()
        self._negator = None

    # Others

    def _quoted(self, at: int, phrase: Phrase) -> None:
        if self._negator is None and self._shot.fields.setdefault("title", phrase.text) == phrase.text:
            self._shot.notes.record(phrase, "title")
        self._negator = None

    def _title(self, at: int, phrase: Phrase) -> None:
        if self._negator:
            self._shot.title_removed = True
            self._shot.notes.record_negated(self._negator, phrase, "no title")
            self._negator = None
        elif any(self._topic_at(at + ahead) == "quoted" for ahead in range(1, 6)):
            self._shot.notes.record(phrase, "title")
        else:
            self._shot.notes.ignore(phrase)

    def _loop(self, at: int, phrase: Phrase) -> None:
        if self._negator is None:
            self._shot.loop = True
            self._shot.notes.record(phrase, "loop")
        self._negator = None

    def _unknown(self, at: int, phrase: Phrase) -> None:
        noun = self._noun_ahead(at)
        self._shot.notes.ignore(phrase)
        if (noun and noun.topic == "kind") or self._current is not None:
            return  # an adjective or a verb: the words around it stay connected
        self._drop_pending()
        self._relation, self._negator, self._group, self._recent = None, None, [], []
