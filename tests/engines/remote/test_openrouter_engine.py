"""The kind `openrouter` as the app runs it, against its stand-in, in child processes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, ClassVar

import pytest

from tests.support.providers.openrouter import MODEL, OpenRouterStandIn
from tests.support.stand_in import serve
from videogen.engines.spec import EngineSpec
from videogen.testing import EngineConformance

INPUTS = {
    "prompt": {"from": "prompt"},
    "duration": {"from": "seconds", "type": "integer"},
    "size": {"from": "size"},
    "seed": {"from": "seed"},
    "first_frame": {"from": "first_frame"},
    "last_frame": {"from": "last_frame"},
}


class TestOpenRouter(EngineConformance):
    settings: ClassVar[dict[str, Any]] = {"width": 64, "height": 64, "durationSeconds": 1.0}
    long_settings: ClassVar[dict[str, Any]] = {"durationSeconds": 10.0}

    @classmethod
    def setup_class(cls) -> None:
        super().setup_class()
        cls.stack = ExitStack()
        provider = OpenRouterStandIn()
        site = cls.stack.enter_context(serve(provider.app))
        cls.stack.enter_context(pytest.MonkeyPatch.context()).setenv("OPENROUTER_API_KEY", provider.key)
        options = {"base_url": f"{site.url}/api/v1", "poll_seconds": 0.01, "inputs": INPUTS}
        cls.engine = EngineSpec(id="stand-in", kind="openrouter", model=MODEL, options=options).reference

    @classmethod
    def teardown_class(cls) -> None:
        super().teardown_class()
        cls.stack.close()
