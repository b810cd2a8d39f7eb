"""From what a pipeline returns to frames, uint8 arrays of shape (height, width, 3), RGB, and to sound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from videogen.engines.base import RenderFailed
from videogen.engines.diffusers.faults import invalid_numbers
from videogen.media.sound import Sound


def frames_of(output: Any) -> NDArray[np.uint8]:
    """All frames of the first result, shape (frames, height, width, 3). Width and height are made even.

    Raises:
        RenderFailed: the numbers are not finite, or it is no picture.
    """
    result = next((value for name in ("frames", "images") if (value := getattr(output, name, None)) is not None), None)
    if result is None:
        text = f"The pipeline returned {type(output).__name__}, which has neither frames nor images. Use another model."
        raise RenderFailed(text, code="bad_output")
    frames = _from_tensor(result) if torch.is_tensor(result) else _from_pictures(result)
    if frames.ndim != 4 or frames.shape[-1] != 3 or not len(frames):
        text = f"The pipeline returned frames of shape {frames.shape}, which are no RGB pictures. Use another model."
        raise RenderFailed(text, code="bad_output")
    return frames[:, : frames.shape[1] // 2 * 2, : frames.shape[2] // 2 * 2]


def sound_of(output: Any, pipe: Any) -> Sound | None:
    """The sound of the first result; None for a pipeline that makes none.

    Raises:
        RenderFailed: the numbers are not finite.
    """
    audio = getattr(output, "audio", None)
    if audio is None:
        return None
    samples = torch.as_tensor(audio[0]).float().cpu()
    if not bool(torch.isfinite(samples).all()):
        raise invalid_numbers()
    samples = samples.clamp(-1, 1).reshape(-1, samples.shape[-1])
    return Sound(samples.numpy(), int(pipe.vocoder.config.output_sampling_rate))


def _from_tensor(result: Any) -> NDArray[np.uint8]:
    """Float in 0..1 of shape (batch, [frames,] 3, height, width); scaled on the device, where it is faster."""
    frames = result[0] if result.ndim == 5 else result[:1]
    if not bool(torch.isfinite(frames).all()):
        raise invalid_numbers()
    scaled = (frames.float().clamp(0, 1) * 255).round().to(torch.uint8)
    array: NDArray[np.uint8] = scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return array


def _from_pictures(result: Any) -> NDArray[np.uint8]:
    """Pictures, lists of them, or an array of floats in 0..1."""
    first = result[0]
    frames = np.stack([np.asarray(frame) for frame in (first if isinstance(first, list) else _frames(result))])
    if np.issubdtype(frames.dtype, np.floating):
        if not np.isfinite(frames).all():
            raise invalid_numbers()
        frames = (frames.clip(0, 1) * 255).round()
    return frames.astype(np.uint8)


def _frames(result: Any) -> Iterator[Any]:
    """The frames of the first result in an array, or the first picture of a list."""
    is_video = isinstance(result, np.ndarray) and result.ndim == 5
    return iter(result[0]) if is_video else iter(result[:1])
