"""Engines as the workers say that they are."""

import threading

import pytest

from videogen.engines.base import RenderRequest
from videogen.jobs.offers import OfferedEngines, Offers
from videogen.services.span_recipes import part_recipe
from videogen.store.workers import Offer
from videogen.testing.fakes import Steady

pytestmark = pytest.mark.databases("postgresql")


def test_a_recipe_has_the_version_of_the_workers_and_what_they_can_do(store):
    here = Steady()
    engines = OfferedEngines({here.id: here}, Offers())
    engine = engines[here.id]
    assert engine.version == here.version, "nothing is known yet"
    changed = threading.Event()
    engines.offers.on_change = changed.set
    engines.offers.open(store, lease_seconds=60.0)
    assert not engine.probe().available
    there = here.probe().model_copy(update={"available": True, "reason": None})
    store.announce("wrk", {here.id: Offer(3, there.model_dump(mode="json"), "its own version")}, begins=True)
    assert changed.wait(20)
    assert engine.probe() == there
    assert engines.offers.concurrency == {here.id: 3}
    assert part_recipe(engine, RenderRequest(prompt="sea"), None, None).engine_version == "its own version"
