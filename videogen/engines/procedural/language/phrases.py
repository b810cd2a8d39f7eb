"""The state in which a shot is read: nouns take what has waited for them, relations find their target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from videogen.engines.procedural.language.drafts import PLENTIFUL, STRONG, UNCOUNTED, Draft, Pending, ShotDraft
from videogen.engines.procedural.language.items import Item
from videogen.engines.procedural.language.spec import LIVING, SKY, WEATHER

MOVABLE: Final = LIVING | {"boat", "balloon", "lanterns", "sun", "moon", "clouds"}
"""Kinds that can do something."""
SELF_MOVING: Final = frozenset(
    {"rain", "snow", "fog", "waterfall", "river", "ocean", "fire", "aurora", "stars", "flowers", "tree"}
)
"""Kinds whose motion goes without saying."""

_MODIFIERS: Final = frozenset(
    {"colour", "size", "amount", "number", "action", "light", "mood", "style", "tempo", "praise", "unknown"}
)
_NOUNS: Final = frozenset({"kind", "tint", "time", "season"})
_SIDE_FIELDS: Final = frozenset({"time", "style", "tempo"})
# What nothing stands in or on: "in the rain" and "under the snow" are weather, no places.
_DROPS: Final = WEATHER - {"clouds"}
_NO_TARGETS: Final = {"in": SKY | WEATHER, "on": SKY | WEATHER, "under": _DROPS, "reflected in": _DROPS}
_LOOKAHEAD: Final = 8
_POSTPOSED: Final = frozenset({"ja", "zh", "ko"})


class Phrases:
    """The items of one shot, and what was understood of them so far."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._shot = ShotDraft()
        self._pending = Pending()
        self._group: list[int] = []  # the subjects that "and" has joined so far
        self._recent: list[int] = []  # the group before a pause
        self._near: int | None = None  # the subject that the item before belongs to
        self._relation: tuple[Item, list[int]] | None = None
        self._negator: Item | None = None
        self._is_joined = False  # "and" came right before

    def _kind(self, at: int, item: Item) -> None:
        kinds = [effect for effect in item.sense.effects if effect.topic == "kind"]
        if self._negator:
            self._shot.notes.negated(self._negator, item, self._shot.refuse(item))
            self._pending = Pending()
            self._after_negated(at)
            return
        first: int | None = None
        for effect in kinds:
            index = self._subject(effect.value, effect.amount, item, is_head=first is None)
            first = index if first is None else first
        self._side_effects(item)
        self._settle(first, item)

    def _subject(self, kind: str, amount: float | None, item: Item, *, is_head: bool) -> int | None:
        """Take up a subject, with what has waited for it if it is the head of its phrase."""
        if not is_head:
            new = Draft(kind, is_plural=kind in PLENTIFUL, amount=amount, phrases=[[item]])
            return self._shot.add(new, apart=False)
        pending, self._pending = self._pending, Pending()
        told, action = [*pending.items, item], pending.action
        count = pending.number
        is_plural = item.plural or (item.sense.either and not pending.is_indefinite)
        if pending.number is not None and kind in UNCOUNTED:
            told = self._refuse(told, "number")
            count = None
        if pending.amount is not None and kind not in STRONG:
            told = self._refuse(told, "amount", "light")
        elif pending.amount is not None:
            amount = pending.amount
        if action and kind not in MOVABLE:
            told, action = told if kind in SELF_MOVING else self._refuse(told, "action"), ""
        new = Draft(kind, count, is_plural, pending.colours, pending.size, amount, action, phrases=[told])
        if pending.place:
            new.relations.append((pending.place, None))
        linked = {self._shot.subjects[source].kind for source in self._relation[1]} if self._relation else set()
        apart = pending.is_indefinite or pending.number is not None or kind in linked
        index = self._shot.add(new, apart=apart)
        if index is None:
            for part in told:
                self._shot.notes.ignore(part)
        return index

    def _refuse(self, told: list[Item], *topics: str) -> list[Item]:
        """The phrase without the modifiers that this noun cannot have; they are owned up to."""
        for part in told:
            if part.topic in topics:
                self._shot.notes.ignore(part)
        return [part for part in told if part.topic not in topics]

    def _settle(self, index: int | None, item: Item) -> None:
        """Give a subject its place among the others."""
        if index is None:
            self._relation, self._near = None, None
            return
        if self._relation:
            link, sources = self._relation
            self._relate(link, sources, index)
            self._relation, self._group = None, []
        self._group = [*self._group, index] if self._is_joined else [index]
        self._recent, self._near, self._is_joined = self._group, index, False

    def _relate(self, link: Item, sources: list[int], target: int) -> None:
        subjects = self._shot.subjects
        linked = [source for source in sources if source != target]
        if linked and link.sense.languages <= _POSTPOSED:  # "on the mountain's top the moon"
            linked, target = [target], linked[-1]
        place = link.value
        if place in ("in", "on") and all(subjects[source].kind in SKY for source in linked):
            place = "over"
        if not linked or subjects[target].kind in _NO_TARGETS.get(place, ()):
            return
        for source in linked:
            subjects[source].relations.append((place, target))
        names = " and ".join(subjects[source].kind for source in linked)
        self._shot.notes.became(link, f"{names} {place} {subjects[target].kind}")

    def _noun_ahead(self, at: int) -> Item | None:
        """The noun that a modifier at this place belongs to, if it comes before anything that would part them."""
        topic = self._items[at].topic
        for index in range(at + 1, min(len(self._items), at + _LOOKAHEAD)):
            item = self._items[index]
            if item.topic in _NOUNS:
                return item
            joins = item.topic in ("and", "pause") and self._topic_at(index + 1) == topic == "colour"
            if item.topic not in _MODIFIERS and not joins:
                return None
        return None

    def _topic_at(self, at: int) -> str:
        return self._items[at].topic if at < len(self._items) else ""

    def _flush(self, *, keep_relation: bool = False) -> None:
        """An end of a phrase: colours without a noun are for the whole picture, other modifiers for nothing."""
        self._colours_to_palette()
        self._drop_pending()
        self._recent = self._group or self._recent
        self._group, self._near, self._is_joined = [], None, False
        self._relation = self._relation if keep_relation else None

    def _colours_to_palette(self) -> None:
        palette = self._shot.palette
        for item in self._pending.items:
            if item.topic == "colour":
                self._shot.notes.became(item, f"palette: {item.value}")
                palette += [item.value] if item.value not in palette else []
        self._pending.items = [item for item in self._pending.items if item.topic != "colour"]
        self._pending.colours = []

    def _drop_pending(self) -> None:
        for item in self._pending.items:
            self._shot.notes.ignore(item)
        self._pending = Pending()

    def _after_negated(self, at: int) -> None:
        """A negation reaches over "or" and "and" to the next noun, unless an article or a number begins anew."""
        goes_on = self._topic_at(at + 1) in ("or", "and")
        if not goes_on or self._topic_at(at + 2) in ("indefinite", "number", "negator", "stop"):
            self._negator = None

    def _side_effects(self, item: Item) -> None:
        """What a phrase brings along besides its first effect."""
        for effect in item.sense.effects[1:]:
            if effect.topic == "amount":
                self._shot.ambient = effect.amount if self._shot.ambient is None else self._shot.ambient
            elif effect.topic in _SIDE_FIELDS:
                self._shot.fields.setdefault(effect.topic, effect.value)
