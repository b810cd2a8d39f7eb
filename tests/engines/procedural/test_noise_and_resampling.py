"""Noise textures, resampling, particles and row bands."""

from itertools import pairwise

import numpy as np
import pytest

from videogen.engines.procedural.noise import make_texture, sample, sample_rows, smoothstep, spectral_noise
from videogen.engines.procedural.particles import add_dots
from videogen.engines.procedural.resample import downsample, upsample
from videogen.engines.procedural.row_bands import split_rows


def test_noise_is_periodic_and_depends_only_on_its_seed() -> None:
    first, again = (spectral_noise(64, 3.0, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.float32
    inner = np.abs(np.diff(first, axis=1)).max()
    assert np.abs(first[:, 0] - first[:, -1]).max() <= inner * 1.5


def test_sample_wraps_and_interpolates_between_texels() -> None:
    texture = make_texture(spectral_noise(32, 2.0, np.random.default_rng(1)))
    x, y = np.random.default_rng(2).uniform(-90, 90, (2, 5, 7)).astype(np.float32)
    np.testing.assert_allclose(sample(texture, x, y), sample(texture, x + 64, y - 32), atol=1e-4)
    between = sample(texture, np.float32([[3.5]]), np.float32([[8.0]]))
    assert between == pytest.approx((texture.padded[8, 3] + texture.padded[8, 4]) / 2)


def test_sample_rows_gives_the_same_values_as_sample() -> None:
    texture = make_texture(spectral_noise(32, 2.0, np.random.default_rng(1)))
    x = np.random.default_rng(2).uniform(-90, 90, (6, 9)).astype(np.float32)
    y = np.linspace(-40, 70, 6, dtype=np.float32)
    (found,) = sample_rows((texture,), x, y)
    np.testing.assert_allclose(found, sample(texture, x, np.broadcast_to(y[:, None], x.shape)), atol=1e-5)


def test_smoothstep_rises_or_falls() -> None:
    x = np.float32([-1, 0, 0.5, 1, 2])
    np.testing.assert_allclose(smoothstep(0, 1, x), [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(smoothstep(1, 0, x), [1, 1, 0.5, 0, 0])


def test_row_bands_of_an_upsampled_picture_match_exactly() -> None:
    half = np.random.default_rng(1).random((3, 20, 15)).astype(np.float32)
    whole = upsample(half, (0, 39), 30)
    parts = [upsample(half, span, 30) for span in ((0, 10), (10, 24), (24, 39))]
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis=1))


def test_upsample_keeps_a_linear_slope() -> None:
    half = np.broadcast_to(np.arange(16, dtype=np.float32), (1, 8, 16))
    np.testing.assert_allclose(np.diff(upsample(half, (0, 16), 32)[0, 3, 2:-2]), 0.5, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 8, 6), (3, 7, 5)], ids=["even", "odd"])
def test_downsample_keeps_the_mean_colour(shape: tuple[int, int, int]) -> None:
    planes = np.ones(shape, np.float32) * np.float32([[[1]], [[2]], [[3]]])
    small = downsample(planes)
    assert small.shape == (3, -(-shape[1] // 2), -(-shape[2] // 2))
    np.testing.assert_allclose(small[:, 0, 0], [1, 2, 3])


def test_a_moving_dot_keeps_its_total_light() -> None:
    sums = []
    for x in np.linspace(10, 11, 5, dtype=np.float32):
        plane = np.zeros((24, 24), np.float32)
        add_dots(plane, np.float32([x]), np.float32([12.3]), 1.2, np.float32([1.0]))
        sums.append(float(plane.sum()))
    assert max(sums) - min(sums) < 0.02 * max(sums)


def test_dots_are_clipped_at_the_edge() -> None:
    plane = np.zeros((8, 8), np.float32)
    add_dots(plane, np.float32([0, 100, -100]), np.float32([7.9, 4, 4]), 1.0, np.float32([1, 1, 1]))
    assert plane[7, 0] > 0.3
    assert plane[:, 4:].max() == 0


def test_split_rows_covers_all_rows_without_gaps() -> None:
    spans = split_rows(3, 1000, 1280)
    assert spans[0][0] == 3
    assert spans[-1][1] == 1000
    assert all(above[1] == below[0] for above, below in pairwise(spans))
