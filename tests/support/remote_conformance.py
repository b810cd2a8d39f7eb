"""The conformance suite of engines, for one at a provider: its stand-in is served while the tests of the class run.

    class TestFal(RemoteConformance):
        @classmethod
        @contextmanager
        def provider(cls):
            stand_in = FalStandIn()
            with serve(stand_in.app) as served, environment(FAL_KEY=stand_in.key):
                spec = EngineSpec(id="fal", kind="fal", model="fal-ai/wan", options={"base_url": served.url, ...})
                yield served, spec.reference

`options` should have a tiny `poll_seconds`, and `inputs` with width, height, fps, seconds and seed of what the
stand-in makes: a video of that size, rate and length (`tests.support.providers.clips.clip`). The longer it is, the
longer must its job take. A provider whose API has no frame rate sets `settings` without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from tests.support.stand_in import StandIn
from videogen.testing import EngineConformance


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set environment variables for a while."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


class RemoteConformance(EngineConformance):
    """What must be true of every engine, and of every one that lets another machine render."""

    settings: ClassVar = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 1.0}
    long_settings: ClassVar = {"durationSeconds": 12.0}
    submit_path: ClassVar[str] = ""
    """The beginning of the path of the POST that makes a job."""
    served: ClassVar[StandIn]
    _stack: ClassVar[ExitStack]

    @classmethod
    @contextmanager
    def provider(cls) -> Iterator[tuple[StandIn, str]]:
        """Serve the stand-in, and give it with the reference of an engine at it."""
        raise NotImplementedError
        yield

    @classmethod
    def setup_class(cls) -> None:
        """Serve the stand-in."""
        super().setup_class()
        cls._stack = ExitStack()
        cls.served, cls.engine = cls._stack.enter_context(cls.provider())

    @classmethod
    def teardown_class(cls) -> None:
        """End the children, then the stand-in."""
        super().teardown_class()
        cls._stack.close()

    def test_a_job_whose_process_is_killed_is_done_by_its_next_attempt(self, tmp_path: Path) -> None:
        before = self.served.posts(self.submit_path)
        super().test_a_job_whose_process_is_killed_is_done_by_its_next_attempt(tmp_path)
        jobs = 2  # one that is killed, and one that is not, to compare them
        assert self.served.posts(self.submit_path) == before + jobs, "each job is sent once"
