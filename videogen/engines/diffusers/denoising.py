"""One run of a pipeline, seen from its parts: it counts steps, keeps the state, and replays to where another ended.

An iteration of the loop is "calls of denoisers, then steps of schedulers". The next call of a denoiser, a decode, or
the end of the pipeline's call ends it.

To resume, the pipeline is called as at first, from its noise. Up to the saved step, denoisers are not run: zeros of the
recorded shape are returned, and the real schedulers step, so that their counters and random numbers advance. In the
saved step their outputs are replaced by the saved ones, and the state of schedulers and generators is restored. So
every local variable of the pipeline is as in a run without interruption.

Not covered: caches across steps (such as FasterCache), and guiders with momentum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from videogen.engines.diffusers.faults import free_memory, is_out_of_memory
from videogen.engines.diffusers.replay import (
    copied,
    describe,
    device_of,
    placed,
    scheduler_state,
    values_of,
    with_values,
    zeros,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a method of one of the pipeline's parts, which is not made yet."""

    target: Any
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self) -> Any:
        """Make the call."""
        return self.function(self.target, *self.args, **self.kwargs)


class Observer(Protocol):
    """Is called by a run, on its thread."""

    def check(self) -> None:
        """Called before every block of a model; an exception ends the run."""

    def step_done(self, run: DenoisingRun, step: int, total: int) -> None:
        """Called after each step that was computed, not after replayed ones."""

    def decoding(self) -> None:
        """Called when the VAE begins to decode."""


class DenoisingRun:
    """The state of one call of a pipeline."""

    def __init__(self, pipe: Any, observer: Observer, generators: list[Any], resume: dict[str, Any] | None) -> None:
        self.phase = "preparing"
        """preparing, denoising or decoding."""
        self.step = 0
        """Finished iterations, replayed ones included."""
        self._pipe, self._observer, self._generators, self._resume = pipe, observer, generators, resume
        saved = resume or {"step": 0, "descriptions": [], "iterations": [], "sections": {}}
        self._until: int = saved["step"]
        self._descriptions: list[Any] = list(saved["descriptions"])
        self._iterations: list[list[int]] = list(saved["iterations"])
        """For each iteration, the numbers of the descriptions of its denoiser outputs."""
        self._sections: dict[int, Any] = dict(saved["sections"])
        """The outputs of the last step of each section, for pipelines that begin their timesteps anew."""
        self._numbers = {repr(value): number for number, value in enumerate(self._descriptions)}
        self._calls: list[int] = []
        self._outputs: list[list[Any]] = []
        self._previous: list[list[Any]] = []
        self._schedulers: list[Any] = []
        self._timesteps = 0
        self._last: tuple[Any, tuple[Any, ...], Any] | None = None

    @property
    def is_replaying(self) -> bool:
        """Whether the saved step is still ahead."""
        return self.step < self._until

    def set_timesteps(self, call: Call) -> Any:
        """A scheduler begins a schedule."""
        self._end_iteration()
        if self.step and not self.is_replaying and self._previous:
            self._sections[self.step] = [[_on_cpu(part) for part in parts] for parts in self._previous]
        result = call()
        if call.target is self._pipe.scheduler:
            self._timesteps = len(call.target.timesteps)
        return result

    def denoise(self, call: Call) -> Any:
        """A denoiser is called."""
        self._end_iteration()
        self._observer.check()
        self.phase = "denoising"
        if self.is_replaying:
            description = self._descriptions[self._iterations[self.step][len(self._calls)]]
            self._calls.append(0)
            return zeros(description, device_of(call.args, call.kwargs))
        output = call()
        description = describe(output)
        number = self._numbers.setdefault(repr(description), len(self._descriptions))
        if number == len(self._descriptions):
            self._descriptions.append(description)
        self._calls.append(number)
        return output

    def scheduler_step(self, call: Call) -> Any:
        """A scheduler makes a step."""
        output = call()
        scheduler, following = call.target, self.step + 1
        if self.is_replaying:
            if following in self._sections or following == self._until:
                assert self._resume is not None
                saved = (self._sections.get(following) or self._resume["outputs"])[len(self._outputs)]
                pairs = zip(saved, values_of(output), strict=True)
                output = with_values(output, [placed(part, like) for part, like in pairs])
        elif scheduler is self._pipe.scheduler or not (self._last and self._last[0] is self._pipe.scheduler):
            self._last = (scheduler, call.args, values_of(output)[0])
        if not any(scheduler is known for known in self._schedulers):
            self._schedulers.append(scheduler)
        self._outputs.append(values_of(output))
        return output

    def decode(self, call: Call) -> Any:
        """The VAE decodes. When memory runs out, it is tried once more in tiles."""
        self._end_iteration()
        self._observer.check()
        self.phase = "decoding"
        self._observer.decoding()
        try:
            return call()
        except Exception as error:
            if not is_out_of_memory(error) or not hasattr(call.target, "use_tiling") or call.target.use_tiling:
                raise
        # Only here, outside of the block, nothing holds the memory of the first try any more.
        free_memory()
        call.target.enable_tiling()
        try:
            return call()
        finally:
            call.target.disable_tiling()

    def finish(self) -> None:
        """The pipeline's call has returned."""
        self._end_iteration()

    def state(self) -> dict[str, Any]:
        """All that a run in another process needs to go on after this step: plain data and tensors, copied."""
        return {
            "step": self.step,
            "outputs": copied(self._previous),
            "generators": [generator.get_state() for generator in self._generators],
            "descriptions": copied(self._descriptions),
            "iterations": copied(self._iterations),
            "sections": dict(self._sections),
            "schedulers": [scheduler_state(scheduler) for scheduler in self._schedulers],
        }

    def estimate(self) -> Any:
        """The best guess at the finished latents, much clearer than those of this step: what a preview should show."""
        assert self._last is not None, "a step was made"
        scheduler, args, stepped = self._last
        outputs = getattr(scheduler, "model_outputs", None)
        algorithm = str(getattr(scheduler.config, "algorithm_type", ""))
        predicts_end = getattr(scheduler.config, "predict_x0", "dpmsolver++" in algorithm)
        if predicts_end and outputs and torch.is_tensor(outputs[-1]) and outputs[-1].shape == stepped.shape:
            return outputs[-1]
        if "FlowMatchEuler" in type(scheduler).__name__ and len(args) >= 3 and scheduler.step_index:
            noise, _, sample = args[:3]
            if noise.shape == sample.shape:
                return sample.float() - scheduler.sigmas[scheduler.step_index - 1].to(sample.device) * noise.float()
        return stepped

    def _end_iteration(self) -> None:
        if not self._outputs:
            return
        was_replaying = self.is_replaying
        self.step += 1
        self._previous, self._outputs = self._outputs, []
        calls, self._calls = self._calls, []
        if was_replaying:
            if self.step == self._until:
                self._restore()
            else:
                self._previous = []
            return
        self._iterations.append(calls)
        total = max(self.step, getattr(self._pipe, "_num_timesteps", 0) or self._timesteps)
        self._observer.step_done(self, self.step, total)
        self._observer.check()

    def _restore(self) -> None:
        assert self._resume is not None
        for scheduler, state in zip(self._schedulers, self._resume["schedulers"], strict=True):
            for name, value in state.items():
                setattr(scheduler, name, value)
        for generator, state in zip(self._generators, self._resume["generators"], strict=True):
            generator.set_state(state)


def _on_cpu(part: Any) -> Any:
    return part.detach().cpu() if torch.is_tensor(part) else part
