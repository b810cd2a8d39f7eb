"""Parses any prompt into a scene. Deterministic, without a model; never raises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from videogen.engines.procedural.language import description
from videogen.engines.procedural.language.builders import ParseNotes, ShotBuilder, SubjectBuilder
from videogen.engines.procedural.language.context import in_context
from videogen.engines.procedural.language.leftovers import not_understood, not_used, overlooked
from videogen.engines.procedural.language.lexicon import companions, lexicon
from videogen.engines.procedural.language.not_drawn import names_not_drawn
from videogen.engines.procedural.language.phrases import Phrase, calm_strength, read_phrases, unwanted_kinds
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

MAX_NOTES: Final = 500
_MAX_PHRASE_PARTS: Final = 12
_CONTENT_TOPICS: Final = frozenset({"kind", "time", "season", "quoted"})
_FALLBACK_KINDS: Final[tuple[str, ...]] = ("abstract", "fractal", "clouds", "stars", *KINDS)
_NOT_IN_BAD_WEATHER: Final = frozenset({"sun", "moon", "stars"})
_UNREPORTED_TOPICS: Final = frozenset(
    {"stop", "pause", "and", "or", "is", "indefinite", "definite", "relation", "shot", "light", "tint", "praise"}
)


def parse_prompt(prompt: str, negative_prompt: str = "") -> SceneSpec:
    """Parse a prompt. The time is linear in its length.

    A prompt that names nothing visible becomes an abstract scene, selected by a stable hash of its text. No shot
    contains what the negative prompt names."""
    text, notes = clean(prompt), ParseNotes()
    phrases = in_context(read_phrases(text, lexicon()))
    shots = _parse_shots(phrases, notes)
    not_drawn = names_not_drawn(phrases, {phrase.position for phrase in notes.ignored})
    _apply_negative_prompt(clean(negative_prompt), shots, notes)
    _apply_to_all_shots(shots)
    frozen = tuple(_build_shot(shot) for shot in shots)
    is_guess = not any(_has_visible_subject(shot) or shot.fields.keys() & {"time", "season", "title"} for shot in shots)
    for shot in shots:
        _record_subjects(shot, notes)
    left_out = overlooked(phrases, notes)
    return SceneSpec(
        shots=frozen,
        loop=any(shot.loop for shot in shots),
        variant=text_hash(text) if is_guess else 0,
        understood=_understood(notes),
        ignored=not_understood(left_out, MAX_NOTES),
        unused=not_used(left_out, MAX_NOTES),
        not_drawn=not_drawn,
    )


# Shots


def _parse_shots(phrases: list[Phrase], notes: ParseNotes) -> list[ShotBuilder]:
    """The shots of a prompt, at least one. Appends to `notes`."""
    shots: list[ShotBuilder] = []
    leading = ShotBuilder()  # settings that come before the first shot
    for markers, part in _split_shots(phrases):
        if len(shots) == MAX_SHOTS and any(phrase.topic in _CONTENT_TOPICS for phrase in part):
            for phrase in part:
                if phrase.topic not in _UNREPORTED_TOPICS:
                    notes.ignore(phrase)
            continue
        shot = ShotParser(part).parse()
        notes.add(shot.notes)
        if not shot.has_content:
            _merge_settings(shot, shots[-1] if shots else leading)
            continue
        if shots:
            shot.transition = _transition(markers, notes)
            _inherit_subjects(shot, shots[-1])
        shots.append(shot)
        if shot.later_time and len(shots) < MAX_SHOTS:
            shots.append(_later(shot))
    if not shots:
        return [leading]
    _merge_settings(leading, shots[0])
    return shots


def _later(shot: ShotBuilder) -> ShotBuilder:
    """The same shot at the hour that it turns to."""
    later = ShotBuilder(fields={"time": shot.later_time})
    _inherit_subjects(later, shot)
    _merge_settings(shot, later)
    return later


def _split_shots(phrases: list[Phrase]) -> Iterator[tuple[list[Phrase], list[Phrase]]]:
    """Split phrases into shots. Yields the phrases that announce a shot, and the phrases of the shot."""
    markers, part = list[Phrase](), list[Phrase]()
    for phrase in phrases:
        if phrase.topic != "shot":
            part.append(phrase)
            continue
        if part:
            yield markers, part
            markers, part = [], []
        markers.append(phrase)
    if part:
        yield markers, part


def _transition(markers: list[Phrase], notes: ParseNotes) -> str:
    """The transition into a shot. Of several in a row, the last one that is not a crossfade counts."""
    transition = "crossfade"
    for phrase in markers:
        transition = phrase.value if phrase.value != "crossfade" else transition
        if phrase.text[0].isalpha():
            notes.record(phrase, "new shot" if phrase.value == "crossfade" else f"new shot, {phrase.value}")
    return transition


def _merge_settings(source: ShotBuilder, target: ShotBuilder) -> None:
    """Copy settings of a part that shows nothing (a camera motion, a style) to a shot. Values of `target` have
    priority."""
    target.fields = source.fields | target.fields
    target.palette += [colour for colour in source.palette if colour not in target.palette]
    target.without |= source.without
    target.loop |= source.loop
    target.title_removed |= source.title_removed
    target.water_strength = target.water_strength if target.water_strength is not None else source.water_strength


def _inherit_subjects(shot: ShotBuilder, previous: ShotBuilder) -> None:
    """A shot that names only light or weather shows the subjects of the shot before."""
    if "title" in shot.fields or any(builder.kind not in WEATHER for builder in shot.subjects):
        return
    own_kinds = {builder.kind for builder in shot.subjects}
    limit = MAX_SUBJECTS - len(shot.subjects)
    indices = [at for at, builder in enumerate(previous.subjects) if builder.kind not in WEATHER | own_kinds][:limit]
    inherited = [replace(previous.subjects[at], mentions=[]) for at in indices]
    for builder in inherited:
        relations = [(kind, target) for kind, target in builder.relations if _is_kept(target, indices)]
        builder.relations = [(kind, _new_index(target, indices)) for kind, target in relations]
    for builder in shot.subjects:
        builder.relations = [
            (kind, None if target is None else target + len(inherited)) for kind, target in builder.relations
        ]
    shot.subjects = [*inherited, *shot.subjects]
    for name in ("time", "season"):
        if name in previous.fields:
            shot.fields.setdefault(name, previous.fields[name])


def _is_kept(target: int | None, indices: list[int]) -> bool:
    return target is None or target in indices


def _new_index(target: int | None, indices: list[int]) -> int | None:
    return None if target is None else indices.index(target)


def _apply_to_all_shots(shots: list[ShotBuilder]) -> None:
    """Apply the style to all shots, and exclude an unwanted kind from every shot that does not name it."""
    style = next((shot.fields["style"] for shot in shots if "style" in shot.fields), None)
    unwanted = {kind: phrase for shot in shots for kind, phrase in shot.without.items()}
    for shot in shots:
        if style:
            shot.fields.setdefault("style", style)
        named = {builder.kind for builder in shot.subjects}
        shot.without = {kind: phrase for kind, phrase in unwanted.items() if kind in shot.without or kind not in named}
        if shot.title_removed:
            shot.fields.pop("title", None)


def _apply_negative_prompt(negative: str, shots: list[ShotBuilder], notes: ParseNotes) -> None:
    """Exclude what a negative prompt names from every shot."""
    start = 1 + max(notes.positions, default=0)
    for unwanted in read_phrases(negative, lexicon()):
        phrase = replace(unwanted, position=unwanted.position + start)
        effects = phrase.sense.effects
        if calm_strength(phrase) is not None or unwanted_kinds(phrase):
            for shot in shots:
                meaning = shot.exclude(phrase)
            notes.record(phrase, meaning)
        elif phrase.topic == "title":
            for shot in shots:
                shot.title_removed = True
            notes.record(phrase, "no title")
        elif any(effect.topic == "when" for effect in effects):
            for shot in shots:
                shot.fields[phrase.topic] = phrase.value
            notes.record(phrase, f"{phrase.topic}: {phrase.value}")
        elif phrase.topic not in _UNREPORTED_TOPICS | {"negator", "unwanted", "quoted"}:
            notes.ignore(phrase)


# Builders to specs


def _has_visible_subject(shot: ShotBuilder) -> bool:
    return any(builder.kind not in shot.without for builder in shot.subjects)


def _build_shot(shot: ShotBuilder) -> ShotSpec:
    without = dict.fromkeys(shot.without)
    if len(without) == len(KINDS):
        without.pop("abstract")  # a scene must show something
    subjects = shot.build_subjects()
    if all(subject.kind in WEATHER for subject in subjects):
        subjects = (*subjects, *_companions(shot, subjects))
    if not subjects:
        kind = next(kind for kind in _FALLBACK_KINDS if kind not in without)
        subjects = (SubjectBuilder(kind).build(shot.water_strength, {}),)
    values: dict[str, Any] = dict(shot.fields)
    return ShotSpec(
        subjects=subjects,
        palette=tuple(shot.palette),  # type: ignore[arg-type]
        without=tuple(without),  # type: ignore[arg-type]
        transition=shot.transition,  # type: ignore[arg-type]
        **values,
    )


def _companions(shot: ShotBuilder, weather: tuple[Subject, ...]) -> Iterator[Subject]:
    """Subjects for a shot that names only light or weather."""
    for topic in ("time", "season"):
        kinds: Iterable[str] = companions().get((topic, shot.fields.get(topic, "")), ())
        if kinds:
            break
    seen = {subject.kind for subject in weather}
    for kind in kinds:
        is_hidden = bool(seen) and kind in _NOT_IN_BAD_WEATHER
        if kind not in shot.without and kind not in seen and not is_hidden and len(weather) < MAX_SUBJECTS - 3:
            yield SubjectBuilder(kind, is_plural=kind.endswith("s")).build(shot.water_strength, {})


# What the user is shown


def _record_subjects(shot: ShotBuilder, notes: ParseNotes) -> None:
    for builder in shot.subjects:
        if builder.kind in shot.without:
            continue
        became = description.summary(builder.build(shot.water_strength, {}))
        for mention in builder.mentions:
            phrases = sorted(mention, key=lambda phrase: phrase.position)[:_MAX_PHRASE_PARTS]
            notes.record_together(phrases, became)


def _understood(notes: ParseNotes) -> tuple[Interpretation, ...]:
    """Each phrase once, in the order of the prompt."""
    became: dict[tuple[int, str], list[str]] = {}
    for position, phrase, meanings in sorted(notes.understood, key=lambda note: (note[0], ": " in note[2])):
        became.setdefault((position, phrase), []).append(meanings)
    interpretations = (
        Interpretation(phrase, "; ".join(dict.fromkeys(meanings))) for (_, phrase), meanings in became.items()
    )
    return tuple(dict.fromkeys(interpretations))[:MAX_NOTES]
