"""Workflow files of ComfyUI: which inputs are marked for what people set, and what the workflow itself fixes.

An input is marked in ComfyUI, by the title of its node, or by a row of the table `inputs` of the engine file.
docs/engines/comfyui.md describes both.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from videogen.engines.remote.comfyui.marks import INPUTS, Mark, is_link, marked_output, marks_of
from videogen.engines.spec import EngineSpec
from videogen.schemas.generations import GenerationType

EXPORT: Final = (
    "a workflow in the API format: open it in ComfyUI and choose Export (API) in its menu; older versions have "
    "Save (API Format), once the developer options are on in the settings"
)
_FIXED: Final = ("width", "height", "num_frames", "fps", "seconds")
_SAVES_VIDEO: Final = ("video", "webm", "webp", "gif")
Nodes = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Workflow:
    """A workflow in the API format, and which of its inputs people set."""

    nodes: Nodes
    marks: Mapping[str, Mark]
    """By the name of the setting or of the part of a recipe."""
    output: str
    """The id of the node that is marked as the output; empty: none is."""

    @property
    def digest(self) -> str:
        """SHA-256 of the nodes, as hex."""
        return hashlib.sha256(json.dumps(self.nodes, sort_keys=True).encode()).hexdigest()

    @property
    def type(self) -> GenerationType:
        """What it makes: an image, if nothing in it is about videos."""
        kinds = " ".join(self.nodes[node_id]["class_type"] for node_id in self._ends()).lower()
        has_length = {"num_frames", "seconds", "fps"} & (self.marks.keys() | self.fixed().keys())
        return "video" if has_length or any(word in kinds for word in _SAVES_VIDEO) else "image"

    def filled(self, values: Mapping[str, Any]) -> Nodes:
        """The workflow with the values of a job.

        Args:
            values: by the name of the mark. Where there is none, or an empty text, the workflow's own stays; a node
                for a picture that may be missing is left out, with its connections.
        """
        nodes = copy.deepcopy(self.nodes)
        for name, mark in self.marks.items():
            value = values.get(name)
            for node_id, key in mark.targets:
                if value not in (None, ""):
                    nodes[node_id]["inputs"][key] = value
                elif mark.is_optional_picture:
                    _leave_out(nodes, node_id)
        return nodes

    def fixed(self) -> dict[str, int | float]:
        """Size, length and frame rate of the result, as far as they are in the workflow: the last nodes count."""
        found: dict[str, int | float] = {}
        for node in self._from_the_end():
            for name in _FIXED:
                for key in INPUTS[name][:-1]:
                    value = self._value(node["inputs"].get(key))
                    if isinstance(value, int | float) and value > 0:
                        found.setdefault(name, value)
        return found

    def _value(self, value: Any) -> Any:
        """The value of an input, also where it comes from a node that only holds a value."""
        if is_link(value):
            inputs = self.nodes.get(value[0], {}).get("inputs", {})
            value = inputs.get("value") if len(inputs) == 1 else None
        return None if isinstance(value, bool) else value

    def _ends(self) -> list[str]:
        """The nodes that no other node takes something of."""
        used = {value[0] for node in self.nodes.values() for value in node["inputs"].values() if is_link(value)}
        return [node_id for node_id in self.nodes if node_id not in used]

    def _from_the_end(self) -> Iterator[dict[str, Any]]:
        """The nodes from the marked output backwards, then all others in the same way."""
        waiting = [*filter(None, [self.output]), *self._ends()]
        seen = set(waiting)
        while waiting:
            node = self.nodes.get(waiting.pop(0))
            if node is None:
                continue
            yield node
            before = [value[0] for value in node["inputs"].values() if is_link(value)]
            waiting += [node_id for node_id in before if node_id not in seen]
            seen.update(before)


def read_workflow(spec: EngineSpec) -> Workflow:
    """Read the workflow that the key `model` names.

    Raises:
        ConfigError: it is no workflow in the API format, nothing is marked, or a mark does not fit.
    """
    nodes = _read_nodes(spec)
    marks, output = marks_of(spec, nodes), marked_output(spec, nodes)
    if not marks:
        what = 'at least one marked input, such as a node with the title "videogen: prompt", or a table `inputs`'
        raise spec.error("model", what, spec.model)
    return Workflow(nodes, marks, output)


def _read_nodes(spec: EngineSpec) -> Nodes:
    try:
        content = json.loads(Path(spec.model).read_text(encoding="utf-8"))
    except OSError as problem:
        raise spec.error("model", "the path of a workflow file", spec.model) from problem
    except ValueError as problem:
        raise spec.error("model", EXPORT, f"{spec.model}, which is no JSON ({problem})") from problem
    if isinstance(content, dict) and isinstance(content.get("nodes"), list):
        raise spec.error("model", EXPORT, f"{spec.model}, a workflow as the editor saves it")
    if isinstance(content, dict) and isinstance(content.get("prompt"), dict):
        content = content["prompt"]  # as it is sent to a server
    if not isinstance(content, dict) or not content or not all(map(_is_node, content.values())):
        raise spec.error("model", EXPORT, spec.model)
    return content


def _is_node(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict)


def _leave_out(nodes: Nodes, node_id: str) -> None:
    nodes.pop(node_id, None)
    for node in nodes.values():
        node["inputs"] = {
            key: value for key, value in node["inputs"].items() if not (is_link(value) and value[0] == node_id)
        }
