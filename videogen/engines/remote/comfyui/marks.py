"""Which inputs of a workflow people set: the marks in the titles of its nodes, and the table `inputs` of its engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self, get_args

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from videogen.engines.remote.options import InputRow, Scalar, Source
from videogen.engines.spec import EngineSpec

PICTURES: Final = ("first_frame", "last_frame")
_NO_DEFAULT: Final = (*PICTURES, "prompt", "negative_prompt", "seed")
_MARK: Final = re.compile(r"videogen:(.+)$", re.IGNORECASE | re.DOTALL)
_OUTPUT: Final = "output"
_SOURCES: Final = frozenset(get_args(Source))
_TEXTS: Final = ("text", "prompt", "string", "value")
_IMAGES: Final = ("image", "value")
INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "prompt": _TEXTS,
    "negative_prompt": ("text", "negative_prompt", "negative", "string", "value"),
    "seed": ("seed", "noise_seed", "value"),
    "seconds": ("seconds", "duration", "value"),
    "fps": ("fps", "frame_rate", "value"),
    "num_frames": ("length", "num_frames", "frames", "video_frames", "frame_count", "value"),
    "width": ("width", "value"),
    "height": ("height", "value"),
    "first_frame": _IMAGES,
    "last_frame": _IMAGES,
}
"""By the name in a mark: what nodes call such an input, the likeliest first. Other names are those of the input."""
_ALIASES: Final = {"length": "num_frames", "frame_rate": "fps", "noise_seed": "seed", "duration": "seconds"}
_WHOLE: Final = ("steps", "step", "size", "frames", "count", "width", "height", "length", "seed")
"""What the names of inputs end with that are whole numbers. JSON does not tell 6 from 6.0."""
Nodes = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Mark:
    """One setting of the form or part of a recipe, and the inputs that get it."""

    row: InputRow
    targets: tuple[tuple[str, str], ...]
    """Node id and name of the input."""

    @property
    def is_optional_picture(self) -> bool:
        """Whether it is a picture that a request may do without."""
        return self.row.source in PICTURES and not self.row.required


class _Row(InputRow):
    """A row of the table `inputs`. Its name says what it is; type and default come from the workflow."""

    at: str | tuple[str, ...] = Field(default=(), description='the inputs that get it, such as "6.text"')

    @model_validator(mode="after")
    def _check_type(self) -> Self:
        return self


def _as_row(value: Any) -> Any:
    """A row that is only its inputs, in full."""
    return {"at": value} if isinstance(value, str | list) else value


class _Table(BaseModel):
    inputs: dict[str, Annotated[_Row, BeforeValidator(_as_row)]] = Field(default_factory=dict)


def is_link(value: Any) -> bool:
    """Whether an input is connected to another node."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def marks_of(spec: EngineSpec, nodes: Nodes) -> dict[str, Mark]:
    """The marks of a workflow by name. What the table says of a name comes before what titles say.

    Raises:
        ConfigError: a mark or row names no input of the workflow.
    """
    table = spec.model_copy(update={"options": {"inputs": spec.options.get("inputs", {})}}).parse(_Table)
    rows = {_ALIASES.get(name, name): row for name, row in table.inputs.items()}
    targets: dict[str, list[tuple[str, str]]] = {}
    for name, node_id, wanted in _titled(nodes):
        if name != _OUTPUT:
            key = _input_of(spec, node_id, nodes[node_id], name, wanted)
            targets.setdefault(_ALIASES.get(name, name), []).append((node_id, key))
    for name, row in rows.items():
        places = (row.at,) if isinstance(row.at, str) else row.at
        if places:
            targets[name] = [_place(spec, nodes, name, place) for place in places]
    for name in rows.keys() - targets.keys():
        raise spec.error(f"inputs.{name}", 'an input of the workflow, such as at = "6.text"', None)
    return {name: _mark(spec, nodes, name, rows.get(name, _Row()), found) for name, found in targets.items()}


def marked_output(spec: EngineSpec, nodes: Nodes) -> str:
    """The id of the node that is marked as the output; empty if none is.

    Raises:
        ConfigError: several nodes are marked.
    """
    found = [node_id for name, node_id, _ in _titled(nodes) if name == _OUTPUT]
    if len(found) > 1:
        raise spec.error("model", "one node that is marked as the output", f"nodes {', '.join(found)}")
    return "".join(found)


def title_of(node: Mapping[str, Any]) -> str:
    """What people call a node: its title without a mark; empty if it has none."""
    title = str((node.get("_meta") or {}).get("title") or "")
    return _MARK.sub("", title).strip(" -:|(")


def _titled(nodes: Nodes) -> Iterator[tuple[str, str, str]]:
    """Each mark in a title: its name, the id of the node, and the name of the input if it is given."""
    for node_id, node in nodes.items():
        mark = _MARK.search(str((node.get("_meta") or {}).get("title") or ""))
        for part in mark[1].strip(" )").split(",") if mark else ():
            name, _, wanted = (text.strip() for text in part.partition("="))
            yield name.lower(), node_id, wanted


def _input_of(spec: EngineSpec, node_id: str, node: Mapping[str, Any], name: str, wanted: str) -> str:
    """The input of a node that a mark means."""
    inputs: Mapping[str, Any] = node["inputs"]
    for candidate in (wanted,) if wanted else INPUTS.get(_ALIASES.get(name, name), (name,)):
        if candidate in inputs and not is_link(inputs[candidate]):
            return candidate
    own = ", ".join(key for key, value in inputs.items() if not is_link(value)) or "it has none"
    place = f"node {node_id} ({node['class_type']})"
    mark = f"{name}={wanted}" if wanted else name
    raise spec.error("model", f'at {place}: a mark such as "{name}=input", with one of its inputs ({own})', mark)


def _place(spec: EngineSpec, nodes: Nodes, name: str, place: str) -> tuple[str, str]:
    """Node id and input of a value such as `6.text`. The node may be given by its title."""
    node, _, key = place.rpartition(".")
    found = [node] if node in nodes else [one for one in nodes if title_of(nodes[one]) == node]
    if len(found) != 1 or not key:
        what = '"node.input", with the id of a node of the workflow or a title that only one node has'
        raise spec.error(f"inputs.{name}", what, place)
    if is_link(nodes[found[0]]["inputs"].get(key)):
        raise spec.error(f"inputs.{name}", "an input that no other node is connected to", place)
    return found[0], key


def _mark(spec: EngineSpec, nodes: Nodes, name: str, row: _Row, targets: list[tuple[str, str]]) -> Mark:
    """A mark whose row has the type and the value that the workflow has, where the table says nothing else."""
    if not name.isidentifier():
        raise spec.error(f"inputs.{name}", "a name of letters, digits and underscores", name)
    node_id, key = targets[0]
    value = nodes[node_id]["inputs"].get(key)
    changes: dict[str, Any] = {"source": name if name in _SOURCES else None}
    if name in PICTURES and "required" not in row.model_fields_set:
        changes["required"] = True
    if isinstance(value, bool | int | float | str) and name not in _NO_DEFAULT:
        changes["type"] = row.type or _type(key, value)
        changes["default"] = _allowed(row, value) if row.default is None else row.default
    made = InputRow.model_construct(**{**row.model_dump(exclude={"at"}), **changes})
    if made.source is None and made.type is None and made.default is None and not made.choices:
        raise spec.error(f"inputs.{name}", "its type: string, integer, number or boolean", None)
    return Mark(made, tuple(targets))


def _allowed(row: InputRow, value: Scalar) -> Scalar:
    """The workflow's value, or the nearest one that the row allows."""
    if row.choices:
        return value if value in row.choices else row.choices[0]
    if isinstance(value, bool | str):
        return value
    low, high = row.minimum, row.maximum
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def _type(key: str, value: Scalar) -> str:
    """The type of an input in the form."""
    if isinstance(value, bool | str):
        return "boolean" if isinstance(value, bool) else "string"
    is_whole = isinstance(value, int) and key.rpartition("_")[2] in _WHOLE
    return "integer" if is_whole else "number"
