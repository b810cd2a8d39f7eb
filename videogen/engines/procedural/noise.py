"""Tileable noise baked once, and the cheap lookups that scroll and bend it."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

F32: TypeAlias = NDArray[np.float32]
FloatArray: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Texture:
    """A square, periodic texture. `padded` is float32 (n + 1, n + 1): the last row and column repeat the
    first, so that the four neighbours of a point share one flat index."""

    padded: F32

    @property
    def n(self) -> int:
        """Period in texels, a power of two."""
        return int(self.padded.shape[0]) - 1


def make_texture(values: F32) -> Texture:
    """Wrap float32 (n, n) into a Tile."""
    return Texture(np.ascontiguousarray(np.pad(values, ((0, 1), (0, 1)), mode="wrap")))


def spectral_noise(
    n: int, beta: float, rng: np.random.Generator, band: tuple[float, float] = (1.0, 1e9), stretch: float = 1.0
) -> F32:
    """Periodic Gaussian noise, float32 (n, n), mean 0, deviation 1, amplitude falling as k**(-beta / 2)
    within `band` (cycles per tile). A `stretch` above 1 lengthens the features along x."""
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
    """Periodic noise along a line, float32 (n,), scaled to at most 1 in size."""
    k = np.fft.rfftfreq(n) * n
    k[0] = 1.0
    amplitude = np.where((k >= band[0]) & (k <= band[1]), k ** (-beta / 2), 0.0)
    line = np.fft.irfft(amplitude * np.exp(2j * np.pi * rng.random(k.size)), n)
    return np.asarray(line / np.abs(line).max(), np.float32)


def sample(texture: Texture, x: FloatArray, y: FloatArray) -> F32:
    """Bilinear lookup at texel coordinates x, y (float32, one common shape; any range, wrapped)."""
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
    """Bilinear lookup in several tiles of one size where y is constant along a row: x is (rows, columns), y is
    (rows,). Blending whole texture rows first halves the gathers of `tap`."""
    n = textures[0].n
    yf = np.floor(y)
    y0 = yf.astype(np.intp) & (n - 1)
    fy = (y - yf)[:, None]
    xf = np.floor(x)
    fx = x - xf
    index = xf.astype(np.intp) & (n - 1)
    index += np.arange(len(y), dtype=np.intp)[:, None] * (n + 1)
    found = []
    for texture in textures:
        line = texture.padded[y0]
        line += (texture.padded[y0 + 1] - line) * fy
        flat = line.reshape(-1)
        left = flat.take(index)
        right = flat[1:].take(index, mode="clip")
        right -= left
        right *= fx
        left += right
        found.append(left)
    return found


def sample_1d(line: F32, x: FloatArray) -> F32:
    """Linear lookup in a periodic line, float32 (n,), at sample positions x (any shape, wrapped)."""
    n = len(line)
    xf = np.floor(x)
    index = xf.astype(np.intp) % n
    left = line.take(index)
    left += (np.append(line, line[:1]).take(index + 1) - left) * (x - xf)
    return left


def smoothstep(low: float, high: float, x: FloatArray) -> F32:
    """Smoothstep: 0 up to `low`, 1 from `high` on; `low` above `high` turns it round."""
    s = (x - np.float32(low)) * np.float32(1 / (high - low))
    np.clip(s, 0.0, 1.0, out=s)
    return np.asarray(s * s * (3.0 - 2.0 * s), np.float32)
