"""What the chosen engine is, and what it would make of the form, before anything is rendered."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from videogen.schemas.engines import Explanation
from videogen.schemas.generations import Understanding, UnderstoodPhrase
from videogen.ui.amounts import price
from videogen.ui.form import EngineForm
from videogen.ui.refusals import reason
from videogen.ui.tab import Tab
from videogen.ui.texts import Texts

MAX_NAMES: Final = 8
"""So many names stand in each list; of the others the number."""
SUBJECTS: Final = {
    "places": ("ocean", "lake", "river", "waterfall", "mountains", "forest", "desert", "city", "flowers", "underwater"),
    "sky": ("sun", "moon", "stars", "planet", "space", "aurora", "clouds"),
    "weather": ("rain", "snow", "fog", "lightning", "fire"),
    "things": ("house", "lighthouse", "tree", "boat", "balloon", "lanterns"),
    "living": ("person", "cat", "dog", "horse", "deer", "bird", "fish", "whale"),
    "patterns": ("abstract", "fractal"),
}
"""What the built-in engine draws; each has a text `kind.NAME`."""


def engine(tab: Tab) -> Mapping[str, Any]:
    """What the chosen engine is; of the built-in one, what it can draw."""
    chosen = _chosen(tab)
    if chosen is None:
        return {"note": "", "subjects": {}, "visitor_account": False}
    account = tab.account if chosen.visitor_account else None
    return {
        "visitor_account": chosen.visitor_account,
        "can_render": account is not None and account.can_render,
        "provider": tab.site.login,
        "note": tab.texts.engine_text(chosen.id, "note") or chosen.description,
        "reason": "" if chosen.available else reason(chosen.reason or "", tab.texts.words),
        "subjects": SUBJECTS if chosen.id == "procedural" else {},
    }


def _chosen(tab: Tab) -> EngineForm | None:
    return tab.site.engine(str(tab.form.get("engine"))) or next(iter(tab.site.engines), None)


def understood(tab: Tab) -> Mapping[str, Any]:
    """Nothing without a prompt, and while the API does not answer: what was explained may be wrong then."""
    if tab.explained is None or tab.link != "live":
        # Of an engine that is not available, the reason is shown already, and nothing else will be.
        return {"shown": False, "hint": (chosen := _chosen(tab)) is None or chosen.available}
    explanation, request, texts = tab.explained.explanation, tab.explained.request, tab.texts
    found = explanation.understanding
    drawn = [_drawn(part, texts) for part in found.understood if part.role != "other"] if found else []
    seed = request.settings.get("seed")
    return {
        "shown": True,
        "abstract": found is not None and found.abstract,
        "drawn": drawn[:MAX_NAMES],
        "more_drawn": len(drawn[MAX_NAMES:]),
        "left_out": _left_out(found) if found else (),
        "facts": _facts(explanation, texts, each=request.variations > 1),
        "seed": "" if seed is None else str(seed),
    }


def _left_out(found: Understanding) -> list[tuple[str, tuple[str, ...], int]]:
    """What had no effect, by reason: the reason, the words, and how many more there are. An engine may name only the
    things that it does not draw."""
    reasons = {"ignored": found.ignored or found.not_drawn, "unused": found.unused}
    return [(name, words[:MAX_NAMES], len(words[MAX_NAMES:])) for name, words in reasons.items() if words]


def _drawn(part: UnderstoodPhrase, texts: Texts) -> tuple[str, str]:
    """A phrase as it was written, and what is drawn for it where the phrase does not say so itself."""
    name = part.became.partition("; ")[0].partition(", ")[0]
    if part.role != "subject":
        return in_words(part, texts), ""
    kind = texts.known(f"kind.{name}", name)
    return part.phrase, "" if any(_says(part.phrase, word) for word in (kind, name)) else kind


def in_words(part: UnderstoodPhrase, texts: Texts) -> str:
    """A phrase as it was written; what is none of the prompt's, in the words of the page."""
    return texts.known(f"phrase.{part.phrase.replace(' ', '_')}", part.phrase)


def _says(phrase: str, kind: str) -> bool:
    # Without the last letter and the accents, so that plurals count: city, cities; Vogel, Vögel.
    plain, name = _plain(phrase), _plain(kind)
    return (name[:-1] if len(name) > 3 else name) in plain


def _plain(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(char))


def _facts(explanation: Explanation, texts: Texts, *, each: bool) -> list[str]:
    facts = []
    if (seconds := explanation.expected_seconds) is not None:
        key = "understood.seconds_each" if each else "understood.seconds"
        facts.append(texts.gettext(key, time=texts.time(seconds)))
    if explanation.width and explanation.height:
        facts.append(texts.gettext("understood.pixels", width=str(explanation.width), height=str(explanation.height)))
    if explanation.cost is not None:
        key = "understood.cost_each" if each else "understood.cost"
        facts.append(texts.gettext(key, price=price(texts, explanation.cost)))
    if (quota := explanation.quota) is not None:
        more = "" if quota.resets_at is None else texts.moment(quota.resets_at)
        key = "understood.quota_more" if more else "understood.quota"
        facts.append(texts.gettext(key, left=quota.left, limit=quota.limit, time=more))
    return facts
