"""Previews of a render: latents as small pictures, by a linear projection that is fitted once for each VAE."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Final

import numpy as np
import torch
from PIL import Image

from videogen.engines.base import RenderContext
from videogen.engines.diffusers.families import Traits

logger = logging.getLogger("videogen.render")
INTERVAL_SECONDS: Final = 0.4
_PICTURES: Final = 4
_LATENT_SIDE: Final = 16
_RIDGE: Final = 1e-4
_MAX_SIDE: Final = 640
"""Pixels of the longer side of a preview."""


def fit_projection(pipe: Any, device: Any) -> Any:
    """Fit the projection from latents to colours: a tensor of shape (channels + 1, 3) on `device`.

    It encodes a few pictures of soft colours, and solves by least squares. None for a pipeline that has no VAE of the
    usual kind: then there are no previews.
    """
    try:
        with torch.no_grad():
            return _fit(pipe, device)
    except Exception as error:  # a preview is never worth a render
        logger.warning("no previews: these latents cannot be shown (%s: %s)", type(error).__name__, error)
        return None


def _fit(pipe: Any, device: Any) -> Any:
    vae = pipe.vae
    is_video = next(weight for weight in vae.encoder.parameters() if weight.ndim >= 4).ndim == 5
    pictures = _soft_pictures(_LATENT_SIDE * spatial_ratio(pipe)).to(device, vae.dtype)
    rows, colours = [], []
    for picture in pictures.split(1):
        latents = _normalised(vae, _encoded(vae, picture[:, :, None] if is_video else picture))
        latents = latents[:, :, 0] if latents.ndim == 5 else latents
        small = torch.nn.functional.interpolate(picture, size=latents.shape[-2:], mode="area")
        rows.append(latents[0].flatten(1).T.double().cpu())
        colours.append((small[0].flatten(1).T.double().cpu() + 1) / 2)
    samples = torch.cat(rows)
    samples = torch.cat([samples, torch.ones(len(samples), 1, dtype=samples.dtype)], dim=1)
    square = samples.T @ samples
    square += _RIDGE * square.diagonal().mean() * torch.eye(len(square), dtype=square.dtype)
    return torch.linalg.solve(square, samples.T @ torch.cat(colours)).float().to(device)


def spatial_ratio(pipe: Any) -> int:
    """Pixels for each latent, in width and height."""
    names = (
        "vae_spatial_compression_ratio", "vae_scale_factor_spatial", "vae_spatial_scale_factor", "vae_scale_factor",
    )  # fmt: skip
    return int(next((value for name in names if (value := getattr(pipe, name, None))), 8))


def temporal_ratio(pipe: Any) -> int:
    """Frames for each latent."""
    names = ("vae_temporal_compression_ratio", "vae_scale_factor_temporal", "vae_temporal_scale_factor")
    return int(next((value for name in names if (value := getattr(pipe, name, None))), 1))


def latent_grid(pipe: Any, latents: Any, size: tuple[int, int], frames: int) -> Any:
    """The latents of any pipeline as (channels, frames, height, width).

    Args:
        pipe: knows the ratios.
        latents: with five axes, four, or packed as tokens (one for each latent, or one for four).
        size: width and height of the result in pixels.
        frames: the number of frames of the result.

    Raises:
        ValueError: the packing is not known.
    """
    if latents.ndim == 5:
        return latents[0].transpose(0, 1) if type(pipe).__name__.startswith("CogVideoX") else latents[0]
    if latents.ndim == 4:
        return latents[0][:, None]
    ratio = spatial_ratio(pipe)
    depth = (frames - 1) // temporal_ratio(pipe) + 1
    width, height = size[0] // ratio, size[1] // ratio
    tokens = latents.shape[1]
    if tokens == depth * height * width:
        return latents[0].T.reshape(-1, depth, height, width)
    half = (height // 2, width // 2)
    if tokens == depth * half[0] * half[1]:
        patches = latents[0].reshape(depth, *half, -1, 2, 2).permute(3, 0, 1, 4, 2, 5)
        return patches.reshape(-1, depth, half[0] * 2, half[1] * 2)
    raise ValueError(f"{tuple(latents.shape)} is no known packing of {depth} x {height} x {width}")


def to_picture(grid: Any, projection: Any) -> Any:
    """The middle frame of a grid of latents as uint8 (height, width, 3), on the grid's device."""
    frame = grid[:, grid.shape[1] // 2].float()
    colours = torch.einsum("chw,cd->hwd", frame, projection[:-1]) + projection[-1]
    return (colours.clamp(0, 1) * 255).to(torch.uint8)


class Previewer:
    """Shows previews from a thread, at most one at a time and a few in a second."""

    def __init__(self, ctx: RenderContext, pipe: Any, projection: Any, shape: tuple[tuple[int, int], int]) -> None:
        """Make one for a result of `shape`: ((width, height) in pixels, number of frames)."""
        self._ctx, self._pipe, self._projection, (self._size, self._frames) = ctx, pipe, projection, shape
        self._pool = ThreadPoolExecutor(1, "previews")
        self._pending: Future[None] | None = None
        self._next = 0.0

    def is_due(self) -> bool:
        """Whether the next preview would be shown."""
        is_free = self._pending is None or self._pending.done()
        return self._projection is not None and is_free and time.monotonic() >= self._next

    def show(self, latents: Any) -> None:
        """Show latents. What waits for the device is done by the thread."""
        try:
            grid = latent_grid(self._pipe, latents, self._size, self._frames)
            if len(grid) != len(self._projection) - 1:
                raise ValueError(f"{len(grid)} channels, where the VAE has {len(self._projection) - 1}")
            picture = to_picture(grid, self._projection)
        except ValueError as error:
            logger.warning("no previews: %s", error)
            self._projection = None
            return
        self._next = time.monotonic() + INTERVAL_SECONDS
        self._pending = self._pool.submit(copy_context().run, self._send, picture)

    def close(self) -> None:
        """Wait for the last preview, and end the thread."""
        self._pool.shutdown()

    def _send(self, picture: Any) -> None:
        scale = min(1.0, _MAX_SIDE / max(self._size))
        size = (round(self._size[0] * scale), round(self._size[1] * scale))
        image = Image.fromarray(picture.cpu().numpy()).resize(size, Image.Resampling.BILINEAR)
        self._ctx.preview(np.asarray(image))


def _soft_pictures(side: int) -> Any:
    """Pictures of soft random colours, float in -1..1, shape (pictures, 3, side, side)."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(_PICTURES, 3, 6, 6, generator=generator) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic").clamp(-1, 1)


def _encoded(vae: Any, picture: Any) -> Any:
    output = vae.encode(picture)
    return output.latent_dist.mode() if hasattr(output, "latent_dist") else output.latents


def _normalised(vae: Any, latents: Any) -> Any:
    """Latents as they are in the denoising loop."""
    mean, deviation = _per_channel(vae, "latents_mean", latents), _per_channel(vae, "latents_std", latents)
    scale = getattr(vae.config, "scaling_factor", None) or 1.0
    if mean is not None and deviation is not None:
        return (latents - mean) / deviation * scale
    return (latents - (getattr(vae.config, "shift_factor", None) or 0.0)) * scale


def _per_channel(vae: Any, name: str, latents: Any) -> Any:
    values = dict(vae.named_buffers()).get(name)
    values = vae.config.get(name) if values is None else values
    if values is None:
        return None
    return torch.as_tensor(values).to(latents).view(1, -1, *[1] * (latents.ndim - 2))


def preview_shape(traits: Traits, width: int, height: int, frames: int) -> tuple[tuple[int, int], int]:
    """The shape that a `Previewer` takes."""
    return (width, height), frames if traits.kind == "video" else 1
