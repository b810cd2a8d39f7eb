"""Watches any pipeline of diffusers from outside: its scheduler, denoisers and VAE report to a `DenoisingRun`.

The classes of these parts are replaced, once, by subclasses; nothing in the pipeline's own code is changed, and nothing
is asked of it: a third of the pipelines have no callback.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import torch

from videogen.engines.diffusers.denoising import Call, DenoisingRun, Observer

_NO_DENOISER: Final = (
    "vae", "text_encoder", "image_encoder", "tokenizer", "safety", "vocoder", "connectors", "duration", "feature",
    "vision", "image_processor", "upsampler", "prompt", "processor",
)  # fmt: skip
"""Parts of the names of components that are models but do not denoise."""
_VAES: Final = ("vae", "vqvae", "movq")


class Gate:
    """A pipeline whose runs are watched. One run at a time."""

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.run_state: DenoisingRun | None = None
        self._observer: Observer | None = None
        for name, component in pipe.components.items():
            if component is None:
                continue
            if name.endswith("scheduler"):
                self._replace(component, step=DenoisingRun.scheduler_step, set_timesteps=DenoisingRun.set_timesteps)
            elif name in _VAES:
                self._replace(component, decode=_decode, encode=_encode)
            elif is_denoiser(name, component):
                self._replace(component, __call__=DenoisingRun.denoise)
            if isinstance(component, torch.nn.Module):
                self._watch_blocks(component)

    def run(
        self, call: Callable[[], Any], observer: Observer, generators: list[Any], resume: dict[str, Any] | None = None
    ) -> Any:
        """Run the pipeline, and return its result.

        Args:
            call: calls the pipeline.
            observer: is called at every block, step and decode; an exception that it raises ends the run.
            generators: the random generators that the call uses.
            resume: the state of an earlier run of the same call, from `DenoisingRun.state`.
        """
        self.run_state, self._observer = DenoisingRun(self.pipe, observer, generators, resume), observer
        try:
            observer.check()
            result = call()
            self.run_state.finish()
        except BaseException:
            # With model offload, an exception leaves the denoiser on the device.
            with suppress(Exception):
                self.pipe.maybe_free_model_hooks()
            raise
        finally:
            self._observer = None
            self.phase, self.run_state = self.run_state.phase, None
        return result

    phase = "preparing"
    """The phase in which the last run ended; see `DenoisingRun.phase`."""

    def _replace(self, component: Any, **handlers: Callable[[DenoisingRun, Call], Any]) -> None:
        """Give one object a subclass of its class, whose methods ask the current run, if there is one."""
        base = type(component)
        names = {"__module__": base.__module__, "__qualname__": base.__qualname__}
        methods = {
            name: self._method(getattr(base, name), handler)
            for name, handler in handlers.items()
            if hasattr(base, name)
        }
        component.__class__ = type(base.__name__, (base,), {**names, **methods})

    def _method(self, function: Callable[..., Any], handler: Callable[[DenoisingRun, Call], Any]) -> Callable[..., Any]:
        # Pipelines look at the signatures of schedulers, so they must stay readable.
        @functools.wraps(function)
        def method(target: Any, *args: Any, **kwargs: Any) -> Any:
            call = Call(target, function, args, kwargs)
            return call() if self.run_state is None else handler(self.run_state, call)

        return method

    def _watch_blocks(self, model: torch.nn.Module) -> None:
        """Check for a cancel before each block: some microseconds each. The hook must return None."""
        for module in model.modules():
            if isinstance(module, torch.nn.ModuleList):
                for block in module:
                    if block is not None:
                        block.register_forward_pre_hook(self._check)

    def _check(self, *_: Any) -> None:
        if self._observer is not None:
            self._observer.check()


def is_denoiser(name: str, component: Any) -> bool:
    """Whether a component of a pipeline is called in each step."""
    return isinstance(component, torch.nn.Module) and not any(part in name for part in _NO_DENOISER)


def _decode(run: DenoisingRun, call: Call) -> Any:
    return run.decode(_in_own_dtype(call))


def _encode(run: DenoisingRun, call: Call) -> Any:
    return _in_own_dtype(call)()


def _in_own_dtype(call: Call) -> Call:
    """The call with its picture or latents in the dtype of the VAE, which is float32 beside other models in 16 bits."""
    first, *rest = call.args or (None,)
    if not torch.is_tensor(first):
        return call
    return Call(call.target, call.function, (first.to(call.target.dtype), *rest), call.kwargs)
