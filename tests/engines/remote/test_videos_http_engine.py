"""The kind `videos-http` as the app runs it, against its stand-in, in child processes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, ClassVar

from tests.support.providers.videos import VideosStandIn
from tests.support.stand_in import serve
from videogen.engines.spec import EngineSpec
from videogen.testing import EngineConformance


class TestVideosHttp(EngineConformance):
    long_settings: ClassVar[dict[str, Any]] = {"durationSeconds": 10.0}

    @classmethod
    def setup_class(cls) -> None:
        super().setup_class()
        cls.stack = ExitStack()
        site = cls.stack.enter_context(serve(VideosStandIn().app))
        options = {"base_url": f"{site.url}/v1", "poll_seconds": 0.01}
        cls.engine = EngineSpec(id="stand-in", kind="videos-http", options=options).reference

    @classmethod
    def teardown_class(cls) -> None:
        super().teardown_class()
        cls.stack.close()
