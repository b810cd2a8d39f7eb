"""How far something is and what it costs, in words: exact, or about."""

from __future__ import annotations

from typing import Final

from videogen.schemas.generations import Cost, Generation
from videogen.ui.texts import Texts

UNCOUNTED: Final = ("waiting", "rendering")
"""The stages of a job at a service that may count no steps."""


def percent(texts: Texts, item: Generation) -> str:
    """How far a generation is; empty where nobody knows."""
    if item.progress == 0 and item.total_steps == 0 and item.stage in UNCOUNTED:
        return ""
    return texts.gettext("size.about_percent" if item.estimated else "size.percent", percent=int(item.progress))


def price(texts: Texts, cost: Cost) -> str:
    """An amount of money."""
    amount = texts.words.number(cost.amount, places=2 if cost.amount >= 0.01 else 4)
    return texts.gettext("cost.about" if cost.estimated else "cost.exact", amount=amount, currency=cost.currency)
