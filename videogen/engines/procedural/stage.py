"""One shot: the layers that its subjects ask for, painted from far to near."""

from __future__ import annotations

import numpy as np

from videogen.engines.procedural.bands import cut
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.frame import Frame
from videogen.engines.procedural.layer import Layer
from videogen.engines.procedural.noise import F32


class Stage:
    """Layers over one frame. A layer that reads what is behind it begins a new group: all before it is finished
    first; within a group each band of rows goes through all layers while it is in the cache."""

    def __init__(self, frame: Frame, layers: list[Layer]) -> None:
        self._frame = frame
        self._spans = cut(0, frame.height, frame.width)
        self._groups: list[list[Layer]] = []
        for layer in sorted(layers, key=lambda layer: layer.order):
            if layer.reads or not self._groups:
                self._groups.append([])
            self._groups[-1].append(layer)

    def paint(self, moment: Moment) -> F32:
        """The moment as linear light, float32 (3, H, W)."""
        canvas = np.empty((3, self._frame.height, self._frame.width), np.float32)
        for group in self._groups:
            ready = [layer.prepare(moment, canvas) for layer in group]
            for span in self._spans:
                for layer, found in zip(group, ready, strict=True):
                    layer.paint(canvas, span, moment, found)
        return canvas
