"""Outputs of models and states of schedulers as plain data, which a checkpoint can hold."""

from __future__ import annotations

import importlib
from typing import Any, Final

import torch
from diffusers.utils import BaseOutput

_NOT_KEPT: Final = ("_internal_dict", "timesteps", "sigmas", "config")
"""Attributes of a scheduler that `set_timesteps` makes again."""

Description = list[Any]
"""What an output looked like, without its numbers: `["tensor", shape, dtype]` and the like."""


def values_of(output: Any) -> list[Any]:
    """The parts of an output: of a dataclass of diffusers, of a tuple, or the one tensor."""
    if isinstance(output, BaseOutput):
        return list(output.values())
    return list(output) if isinstance(output, tuple | list) else [output]


def with_values(output: Any, values: list[Any]) -> Any:
    """An output like this one with other parts."""
    if isinstance(output, BaseOutput):
        return type(output)(**dict(zip(output.keys(), values, strict=True)))
    return type(output)(values) if isinstance(output, tuple | list) else values[0]


def describe(output: Any) -> Description:
    """What an output looks like."""
    if torch.is_tensor(output):
        return ["tensor", list(output.shape), str(output.dtype).removeprefix("torch.")]
    if isinstance(output, BaseOutput):
        name = f"{type(output).__module__}:{type(output).__qualname__}"
        return ["object", name, {key: describe(value) for key, value in output.items()}]
    if isinstance(output, tuple | list):
        return ["list" if isinstance(output, list) else "tuple", [describe(value) for value in output]]
    return ["value", output if isinstance(output, bool | int | float | str) else None]


def zeros(description: Description, device: Any) -> Any:
    """An output that looks like the described one. Its tensors are zero."""
    kind, *rest = description
    if kind == "tensor":
        return torch.zeros(rest[0], dtype=getattr(torch, rest[1]), device=device)
    if kind == "object":
        module, name = rest[0].split(":")
        parts = {key: zeros(value, device) for key, value in rest[1].items()}
        return getattr(importlib.import_module(module), name)(**parts)
    if kind in ("list", "tuple"):
        return (list if kind == "list" else tuple)(zeros(value, device) for value in rest[0])
    return rest[0]


def device_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The device of the first tensor among the arguments of a call."""
    for argument in (*args, *kwargs.values()):
        for value in argument if isinstance(argument, list | tuple) else [argument]:
            if torch.is_tensor(value):
                return value.device
    return torch.device("cpu")


def scheduler_state(scheduler: Any) -> dict[str, Any]:
    """The attributes of a scheduler that change while it steps, copied."""
    return {
        name: copied(value) for name, value in vars(scheduler).items() if name not in _NOT_KEPT and _is_plain(value)
    }


def copied(value: Any) -> Any:
    """A copy of plain data whose tensors are copies too, on their device."""
    if torch.is_tensor(value):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    return type(value)(copied(part) for part in value) if isinstance(value, list | tuple) else value


def placed(saved: Any, like: Any) -> Any:
    """A saved part on the device of the one that it replaces."""
    return saved.to(like.device) if torch.is_tensor(saved) and torch.is_tensor(like) else saved


def _is_plain(value: Any) -> bool:
    if value is None or isinstance(value, bool | int | float | str) or torch.is_tensor(value):
        return True
    if isinstance(value, list | tuple):
        return all(_is_plain(part) for part in value)
    return isinstance(value, dict) and all(_is_plain(part) for part in value.values())
