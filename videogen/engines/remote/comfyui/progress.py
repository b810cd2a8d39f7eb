"""What a websocket of ComfyUI reports of one workflow: steps, previews, and that it has ended."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from videogen.engines.remote.comfyui.marks import title_of
from videogen.engines.remote.provider import Update

_HEAD: Final = struct.Struct(">I")
_PREVIEW_IMAGE: Final = 1
"""After it: the format as one number, and the picture."""
_PREVIEW_IMAGE_WITH_METADATA: Final = 4
"""After it: the length of a JSON, the JSON, and the picture."""
_USUAL_STEPS: Final = 20

FEATURES: Final = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
"""The first message to the server: previews shall say which job they are of."""


@dataclass
class Progress:
    """Counts the steps of one job: those of a sampler, and one for every other node."""

    job_id: str
    nodes: Mapping[str, Any]
    """The workflow, as it was sent."""
    weights: dict[str, int] = field(init=False)
    done: set[str] = field(default_factory=set)
    """Nodes that have ended, or whose result the server still had."""
    current: str = ""
    part: float = 0.0
    """How much of the current node is done, from 0 to 1."""
    message: str = ""
    has_ended: bool = False

    def __post_init__(self) -> None:
        most = max((steps for node in self.nodes.values() if (steps := _steps(node))), default=_USUAL_STEPS)
        self.weights = {node_id: _weight(node, most) for node_id, node in self.nodes.items()}

    def read(self, message: str | bytes) -> Update | None:
        """Take a message of the websocket; None if it says nothing new about this job."""
        if isinstance(message, bytes):
            picture = _picture(message, self.job_id)
            return self.update(picture) if picture else None
        try:
            content = json.loads(message)
        except ValueError:
            return None
        data = content.get("data") if isinstance(content, dict) else None
        if not isinstance(data, dict) or data.get("prompt_id") != self.job_id:
            return None
        return self.update() if self._follow(str(content.get("type")), data) else None

    def update(self, preview: bytes | None = None) -> Update:
        """The progress so far."""
        total = sum(self.weights.values())
        step = sum(self.weights.get(node, 0) for node in self.done)
        if self.current not in self.done:
            step += int(self.weights.get(self.current, 0) * self.part)
        return Update("in_progress", min(step, total), total, self.message, preview=preview)

    def _follow(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Take a message about this job; whether it changes anything."""
        if kind == "executing" and data.get("node") is None:
            self.has_ended = True
            return False
        if kind == "execution_cached":
            self.done |= {str(node) for node in data.get("nodes", ()) if str(node) in self.weights}
        elif kind == "executing":
            self._start(str(data.get("display_node") or data["node"]))
        elif kind == "executed":
            self.done.add(str(data.get("display_node") or data.get("node")))
        elif kind == "progress_state":
            # Also what had ended before the websocket was open.
            states = data.get("nodes") or {}
            ended = {str(state.get("display_node_id") or node) for node, state in states.items() if _is_finished(state)}
            self.done |= ended & self.weights.keys()
        elif kind == "progress" and data.get("max"):
            self._start(str(data.get("node") or self.current))
            value, most = float(data.get("value", 0)), float(data["max"])
            self.part = min(1.0, value / most)
            self.message = f"{self._title(self.current)}: {value:g} / {most:g}"
        else:
            return False
        return True

    def _start(self, node: str) -> None:
        if node == self.current or node not in self.weights:
            return
        if self.current:
            self.done.add(self.current)
        self.current, self.part, self.message = node, 0.0, self._title(node)

    def _title(self, node_id: str) -> str:
        node = self.nodes.get(node_id, {})
        return title_of(node) or str(node.get("class_type", node_id))


def _is_finished(state: Mapping[str, Any]) -> bool:
    return state.get("state") == "finished"


def _steps(node: Mapping[str, Any]) -> int:
    steps = node.get("inputs", {}).get("steps")
    return steps if isinstance(steps, int) and steps > 0 else 0


def _weight(node: Mapping[str, Any], most: int) -> int:
    """Steps of a sampler, of which most of the time is made; 1 for another node."""
    kind, steps = str(node.get("class_type", "")), _steps(node)
    if "Sampler" not in kind:
        return 1
    if steps:
        first, last = (node["inputs"].get(name) for name in ("start_at_step", "end_at_step"))
        begin = first if isinstance(first, int) else 0
        return max(1, min(steps, last if isinstance(last, int) else steps) - begin)
    return most if kind.startswith("SamplerCustom") else 1


def _picture(message: bytes, job_id: str) -> bytes:
    """The picture in a binary message; empty if it has none, or is of another job."""
    if len(message) < 2 * _HEAD.size:
        return b""
    kind, number = _HEAD.unpack_from(message)[0], _HEAD.unpack_from(message, _HEAD.size)[0]
    rest = message[2 * _HEAD.size :]
    if kind == _PREVIEW_IMAGE:
        return rest
    if kind != _PREVIEW_IMAGE_WITH_METADATA or number > len(rest):
        return b""
    about = json.loads(rest[:number])
    return rest[number:] if about.get("prompt_id") in (None, job_id) else b""
