"""What a prompt asks of a procedural scene: read by tables, answered honestly."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, TypeAlias, get_args

from videogen.engines.procedural.lexicon import (
    AMOUNTS,
    COLOURS,
    DEFAULT_MOOD,
    FIELDS,
    FILLERS,
    NEGATORS,
    REMOVALS,
    RULES,
    Rule,
    Value,
)

Subject = Literal["ocean", "city", "aurora", "abstract"]
Camera = Literal["", "still", "pan left", "pan right", "zoom in", "zoom out", "tilt up", "tilt down"]
Tempo = Literal["calm", "steady", "lively"]

_MAX_WORDS = 2_000
_MAX_REPORTED = 12
_MAX_WORD_CHARS = 24


@dataclass(frozen=True)
class SceneSpec:
    """One scene, as pure data. Amounts run from 0 to 1.

    `mood` names the subject's palette (a time of day for the ocean). `accents` are colour words in the order
    given. `camera` "" leaves the choice to the seed. `variant` comes from the text of a prompt that named no
    subject, and is 0 otherwise. `understood` and `ignored` hold the prompt's own words."""

    subject: Subject = "abstract"
    mood: str = "silk"
    accents: tuple[str, ...] = ()
    clouds: float = 0.35
    rain: float = 0.0
    snow: float = 0.0
    fog: float = 0.0
    energy: float = 0.5
    ridges: float = 0.6
    trees: float = 0.6
    stars: bool = True
    ground: Literal["", "lake", "snow"] = ""
    camera: Camera = ""
    tempo: Tempo = "steady"
    variant: int = 0
    understood: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Match:
    """A stretch of the prompt: its words as written, the rule found (None: unknown word), and what precedes it."""

    text: str
    rule: Rule | None
    amount: float = 1.0
    negated: bool = False


_Table: TypeAlias = Mapping[str, tuple[tuple[tuple[str, ...], Rule], ...]]


def parse_prompt(prompt: str, negative_prompt: str = "") -> SceneSpec:
    """Read a prompt of any kind and length; never fails.

    A prompt that names no known subject becomes an abstract scene, chosen by a stable hash of its text."""
    matches = list(_scan(_words(prompt)))
    subject = _elect(matches)
    spec = SceneSpec(subject=subject, mood=DEFAULT_MOOD[subject], stars=subject != "abstract")
    if not any(match.rule and match.rule.votes.get(subject) for match in matches):
        spec = replace(spec, variant=_fingerprint(prompt))
    understood: list[str] = []
    ignored: list[str] = []
    for match in matches:
        changed = _remove(spec, match.text) if match.negated else _apply(spec, match)
        (ignored if changed is None else understood).append(f"no {match.text}" if match.negated else match.text)
        spec = changed or spec
    for phrase in _removal_phrases(negative_prompt):
        changed = _remove(spec, phrase)
        if changed is not None:
            spec = changed
            understood.append(f"no {phrase}")
    return replace(spec, understood=_tidy(understood), ignored=_tidy(ignored))


def _words(text: str) -> list[str]:
    """Lower-case words of letters only, so that no markup survives; at most _MAX_WORDS of them."""
    folded = unicodedata.normalize("NFKC", text[:20_000]).casefold()
    return [found.group()[:_MAX_WORD_CHARS] for found in re.finditer(r"[^\W\d_]+", folded)][:_MAX_WORDS]


def _fingerprint(text: str) -> int:
    """A positive 32-bit number that depends on the text alone, not on case or spacing."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return 1 + int.from_bytes(hashlib.sha256(plain.encode("utf-8", "replace")).digest()[:4], "big") % (2**32 - 1)


@cache
def _table() -> _Table:
    """Every phrase by its first word (without the trailing *), longest phrases first."""
    rules = [*RULES, *(Rule(phrases, sets={"accents": colour}) for colour, phrases in COLOURS.items())]
    index: dict[str, list[tuple[tuple[str, ...], Rule]]] = {}
    for rule in rules:
        for phrase in rule.phrases.split(", "):
            words = tuple(phrase.split())
            index.setdefault(words[0][:2], []).append((words, rule))
    return {key: tuple(sorted(rows, key=_specificity)) for key, rows in index.items()}


def _specificity(row: tuple[tuple[str, ...], Rule]) -> tuple[int, bool, int]:
    words = row[0]
    return (-len(words), words[-1].endswith("*"), -len(words[-1]))


def _fits(pattern: tuple[str, ...], words: list[str]) -> bool:
    if len(words) < len(pattern):
        return False
    return all(
        word.startswith(part[:-1]) if part.endswith("*") else word == part
        for part, word in zip(pattern, words, strict=False)
    )


def _scan(words: list[str]) -> Iterator[_Match]:
    """Cut the words into known phrases and unknown words; amounts and negations go with what follows them."""
    at, amount, negated, led = 0, 1.0, False, ""
    while at < len(words):
        word = words[at]
        rows = _table().get(word[:2], ())
        found = next(((pattern, rule) for pattern, rule in rows if _fits(pattern, words[at : at + 3])), None)
        if found:
            taken = " ".join(words[at : at + len(found[0])])
            weighed = amount != 1.0 and any(_is_amount(value) for value in found[1].sets.values())
            yield _Match(f"{led} {taken}" if weighed and not negated else taken, found[1], amount, negated)
            at, amount, negated, led = at + len(found[0]), 1.0, False, ""
            continue
        if word in NEGATORS:
            negated = True
        elif word in AMOUNTS:
            amount, led = AMOUNTS[word], word
        elif word not in FILLERS and len(word) > 1:
            yield _Match(word, None, negated=negated)
            amount, negated, led = 1.0, False, ""
        at += 1


def _is_amount(value: Value) -> bool:
    return isinstance(value, float)


def _elect(matches: list[_Match]) -> Subject:
    """The subject with the most votes, the first named winning a tie; abstract when nothing voted."""
    votes: dict[str, int] = {}
    for match in matches:
        if match.rule and not match.negated:
            for subject, weight in match.rule.votes.items():
                votes[subject] = votes.get(subject, 0) + weight
    best = max(votes, key=lambda subject: votes[subject], default="abstract")
    return next(subject for subject in get_args(Subject) if subject == best)


def _apply(spec: SceneSpec, match: _Match) -> SceneSpec | None:
    """The scene with the match followed, or None where this subject cannot follow it."""
    rule = match.rule
    if rule is None:
        return None
    changes: dict[str, object] = {}
    for name in FIELDS[spec.subject] & rule.sets.keys():
        value = rule.sets[name]
        if name == "accents":
            changes[name] = tuple(dict.fromkeys((*spec.accents, str(value))))
        else:
            changes[name] = min(1.0, value * match.amount) if isinstance(value, float) else value
    if spec.subject in rule.moods:
        changes["mood"] = rule.moods[spec.subject]
    if changes:
        return replace(spec, **changes)  # type: ignore[arg-type]
    return spec if spec.subject in rule.votes else None


def _remove(spec: SceneSpec, phrase: str) -> SceneSpec | None:
    for phrases, (name, value) in REMOVALS.items():
        if any(_fits(tuple(part.split()), phrase.split()) for part in phrases.split(", ")):
            return replace(spec, **{name: value}) if name in FIELDS[spec.subject] else None  # type: ignore[arg-type]
    return None


def _removal_phrases(negative_prompt: str) -> Iterator[str]:
    words = _words(negative_prompt)
    for at, word in enumerate(words):
        yield " ".join(words[at : at + 2]) if " ".join(words[at : at + 2]).startswith("camera m") else word


def _tidy(phrases: list[str]) -> tuple[str, ...]:
    """Each phrase once, in order, a bounded number of them."""
    return tuple(dict.fromkeys(phrases))[:_MAX_REPORTED]


def describe(spec: SceneSpec) -> str:
    """One human sentence on what will be shown, and, where there is any, what was not understood."""
    parts = [_title(spec)]
    if spec.subject == "ocean":
        parts += ["calm sea"] if spec.energy < 0.3 else ["rough sea"] if spec.energy > 0.8 else []
        parts += ["cloudless"] if spec.clouds < 0.1 else ["light clouds"] if spec.clouds < 0.55 else ["heavy clouds"]
    for name in ("rain", "snow", "fog"):
        amount: float = getattr(spec, name)
        if amount > 0:
            parts.append(f"light {name}" if amount < 0.4 else name if amount < 0.8 else f"heavy {name}")
    parts += [f"{' and '.join(spec.accents)} tones"] if spec.accents else []
    parts += [f"{spec.tempo} pace"] if spec.tempo != "steady" else []
    parts += ["still camera" if spec.camera == "still" else f"slow {spec.camera}"] if spec.camera else []
    text = ", ".join(parts) + "."
    return f"{text} Not understood: {', '.join(spec.ignored)}." if spec.ignored else text


def _title(spec: SceneSpec) -> str:
    if spec.subject == "ocean":
        place = {"sunset": "at sunset", "dawn": "at dawn", "noon": "at noon", "night": "by moonlight"}
        return "Ocean " + place.get(spec.mood, f"at {'golden hour' if spec.mood == 'gold' else spec.mood}")
    if spec.subject == "city":
        return "City skyline at dusk" if spec.mood == "dusk" else "Neon city at night"
    if spec.subject == "aurora":
        return "Aurora over a lake" if spec.ground == "lake" else "Aurora over snowy mountains"
    return "Abstract flow" if spec.mood == "silk" else f"Abstract flow, {spec.mood} colours"
