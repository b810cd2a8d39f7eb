"""Why a generation waits, as the operator sees it."""

from collections import Counter
from types import SimpleNamespace

import pytest

from videogen.schemas.engines import Capabilities
from videogen.schemas.status import ENGINE_UNAVAILABLE
from videogen.services.overview import _Reasons


@pytest.mark.parametrize(
    ("stage", "engine", "running", "reason"),
    [
        ("queued", "bars", 0, "turn"),
        ("queued", "bars", 1, "slot"),
        ("queued", "gone", 0, "engine"),
        # No worker renders it now, though one did lately, which says what it can do.
        (ENGINE_UNAVAILABLE, "bars", 0, "engine"),
    ],
)
def test_what_is_queued_has_a_reason(stage, engine, running, reason):
    reasons = _Reasons(
        SimpleNamespace(holds=False), False, {"bars": Capabilities()}, Counter(bars=running), {"bars": 1}
    )
    assert reasons.of(SimpleNamespace(status="queued", stage=stage, engine=engine)) == reason
