"""Plain text about a scene: a summary of each subject, and one sentence about the whole scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from videogen.engines.procedural.language.builders import WATER_KINDS
from videogen.engines.procedural.language.scene_spec import WEATHER, SceneSpec, ShotSpec, Subject

_SINGULAR: Final = {"mountains": "mountain", "flowers": "flower", "lanterns": "lantern", "stars": "star"}
_PLURAL: Final = {
    "fish": "fish", "deer": "deer", "person": "people", "city": "cities", "lightning": "lightning", "fog": "fog",
    "rain": "rain", "snow": "snow", "space": "space",
}  # fmt: skip
_MASS: Final = frozenset({"rain", "snow", "fog", "fire", "lightning", "space"})
_NUMBERS: Final = ("", "a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_UNIQUE: Final = frozenset({"sun", "ocean"})
_NAMES: Final = {"abstract": "abstract flow", "underwater": "underwater world"}
_TIMES: Final = {
    "dawn": "at dawn", "sunrise": "at sunrise", "day": "by day", "golden hour": "at golden hour",
    "sunset": "at sunset", "dusk": "at dusk", "night": "at night",
}  # fmt: skip
_PACES: Final = {"calm": "calm pace", "lively": "lively pace"}
_TRANSITIONS: Final = {"crossfade": "then", "fade": "then, through black,", "cut": "cut to"}
MAX_DESCRIPTION: Final = 400
_MAX_LISTED: Final = 6
_STRENGTHS: Final = {"fire": ("small", "fierce"), "aurora": ("faint", "strong"), "waterfall": ("gentle", "mighty")}


def strength(subject: Subject) -> str:
    """The strength of a subject in one word; "" for the normal strength."""
    if subject.amount == 0.5 or subject.kind in ("abstract", "fractal"):
        return ""
    weak, strong = _STRENGTHS.get(
        subject.kind, ("calm", "rough") if subject.kind in WATER_KINDS else ("light", "heavy")
    )
    return weak if subject.amount < 0.5 else strong


def summary(subject: Subject) -> str:
    """A subject for a list: its kind first, then its properties."""
    count = "" if subject.count == 1 else "several" if subject.count == 0 else str(subject.count)
    parts = (subject.kind, count, subject.size, strength(subject), " and ".join(subject.colours), subject.action)
    return ", ".join(part for part in parts if part)


def noun_phrase(subject: Subject) -> str:
    """A subject as a noun phrase: "a huge red moon", "two mountains", "heavy rain"."""
    kind = _NAMES.get(subject.kind, subject.kind)
    kind = _SINGULAR.get(kind, kind) if subject.count == 1 else _plural(kind)
    words = [subject.size, strength(subject), " and ".join(subject.colours)]
    plain = " ".join(word for word in (*words, kind) if word)
    if subject.count == 0 or subject.kind in _MASS:
        return plain
    if subject.count == 1:
        return f"{'the' if subject.kind in _UNIQUE else 'an' if plain[0] in 'aeiou' else 'a'} {plain}"
    return f"{_NUMBERS[subject.count] if subject.count < len(_NUMBERS) else subject.count} {plain}"


def _plural(kind: str) -> str:
    if kind in _UNIQUE:
        return kind
    return _PLURAL.get(kind, kind if kind.endswith("s") else f"{kind}s")


def join_list(parts: Sequence[str]) -> str:
    """Join parts as in "a, b and c"."""
    *others, last = parts or ("",)
    return f"{', '.join(others)} and {last}" if others else last


def _visible_subjects(shot: ShotSpec) -> str:
    mentioned: set[int] = set()
    parts = []
    for index, subject in enumerate(shot.subjects):
        relation = next((relation for relation in subject.relations if relation.target is not None), None)
        if (index in mentioned and relation is None) or subject.kind in WEATHER:
            continue
        words = [f"the {subject.kind}" if index in mentioned else noun_phrase(subject), subject.action]
        mentioned.add(index)
        if relation and relation.target is not None:
            target = shot.subjects[relation.target]
            words += [relation.place, f"the {target.kind}" if relation.target in mentioned else noun_phrase(target)]
            mentioned.add(relation.target)
        parts.append(" ".join(word for word in words if word))
    more = len(parts) - _MAX_LISTED
    return join_list([*parts[:_MAX_LISTED], f"{more} more"] if more > 0 else parts)


def _subjects(shot: ShotSpec) -> str:
    """All visible subjects, weather last."""
    weather = [noun_phrase(subject) for subject in shot.subjects if subject.kind in WEATHER]
    return " with ".join(part for part in (_visible_subjects(shot), join_list(weather)) if part)


def _shot(shot: ShotSpec) -> str:
    """One shot as a part of a sentence."""
    words = [_subjects(shot), _TIMES.get(shot.time, ""), f"in {shot.season}" if shot.season else ""]
    more = [
        f"{shot.mood} mood" if shot.mood else "",
        f"{shot.style} style" if shot.style else "",
        f"colours {join_list(shot.palette)}" if shot.palette else "",
        f"no {join_list([_plural(kind) for kind in shot.without[:_MAX_LISTED]])}" if shot.without else "",
        f"the title “{shot.title}”" if shot.title else "",
        f"{shot.camera} camera" if shot.camera in ("still", "handheld") else shot.camera,
        _PACES.get(shot.tempo, ""),
    ]
    return ", ".join(part for part in (" ".join(word for word in words if word), *more) if part)


def describe(spec: SceneSpec) -> str:
    """One sentence about the scene, and a second one with the words that were not understood, if any.

    At most MAX_DESCRIPTION characters, because every progress event contains it."""
    first, *others = spec.shots
    text = _shot(first) + "".join(f"; {_TRANSITIONS[shot.transition]} {_shot(shot)}" for shot in others)
    if spec.loop:
        text += ", as a loop"
    text = f"{text[:1].upper()}{text[1:]}."
    if spec.is_guess:
        text = f"Nothing that this engine knows was named, so the text itself chose: {text[:1].lower()}{text[1:]}"
    if spec.ignored:
        text += f" Not understood: {', '.join(spec.ignored)}."
    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1]}…"
