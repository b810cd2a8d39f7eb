"""Periodic noise textures, made once, and fast lookups that scroll and distort them."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

F32: TypeAlias = NDArray[np.float32]
FloatArray: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Texture:
    """A square, periodic texture. `padded`: float32 (n + 1, n + 1); the last row and column repeat the first, so that
    the four neighbours of a point have fixed offsets."""

    padded: F32

    @property
    def n(self) -> int:
        """Period in texels, a power of two."""
        return int(self.padded.shape[0]) - 1


def make_texture(values: F32) -> Texture:
    """A texture from float32 (n, n)."""
    return Texture(np.ascontiguousarray(np.pad(values, ((0, 1), (0, 1)), mode="wrap")))


def spectral_noise(
    n: int, beta: float, rng: np.random.Generator, band: tuple[float, float] = (1.0, 1e9), stretch: float = 1.0
) -> F32:
    """Periodic Gaussian noise, float32 (n, n), mean 0, standard deviation 1. The amplitude is k**(-beta / 2) within
    `band` (cycles per texture), else 0. A `stretch` above 1 makes the features longer along x."""
    ky = (np.fft.fftfreq(n) * n).astype(np.float32)[:, None]
    kx = (np.fft.rfftfreq(n) * n).astype(np.float32)[None]
    k = np.hypot(kx * np.float32(stretch), ky)
    k[0, 0] = 1.0
    amplitude = np.where((k >= band[0]) & (k <= band[1]), k ** np.float32(-beta / 2), np.float32(0))
    phase = rng.random(k.shape, dtype=np.float32) * np.float32(2 * np.pi)
    wave = np.empty(k.shape, np.complex64)
    wave.real = amplitude * np.cos(phase)
    wave.imag = amplitude * np.sin(phase)
    field = np.fft.irfft2(wave, s=(n, n)).astype(np.float32)
    field -= field.mean()
    field /= field.std()
    return field


def noise_1d(n: int, beta: float, rng: np.random.Generator, band: tuple[float, float]) -> F32:
    """Periodic noise in one dimension, float32 (n,), scaled to -1..1."""
    k = np.fft.rfftfreq(n) * n
    k[0] = 1.0
    amplitude = np.where((k >= band[0]) & (k <= band[1]), k ** (-beta / 2), 0.0)
    samples = np.fft.irfft(amplitude * np.exp(2j * np.pi * rng.random(k.size)), n)
    return np.asarray(samples / np.abs(samples).max(), np.float32)


def sample(texture: Texture, x: FloatArray, y: FloatArray) -> F32:
    """Bilinear lookup at texel coordinates x and y: float32, one common shape, any range (wrapped)."""
    n = texture.n
    xf, yf = np.floor(x), np.floor(y)
    index = (yf.astype(np.intp) & (n - 1)) * (n + 1)
    index += xf.astype(np.intp) & (n - 1)
    fx, fy = x - xf, y - yf
    flat = texture.padded.reshape(-1)
    top, bottom = flat.take(index), flat[n + 1 :].take(index)
    right = flat[1:].take(index)
    right -= top
    right *= fx
    top += right
    right = flat[n + 2 :].take(index)
    right -= bottom
    right *= fx
    bottom += right
    bottom -= top
    bottom *= fy
    top += bottom
    return top


def sample_rows(textures: tuple[Texture, ...], x: FloatArray, y: FloatArray) -> list[F32]:
    """Bilinear lookup in textures of one size, for a y that is constant along each row: x is (rows, columns), y is
    (rows,). Faster than `sample`, because it blends whole texture rows first."""
    n = textures[0].n
    yf = np.floor(y)
    y0 = yf.astype(np.intp) & (n - 1)
    fy = (y - yf)[:, None]
    xf = np.floor(x)
    fx = x - xf
    index = xf.astype(np.intp) & (n - 1)
    index += np.arange(len(y), dtype=np.intp)[:, None] * (n + 1)
    results = []
    for texture in textures:
        rows = texture.padded[y0]
        rows += (texture.padded[y0 + 1] - rows) * fy
        flat = rows.reshape(-1)
        left = flat.take(index)
        right = flat[1:].take(index, mode="clip")
        right -= left
        right *= fx
        left += right
        results.append(left)
    return results


def sample_1d(samples: F32, x: FloatArray) -> F32:
    """Linear lookup in periodic samples, float32 (n,), at positions x (any shape, wrapped)."""
    n = len(samples)
    xf = np.floor(x)
    index = xf.astype(np.intp) % n
    left = samples.take(index)
    left += (np.append(samples, samples[:1]).take(index + 1) - left) * (x - xf)
    return left


def smoothstep(low: float, high: float, x: FloatArray) -> F32:
    """Smoothstep: 0 up to `low`, 1 from `high`. With `low` > `high` it falls."""
    s = (x - np.float32(low)) * np.float32(1 / (high - low))
    np.clip(s, 0.0, 1.0, out=s)
    return np.asarray(s * s * (3.0 - 2.0 * s), np.float32)
