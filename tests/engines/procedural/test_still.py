import numpy as np
import pytest

from videogen.engines.procedural.still import CLIP_SECONDS, SAMPLE_POSITIONS, best_still


class Flickering:
    """Black at all times except one."""

    def __init__(self, size, bright):
        self.size, self.asked, self._bright = size, [], bright

    def frame(self, t):
        self.asked.append(t)
        width, height = self.size
        frame = np.zeros((height, width, 3), np.uint8)
        if t == self._bright:
            frame[:, : width // 2] = (200, 120, 40)
        return frame


@pytest.mark.parametrize("fraction", SAMPLE_POSITIONS)
def test_the_best_frame_is_drawn_at_twice_its_size(fraction):
    scenes = []

    def build(size):
        scenes.append(Flickering(size, CLIP_SECONDS * fraction))
        return scenes[-1]

    still = best_still(build, (64, 48))
    assert still.shape == (48, 64, 3)
    assert scenes[0].size == (128, 96)
    assert still[10, 10].tolist() == [200, 120, 40]


def test_a_large_still_is_not_supersampled():
    sizes = []

    def build(size):
        sizes.append(size)
        return Flickering(size, 0.0)

    best_still(build, (1920, 1080))
    assert sizes == [(1920, 1080)]
