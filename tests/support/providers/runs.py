"""Runs engines of a remote kind in the process of a test, against the stand-in of their provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.stand_in import StandIn
from videogen.engines.base import Artifact, Recipe, RenderEnd, RenderRequest
from videogen.engines.registry import load_engine
from videogen.engines.spec import EngineSpec
from videogen.testing.context import RecordingContext

SMALL = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 1.0, "seed": 7}
INPUTS = {
    "prompt": {"from": "prompt"},
    "width": {"from": "width"},
    "height": {"from": "height"},
    "duration": {"from": "seconds"},
    "frame_rate": {"from": "fps"},
    "seed": {"from": "seed"},
    "first": {"from": "first_frame"},
    "last": {"from": "last_frame"},
}
WAITS = {"poll_seconds": 0.002, "forgotten_seconds": 0.05, "request_seconds": 5, "download_seconds": 2}


@dataclass
class RemoteRun:
    """One run of a job: what it reported, and how it ended."""

    context: RecordingContext
    artifact: Artifact | None = None
    end: RenderEnd | None = None

    @property
    def message(self) -> str:
        """Why it ended without a result."""
        return str(self.end)

    @property
    def code(self) -> str:
        """The code of its error."""
        return str(getattr(self.end, "code", ""))

    @property
    def reports(self) -> list[str]:
        """The messages of its reports."""
        return [message for _, _, _, message in self.context.reports]


@dataclass
class RemoteBench:
    """Makes engines of a kind at a stand-in, and runs jobs of them."""

    kind: str
    model: str
    served: StandIn
    folder: Path
    path: str = ""
    """Of the API below the stand-in's address."""
    options: dict[str, Any] = field(default_factory=dict)

    def reference(self, **options: Any) -> str:
        """The reference of an engine; `None` leaves an option out, `model` is that of the spec."""
        model = options.pop("model", self.model)
        given = {"base_url": f"{self.served.url}{self.path}", "inputs": INPUTS, **WAITS, **self.options, **options}
        kept = {name: value for name, value in given.items() if value is not None}
        return EngineSpec(id="remote", kind=self.kind, model=model, options=kept).reference

    def recipe(self, reference: str, prompt: str = "a kite", **settings: Any) -> Recipe:
        """The recipe of a small job."""
        engine = load_engine(reference)
        return engine.normalise(RenderRequest(prompt=prompt, settings={**SMALL, **settings}))

    def run(
        self,
        *,
        checkpoint: dict[str, Any] | None = None,
        cancel_at: int | None = None,
        frames: Any = None,
        **options: Any,
    ) -> RemoteRun:
        """Run one job to its end.

        Args:
            checkpoint: of an earlier attempt.
            cancel_at: the step at which it is cancelled.
            frames: values of the recipe's paths.
            options: of the engine.
        """
        reference = self.reference(**options)
        workdir = self.folder / "gen_a"
        workdir.mkdir(exist_ok=True)
        context = RecordingContext(workdir, checkpoint=checkpoint, cancel_at=cancel_at)
        run = RemoteRun(context)
        recipe = self.recipe(reference).model_copy(update=frames or {})
        try:
            run.artifact = render_here(load_engine(reference), recipe, context)
        except RenderEnd as end:
            run.end = end
        return run


def render_here(engine: Any, recipe: Recipe, context: RecordingContext) -> Artifact:
    """Run a job of a remote engine in this process.

    Raises:
        RenderEnd: it ended without a result.
    """
    try:
        artifact: Artifact = engine.render(recipe, context)
        return artifact
    finally:
        # A child process ends with its connections; this process goes on.
        engine._connections.client.close()
        engine._connections.once.close()
        engine._connections = None
