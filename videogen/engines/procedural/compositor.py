"""Paints the layers of one shot from far to near."""

from __future__ import annotations

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import Layer
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.row_bands import split_rows
from videogen.engines.procedural.viewport import Viewport


class Compositor:
    """Layers over one viewport, in groups. A layer that reads the canvas starts a new group: all groups before it are
    complete then. Within a group each row band goes through all layers, so that it stays in the processor cache."""

    def __init__(self, viewport: Viewport, layers: list[Layer]) -> None:
        self._viewport = viewport
        self._spans = split_rows(0, viewport.height, viewport.width)
        self._groups: list[list[Layer]] = []
        for layer in sorted(layers, key=lambda layer: layer.order):
            if layer.reads_canvas or not self._groups:
                self._groups.append([])
            self._groups[-1].append(layer)

    def paint(self, state: FrameState) -> F32:
        """Paint one frame: linear light, float32 (3, H, W)."""
        canvas = np.empty((3, self._viewport.height, self._viewport.width), np.float32)
        for group in self._groups:
            prepared_layers = [layer.prepare(state, canvas) for layer in group]
            for span in self._spans:
                for layer, prepared in zip(group, prepared_layers, strict=True):
                    layer.paint(canvas, span, state, prepared)
        return canvas
