"""One shot's items, read from left to right: modifiers wait for their noun, relations for their target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from videogen.engines.procedural.language.drafts import STRONG, ShotDraft
from videogen.engines.procedural.language.items import Item
from videogen.engines.procedural.language.lexicon import ROMANCE, Effect, Sense
from videogen.engines.procedural.language.phrases import MOVABLE, SELF_MOVING, Phrases
from videogen.engines.procedural.language.spec import WEATHER

FIELDS: Final[Mapping[str, str]] = {
    "time": "time", "season": "season", "mood": "mood", "style": "style", "camera": "camera", "tempo": "pace",
}  # fmt: skip
"""Fields of a shot that a phrase sets, and what they are called in front of people."""

_PLACED: Final = {
    "left of": "on the left", "right of": "on the right", "behind": "in the background",
    "in front of": "in the foreground", "reflected in": "reflected",
}  # fmt: skip


_IN_THE: Final = Sense((Effect("relation", "in"),), frozenset({"pt"}))


class Reader(Phrases):
    """Reads the items of one shot into a draft. Use it once."""

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__(items)
        self._handlers: Mapping[str, Callable[[int, Item], None]] = {
            "kind": self._kind, "without": self._without, "colour": self._colour, "size": self._size,
            "amount": self._amount, "number": self._number, "action": self._action, "light": self._light,
            "tint": self._tint, "relation": self._start_relation, "place": self._place, "negator": self._negate,
            "and": self._join, "or": self._join, "is": self._keep, "indefinite": self._indefinite,
            "definite": self._keep_negation, "pause": self._pause, "quoted": self._quoted, "title": self._title,
            "loop": self._loop, "unknown": self._unknown, "stop": self._stop, "unwanted": self._stop,
            "praise": self._keep,
        }  # fmt: skip

    def read(self) -> ShotDraft:
        """The shot, with notes on all its words."""
        for at, item in enumerate(self._items):
            self._handlers.get(item.topic, self._field)(at, item)
        self._flush()
        return self._shot

    # Fields

    def _without(self, at: int, item: Item) -> None:
        self._shot.without.setdefault(item.value, item)
        self._shot.notes.became(item, f"no {item.value}")
        self._near = None

    def _field(self, at: int, item: Item) -> None:
        """Time, season, mood, style, camera, tempo: the first one said counts."""
        topic, value = item.topic, item.value
        is_turned = any(effect.topic == "when" for effect in item.sense.effects)
        if is_turned != (self._negator is not None):
            if self._is_of_what_is_negated(at):
                return
            self._shot.notes.ignore(item)
            self._negator = None
            return
        self._negator = None
        if topic in ("time", "season"):
            self._colours_to_palette()
            self._drop_pending()
            self._recent = self._group  # "..., sunlight through the trees": the light is through them
        if self._shot.fields.setdefault(topic, value) == value:
            self._shot.notes.became(item, f"{FIELDS.get(topic, topic)}: {value}")
        else:
            self._shot.notes.ignore(item)
        self._side_effects(item)
        if topic not in ("mood", "style", "tempo"):
            self._relation, self._near = None, None

    def _is_of_what_is_negated(self, at: int) -> bool:
        """Whether a word only describes the noun that is negated: "no dark clouds"."""
        ahead = self._noun_ahead(at)
        return self._negator is not None and ahead is not None and ahead.topic == "kind"

    def _tint(self, at: int, item: Item) -> None:
        self._colours_to_palette()
        self._drop_pending()
        self._near, self._negator, self._relation = None, None, None

    # Modifiers

    def _colour(self, at: int, item: Item) -> None:
        if self._negator:
            if not self._is_of_what_is_negated(at):
                self._shot.notes.ignore(item)
            return
        if self._near is not None and (item.sense.is_romance or not self._noun_ahead(at)):
            draft = self._shot.subjects[self._near]
            draft.colours += [item.value] if item.value not in draft.colours else []
            draft.phrases[-1].append(item)
            return
        if item.value not in self._pending.colours:
            self._pending.colours.append(item.value)
        self._wait(item)

    def _size(self, at: int, item: Item) -> None:
        if self._near is not None and not self._noun_ahead(at):
            draft = self._shot.subjects[self._near]
            draft.size = draft.size or item.value
            draft.phrases[-1].append(item)
            return
        self._pending.size = item.value
        self._wait(item)

    def _amount(self, at: int, item: Item) -> None:
        strength = item.sense.effects[0].amount
        near = None if self._near is None else self._shot.subjects[self._near]
        if near and near.kind in STRONG and not self._noun_ahead(at):
            near.amount = strength
            near.phrases[-1].append(item)
            return
        self._pending.amount = strength
        self._wait(item)

    def _light(self, at: int, item: Item) -> None:
        """Light rain is weak; any other light is light."""
        ahead = self._noun_ahead(at)
        if ahead and ahead.value in WEATHER:
            self._pending.amount = 0.25
            self._wait(item)
        else:
            self._tint(at, item)

    def _number(self, at: int, item: Item) -> None:
        ahead = self._noun_ahead(at)
        if ahead is None or ahead.topic != "kind":
            self._shot.notes.ignore(item)
            return
        self._pending.number = int(item.value)
        self._wait(item)

    def _action(self, at: int, item: Item) -> None:
        near = None if self._near is None else self._shot.subjects[self._near]
        if near and near.kind in MOVABLE | SELF_MOVING:
            if near.kind in MOVABLE:
                near.action = near.action or item.value
            near.phrases[-1].append(item)
            return
        if self._noun_ahead(at):
            self._pending.action = item.value
            self._wait(item)
        elif item.value == "flying" and not self._shot.subjects:
            self._shot.fields.setdefault("camera", "dolly in")
            self._shot.notes.became(item, "camera: dolly in")
        else:
            self._shot.notes.ignore(item)

    def _wait(self, item: Item) -> None:
        self._pending.items.append(item)
        self._near = None

    def _indefinite(self, at: int, item: Item) -> None:
        if not self._negator:
            self._drop_pending()
        self._pending.is_indefinite = True
        self._near = None

    # Small words

    def _start_relation(self, at: int, item: Item) -> None:
        sources = self._group or self._recent
        self._flush(keep_relation=False)
        if sources:
            self._relation = (item, sources)
        self._near = None

    def _place(self, at: int, item: Item) -> None:
        """A place in the picture: of the noun before, of the one that follows, or of what the shot is about."""
        follows = self._noun_ahead(at) or self._topic_at(at + 1) in ("indefinite", "definite", "is")
        if self._near is None and follows and item.value != "reflected in":
            self._pending.place = item.value
            self._pending.items.append(item)
            return
        solid = [index for index, draft in enumerate(self._shot.subjects) if draft.kind not in WEATHER]
        index = self._near if self._near is not None else next(iter(solid), None)
        if index is None:
            self._shot.notes.ignore(item)
            return
        self._shot.subjects[index].relations.append((item.value, None))
        self._shot.notes.became(item, f"{self._shot.subjects[index].kind} {_PLACED[item.value]}")

    def _negate(self, at: int, item: Item) -> None:
        follows = self._items[at + 1].sense.languages if at + 1 < len(self._items) else frozenset()
        if item.phrase.lower() == "no" and follows and follows <= ROMANCE:  # Portuguese: "in the"
            self._start_relation(at, replace(item, sense=_IN_THE))
            return
        self._flush()
        self._negator = item

    def _join(self, at: int, item: Item) -> None:
        if self._pending.colours and self._topic_at(at + 1) != "colour":
            self._flush()
        self._is_joined = bool(self._group) and not self._pending.items
        self._near = None

    def _keep(self, at: int, item: Item) -> None:
        """A word that parts nothing."""

    def _keep_negation(self, at: int, item: Item) -> None:
        if not self._negator:
            self._drop_pending()
        self._near = None

    def _stop(self, at: int, item: Item) -> None:
        self._near = None
        self._is_joined = False

    def _pause(self, at: int, item: Item) -> None:
        if self._topic_at(at + 1) == "colour" and self._pending.colours:
            return
        self._flush()
        self._negator = None

    # The rest

    def _quoted(self, at: int, item: Item) -> None:
        if self._negator is None and self._shot.fields.setdefault("title", item.phrase) == item.phrase:
            self._shot.notes.became(item, "title")
        self._negator = None

    def _title(self, at: int, item: Item) -> None:
        if self._negator:
            self._shot.is_untitled = True
            self._shot.notes.negated(self._negator, item, "no title")
            self._negator = None
        elif all(self._topic_at(at + ahead) != "quoted" for ahead in range(1, 6)):
            self._shot.notes.ignore(item)

    def _loop(self, at: int, item: Item) -> None:
        if self._negator is None:
            self._shot.loop = True
            self._shot.notes.became(item, "loop")
        self._negator = None

    def _unknown(self, at: int, item: Item) -> None:
        ahead = self._noun_ahead(at)
        self._shot.notes.ignore(item)
        if (ahead and ahead.topic == "kind") or self._near is not None:
            return  # an adjective or a verb: what belongs together stays so
        self._drop_pending()
        self._relation, self._negator, self._group, self._recent = None, None, [], []
