"""From a prompt of any kind to a scene. Deterministic, without a model, and it never fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from videogen.engines.procedural.language import description
from videogen.engines.procedural.language.builders import ParseNotes, ShotBuilder, SubjectBuilder
from videogen.engines.procedural.language.lexicon import companions, lexicon
from videogen.engines.procedural.language.phrases import Phrase, calm_strength, join_words, read_phrases, unwanted_kinds
from videogen.engines.procedural.language.scene_spec import (
    KINDS,
    MAX_SHOTS,
    MAX_SUBJECTS,
    WEATHER,
    Interpretation,
    SceneSpec,
    ShotSpec,
    Subject,
)
from videogen.engines.procedural.language.shot_parser import ShotParser
from videogen.engines.procedural.language.tokenizer import clean, text_hash

MAX_NOTES: Final = 24
_MAX_PHRASE_PARTS: Final = 12
_CONTENT_TOPICS: Final = frozenset({"kind", "time", "season", "quoted"})
_FALLBACK_KINDS: Final[tuple[str, ...]] = ("abstract", "fractal", "clouds", "stars", *KINDS)
_NOT_IN_BAD_WEATHER: Final = frozenset({"sun", "moon", "stars"})
_UNREPORTED_TOPICS: Final = frozenset(
    {"stop", "pause", "and", "or", "is", "indefinite", "definite", "relation", "shot", "light", "tint", "praise"}
)


def parse_prompt(prompt: str, negative_prompt: str = "") -> SceneSpec:
    """Read a prompt in time linear in its length.

    A prompt that names nothing to be seen becomes an abstract scene, chosen by a stable hash of its text. What the
    negative prompt names is in no shot."""
    text, notes = clean(prompt), ParseNotes()
    shots = _parse_shots(text, notes)
    _apply_negative_prompt(clean(negative_prompt), shots, notes)
    _apply_to_all_shots(shots)
    frozen = tuple(_build_shot(shot) for shot in shots)
    is_guess = not any(_has_visible_subject(shot) or shot.fields.keys() & {"time", "season", "title"} for shot in shots)
    for shot in shots:
        _record_subjects(shot, notes)
    return SceneSpec(
        shots=frozen,
        loop=any(shot.loop for shot in shots),
        variant=text_hash(text) if is_guess else 0,
        understood=_understood(notes),
        ignored=_ignored(notes),
    )


# Shots


def _parse_shots(text: str, notes: ParseNotes) -> list[ShotBuilder]:
    """The shots of a text, at least one; their notes are gathered in `notes`."""
    shots: list[ShotBuilder] = []
    ahead = ShotBuilder()  # what is said before there is a shot to say it of
    for markers, part in _split_shots(read_phrases(text, lexicon())):
        if len(shots) == MAX_SHOTS and any(item.topic in _CONTENT_TOPICS for item in part):
            notes.ignored += [(item.position, item.text) for item in part if item.topic not in _UNREPORTED_TOPICS]
            continue
        read = ShotParser(part).parse()
        notes.understood += read.notes.understood
        notes.ignored += read.notes.ignored
        if not read.has_content:
            _merge_settings(read, shots[-1] if shots else ahead)
            continue
        if shots:
            read.transition = _transition(markers, notes)
            _inherit_subjects(read, shots[-1])
        shots.append(read)
    if not shots:
        return [ahead]
    _merge_settings(ahead, shots[0])
    return shots


def _split_shots(line: list[Phrase]) -> Iterator[tuple[list[Phrase], list[Phrase]]]:
    """The items of each shot, after those that announce it."""
    markers, part = list[Phrase](), list[Phrase]()
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


def _transition(markers: list[Phrase], notes: ParseNotes) -> str:
    """How a shot is come to: of several words in a row the most special one counts."""
    transition = "crossfade"
    for item in markers:
        transition = item.value if item.value != "crossfade" else transition
        if item.text[0].isalpha():
            notes.record(item, "new shot" if item.value == "crossfade" else f"new shot, {item.value}")
    return transition


def _merge_settings(giver: ShotBuilder, taker: ShotBuilder) -> None:
    """Give what a stretch says that shows nothing by itself (a camera move, a style) to a shot that does."""
    taker.fields = giver.fields | taker.fields
    taker.palette += [colour for colour in giver.palette if colour not in taker.palette]
    taker.without |= giver.without
    taker.loop |= giver.loop
    taker.title_removed |= giver.title_removed
    taker.ambient = taker.ambient if taker.ambient is not None else giver.ambient


def _inherit_subjects(shot: ShotBuilder, before: ShotBuilder) -> None:
    """A shot that names only light or weather goes on with what was seen before."""
    if "title" in shot.fields or any(builder.kind not in WEATHER for builder in shot.subjects):
        return
    new = {builder.kind for builder in shot.subjects}
    room = MAX_SUBJECTS - len(shot.subjects)
    places = [at for at, builder in enumerate(before.subjects) if builder.kind not in WEATHER | new][:room]
    kept = [replace(before.subjects[at], mentions=[]) for at in places]
    for builder in kept:
        links = [(place, target) for place, target in builder.relations if _is_kept(target, places)]
        builder.relations = [(place, _new_index(target, places)) for place, target in links]
    for builder in shot.subjects:
        builder.relations = [
            (place, None if target is None else target + len(kept)) for place, target in builder.relations
        ]
    shot.subjects = [*kept, *shot.subjects]
    for name in ("time", "season"):
        if name in before.fields:
            shot.fields.setdefault(name, before.fields[name])


def _is_kept(target: int | None, places: list[int]) -> bool:
    return target is None or target in places


def _new_index(target: int | None, places: list[int]) -> int | None:
    return None if target is None else places.index(target)


def _apply_to_all_shots(shots: list[ShotBuilder]) -> None:
    """A style is for the whole video, and what is unwanted is so in every shot that does not ask for it."""
    style = next((shot.fields["style"] for shot in shots if "style" in shot.fields), None)
    unwanted = {kind: item for shot in shots for kind, item in shot.without.items()}
    for shot in shots:
        if style:
            shot.fields.setdefault("style", style)
        named = {builder.kind for builder in shot.subjects}
        shot.without = {kind: item for kind, item in unwanted.items() if kind in shot.without or kind not in named}
        if shot.title_removed:
            shot.fields.pop("title", None)


def _apply_negative_prompt(negative: str, shots: list[ShotBuilder], notes: ParseNotes) -> None:
    """Take what a negative prompt names out of every shot."""
    places = [note[0] for note in notes.understood] + [note[0] for note in notes.ignored]
    start = 1 + max(places, default=0)
    for unwanted in read_phrases(negative, lexicon()):
        item = replace(unwanted, position=unwanted.position + start)
        effects = item.sense.effects
        if calm_strength(item) is not None or unwanted_kinds(item):
            for shot in shots:
                meaning = shot.exclude(item)
            notes.record(item, meaning)
        elif item.topic == "title":
            for shot in shots:
                shot.title_removed = True
            notes.record(item, "no title")
        elif any(effect.topic == "when" for effect in effects):
            for shot in shots:
                shot.fields[item.topic] = item.value
            notes.record(item, f"{item.topic}: {item.value}")
        elif item.topic not in _UNREPORTED_TOPICS | {"negator", "unwanted", "quoted"}:
            notes.ignore(item)


# From drafts to data


def _has_visible_subject(shot: ShotBuilder) -> bool:
    return any(builder.kind not in shot.without for builder in shot.subjects)


def _build_shot(shot: ShotBuilder) -> ShotSpec:
    without = dict.fromkeys(shot.without)
    if len(without) == len(KINDS):
        without.pop("abstract")  # something must be seen
    subjects = shot.build_subjects()
    if all(subject.kind in WEATHER for subject in subjects):
        subjects = (*subjects, *_companions(shot, subjects))
    if not subjects:
        kind = next(kind for kind in _FALLBACK_KINDS if kind not in without)
        subjects = (SubjectBuilder(kind).build(shot.ambient, {}),)
    values: dict[str, Any] = dict(shot.fields)
    return ShotSpec(
        subjects=subjects,
        palette=tuple(shot.palette),  # type: ignore[arg-type]
        without=tuple(without),  # type: ignore[arg-type]
        transition=shot.transition,  # type: ignore[arg-type]
        **values,
    )


def _companions(shot: ShotBuilder, weather: tuple[Subject, ...]) -> Iterator[Subject]:
    """What stands in for a shot of light or weather alone."""
    for topic in ("time", "season"):
        kinds: Iterable[str] = companions().get((topic, shot.fields.get(topic, "")), ())
        if kinds:
            break
    seen = {subject.kind for subject in weather}
    for kind in kinds:
        is_hidden = bool(seen) and kind in _NOT_IN_BAD_WEATHER
        if kind not in shot.without and kind not in seen and not is_hidden and len(weather) < MAX_SUBJECTS - 3:
            yield SubjectBuilder(kind, is_plural=kind.endswith("s")).build(shot.ambient, {})


# What is told


def _record_subjects(shot: ShotBuilder, notes: ParseNotes) -> None:
    for builder in shot.subjects:
        if builder.kind in shot.without:
            continue
        became = description.summary(builder.build(shot.ambient, {}))
        for phrase in builder.mentions:
            told = sorted(phrase, key=lambda item: item.position)[:_MAX_PHRASE_PARTS]
            notes.understood.append((told[0].position, join_words(item.text for item in told), became))


def _understood(notes: ParseNotes) -> tuple[Interpretation, ...]:
    """Each phrase once, in the order of the prompt."""
    became: dict[tuple[int, str], list[str]] = {}
    for place, phrase, what in sorted(notes.understood, key=lambda note: note[0]):
        became.setdefault((place, phrase), []).append(what)
    readings = (Interpretation(phrase, "; ".join(dict.fromkeys(what))) for (_, phrase), what in became.items())
    return tuple(dict.fromkeys(readings))[:MAX_NOTES]


def _ignored(notes: ParseNotes) -> tuple[str, ...]:
    words: dict[str, str] = {}
    for _, phrase in sorted(notes.ignored, key=lambda note: note[0]):
        words.setdefault(phrase.casefold(), phrase)
    return tuple(words.values())[:MAX_NOTES]
