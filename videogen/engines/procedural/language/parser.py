"""From a prompt of any kind to a scene. Deterministic, without a model, and it never fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from videogen.engines.procedural.language import wording
from videogen.engines.procedural.language.drafts import Draft, Notes, ShotDraft
from videogen.engines.procedural.language.items import Item, calmed, items, joined, unwanted_kinds
from videogen.engines.procedural.language.lexicon import companions, lexicon
from videogen.engines.procedural.language.reader import Reader
from videogen.engines.procedural.language.spec import (
    KINDS,
    MAX_SHOTS,
    MAX_SUBJECTS,
    WEATHER,
    Reading,
    SceneSpec,
    ShotSpec,
    Subject,
)
from videogen.engines.procedural.language.text import clean, fingerprint

MAX_NOTES: Final = 24
_MAX_PHRASE: Final = 12
_SEEN: Final = frozenset({"kind", "time", "season", "quoted"})
_STANDING_IN: Final[tuple[str, ...]] = ("abstract", "fractal", "clouds", "stars", *KINDS)
_NOT_IN_BAD_WEATHER: Final = frozenset({"sun", "moon", "stars"})
_SILENT: Final = frozenset(
    {"stop", "pause", "and", "or", "is", "indefinite", "definite", "relation", "shot", "light", "tint", "praise"}
)


def parse_prompt(prompt: str, negative_prompt: str = "") -> SceneSpec:
    """Read a prompt in time linear in its length.

    A prompt that names nothing to be seen becomes an abstract scene, chosen by a stable hash of its text. What the
    negative prompt names is in no shot."""
    text, notes = clean(prompt), Notes()
    shots = _shots(text, notes)
    _unwanted(clean(negative_prompt), shots, notes)
    _spread(shots)
    frozen = tuple(_frozen(shot) for shot in shots)
    is_guess = not any(_seen(shot) or shot.fields.keys() & {"time", "season", "title"} for shot in shots)
    for shot in shots:
        _note_subjects(shot, notes)
    return SceneSpec(
        shots=frozen,
        loop=any(shot.loop for shot in shots),
        variant=fingerprint(text) if is_guess else 0,
        understood=_understood(notes),
        ignored=_ignored(notes),
    )


# Shots


def _shots(text: str, notes: Notes) -> list[ShotDraft]:
    """The shots of a text, at least one; their notes are gathered in `notes`."""
    shots: list[ShotDraft] = []
    ahead = ShotDraft()  # what is said before there is a shot to say it of
    for markers, part in _parts(items(text, lexicon())):
        if len(shots) == MAX_SHOTS and any(item.topic in _SEEN for item in part):
            notes.ignored += [(item.place, item.phrase) for item in part if item.topic not in _SILENT]
            continue
        read = Reader(part).read()
        notes.understood += read.notes.understood
        notes.ignored += read.notes.ignored
        if not read.shows_something:
            _lend(read, shots[-1] if shots else ahead)
            continue
        if shots:
            read.transition = _transition(markers, notes)
            _continue(read, shots[-1])
        shots.append(read)
    if not shots:
        return [ahead]
    _lend(ahead, shots[0])
    return shots


def _parts(line: list[Item]) -> Iterator[tuple[list[Item], list[Item]]]:
    """The items of each shot, after those that announce it."""
    markers, part = list[Item](), list[Item]()
    for item in line:
        if item.topic != "shot":
            part.append(item)
            continue
        if part:
            yield markers, part
            markers, part = [], []
        markers.append(item)
    if part:
        yield markers, part


def _transition(markers: list[Item], notes: Notes) -> str:
    """How a shot is come to: of several words in a row the most special one counts."""
    transition = "crossfade"
    for item in markers:
        transition = item.value if item.value != "crossfade" else transition
        if item.phrase[0].isalpha():
            notes.became(item, "new shot" if item.value == "crossfade" else f"new shot, {item.value}")
    return transition


def _lend(giver: ShotDraft, taker: ShotDraft) -> None:
    """Give what a stretch says that shows nothing by itself (a camera move, a style) to a shot that does."""
    taker.fields = giver.fields | taker.fields
    taker.palette += [colour for colour in giver.palette if colour not in taker.palette]
    taker.without |= giver.without
    taker.loop |= giver.loop
    taker.is_untitled |= giver.is_untitled
    taker.ambient = taker.ambient if taker.ambient is not None else giver.ambient


def _continue(shot: ShotDraft, before: ShotDraft) -> None:
    """A shot that names only light or weather goes on with what was seen before."""
    if "title" in shot.fields or any(draft.kind not in WEATHER for draft in shot.subjects):
        return
    new = {draft.kind for draft in shot.subjects}
    room = MAX_SUBJECTS - len(shot.subjects)
    places = [at for at, draft in enumerate(before.subjects) if draft.kind not in WEATHER | new][:room]
    kept = [replace(before.subjects[at], phrases=[]) for at in places]
    for draft in kept:
        links = [(place, target) for place, target in draft.relations if _stays(target, places)]
        draft.relations = [(place, _moved(target, places)) for place, target in links]
    for draft in shot.subjects:
        draft.relations = [(place, None if target is None else target + len(kept)) for place, target in draft.relations]
    shot.subjects = [*kept, *shot.subjects]
    for name in ("time", "season"):
        if name in before.fields:
            shot.fields.setdefault(name, before.fields[name])


def _stays(target: int | None, places: list[int]) -> bool:
    return target is None or target in places


def _moved(target: int | None, places: list[int]) -> int | None:
    return None if target is None else places.index(target)


def _spread(shots: list[ShotDraft]) -> None:
    """A style is for the whole video, and what is unwanted is so in every shot that does not ask for it."""
    style = next((shot.fields["style"] for shot in shots if "style" in shot.fields), None)
    unwanted = {kind: item for shot in shots for kind, item in shot.without.items()}
    for shot in shots:
        if style:
            shot.fields.setdefault("style", style)
        named = {draft.kind for draft in shot.subjects}
        shot.without = {kind: item for kind, item in unwanted.items() if kind in shot.without or kind not in named}
        if shot.is_untitled:
            shot.fields.pop("title", None)


def _unwanted(negative: str, shots: list[ShotDraft], notes: Notes) -> None:
    """Take what a negative prompt names out of every shot."""
    places = [note[0] for note in notes.understood] + [note[0] for note in notes.ignored]
    start = 1 + max(places, default=0)
    for found in items(negative, lexicon()):
        item = replace(found, place=found.place + start)
        effects = item.sense.effects
        if calmed(item) is not None or unwanted_kinds(item):
            for shot in shots:
                told = shot.refuse(item)
            notes.became(item, told)
        elif item.topic == "title":
            for shot in shots:
                shot.is_untitled = True
            notes.became(item, "no title")
        elif any(effect.topic == "when" for effect in effects):
            for shot in shots:
                shot.fields[item.topic] = item.value
            notes.became(item, f"{item.topic}: {item.value}")
        elif item.topic not in _SILENT | {"negator", "unwanted", "quoted"}:
            notes.ignore(item)


# From drafts to data


def _seen(shot: ShotDraft) -> bool:
    return any(draft.kind not in shot.without for draft in shot.subjects)


def _frozen(shot: ShotDraft) -> ShotSpec:
    without = dict.fromkeys(shot.without)
    if len(without) == len(KINDS):
        without.pop("abstract")  # something must be seen
    subjects = shot.frozen_subjects()
    if all(subject.kind in WEATHER for subject in subjects):
        subjects = (*subjects, *_companions(shot, subjects))
    if not subjects:
        kind = next(kind for kind in _STANDING_IN if kind not in without)
        subjects = (Draft(kind).frozen(shot.ambient, {}),)
    values: dict[str, Any] = dict(shot.fields)
    return ShotSpec(
        subjects=subjects,
        palette=tuple(shot.palette),  # type: ignore[arg-type]
        without=tuple(without),  # type: ignore[arg-type]
        transition=shot.transition,  # type: ignore[arg-type]
        **values,
    )


def _companions(shot: ShotDraft, weather: tuple[Subject, ...]) -> Iterator[Subject]:
    """What stands in for a shot of light or weather alone."""
    for topic in ("time", "season"):
        kinds: Iterable[str] = companions().get((topic, shot.fields.get(topic, "")), ())
        if kinds:
            break
    seen = {subject.kind for subject in weather}
    for kind in kinds:
        is_hidden = bool(seen) and kind in _NOT_IN_BAD_WEATHER
        if kind not in shot.without and kind not in seen and not is_hidden and len(weather) < MAX_SUBJECTS - 3:
            yield Draft(kind, is_plural=kind.endswith("s")).frozen(shot.ambient, {})


# What is told


def _note_subjects(shot: ShotDraft, notes: Notes) -> None:
    for draft in shot.subjects:
        if draft.kind in shot.without:
            continue
        became = wording.summary(draft.frozen(shot.ambient, {}))
        for phrase in draft.phrases:
            told = sorted(phrase, key=lambda item: item.place)[:_MAX_PHRASE]
            notes.understood.append((told[0].place, joined(item.phrase for item in told), became))


def _understood(notes: Notes) -> tuple[Reading, ...]:
    """Each phrase once, in the order of the prompt."""
    became: dict[tuple[int, str], list[str]] = {}
    for place, phrase, what in sorted(notes.understood, key=lambda note: note[0]):
        became.setdefault((place, phrase), []).append(what)
    readings = (Reading(phrase, "; ".join(dict.fromkeys(what))) for (_, phrase), what in became.items())
    return tuple(dict.fromkeys(readings))[:MAX_NOTES]


def _ignored(notes: Notes) -> tuple[str, ...]:
    words: dict[str, str] = {}
    for _, phrase in sorted(notes.ignored, key=lambda note: note[0]):
        words.setdefault(phrase.casefold(), phrase)
    return tuple(words.values())[:MAX_NOTES]
