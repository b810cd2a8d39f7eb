"""How far something is and what it costs, in words: exact, or about."""

from __future__ import annotations

from typing import Final

from videogen.schemas.generations import Cost, Generation
from videogen.schemas.status import Status
from videogen.ui.texts import Texts

UNCOUNTED: Final = ("waiting", "rendering")
"""The stages of a job at a service that may count no steps."""


def label(texts: Texts, item: Generation) -> str:
    """The status in a word. What waits at a service is not rendered yet."""
    waits = item.status is Status.PROCESSING and item.stage == "waiting"
    return texts.gettext("status.waiting") if waits else texts.status(item.status)


def percent(texts: Texts, item: Generation) -> str:
    """How far a generation is; empty where nobody knows."""
    if item.progress == 0 and item.total_steps == 0 and item.stage in UNCOUNTED:
        return ""
    return texts.gettext("size.about_percent" if item.estimated else "size.percent", percent=int(item.progress))


def price(texts: Texts, cost: Cost) -> str:
    """An amount of money."""
    amount = texts.words.money(cost.amount)
    return texts.gettext("cost.about" if cost.estimated else "cost.exact", amount=amount, currency=cost.currency)
