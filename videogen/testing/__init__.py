"""For the tests of an engine, with pytest: the conformance suite, a context that records, and fake engines.

`EngineConformance` holds what must be true of every engine. `RecordingContext` is what `render` gets, in the test's own
process. `videogen.testing.fakes` has engines that need no model, to test what uses videogen.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from videogen.testing.conformance import EngineConformance
    from videogen.testing.context import RecordingContext

__all__ = ["EngineConformance", "RecordingContext"]


def __getattr__(name: str) -> Any:
    # Loaded on demand: the processes that render a fake need no pytest.
    if name == "EngineConformance":
        import pytest

        pytest.register_assert_rewrite("videogen.testing.conformance")
        return import_module("videogen.testing.conformance").EngineConformance
    if name == "RecordingContext":
        return import_module("videogen.testing.context").RecordingContext
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
