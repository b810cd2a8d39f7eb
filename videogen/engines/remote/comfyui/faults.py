"""What went wrong at a ComfyUI server, in words that name the node, the file or the folder that people must look at."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Final

from videogen.engines.remote.comfyui.marks import title_of
from videogen.engines.remote.provider import Answer, RemoteFault

logger = logging.getLogger("videogen.render")
_MAX_ERRORS: Final = 3
_FILES: Final = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".onnx")
_OUT_OF_MEMORY: Final = ("OutOfMemoryError", "Allocation on device", "out of memory")
Nodes = Mapping[str, Mapping[str, Any]]


def error_of_answer(answer: Answer, nodes: Nodes) -> RemoteFault | None:
    """The fault in an answer to a workflow; None if it is not one that says what is wrong with the workflow."""
    body = answer.json
    if not isinstance(body, dict) or not isinstance(error := body.get("error"), dict):
        return None
    found = [*_node_errors(body.get("node_errors"), nodes)]
    if error.get("type") == "missing_node_type":
        info = error.get("extra_info") or {}
        node = name_of(str(info.get("node_id")), nodes, info.get("class_type"))
        text = f"{node} is of a type that is not installed there. Install the custom node that has it (in ComfyUI's "
        return RemoteFault("invalid", f"{text}manager: Install Missing Custom Nodes), and restart ComfyUI.")
    if error.get("type") == "prompt_no_outputs":
        return RemoteFault("invalid", "The workflow has no node that saves something, such as Save Video.")
    if found:
        rest = f" ({len(found) - _MAX_ERRORS} more)" if len(found) > _MAX_ERRORS else ""
        return RemoteFault("invalid", " ".join(found[:_MAX_ERRORS]) + rest)
    details = f"{error.get('message', '')}: {error.get('details', '')}".strip(": ")
    return RemoteFault("invalid", details) if details else None


def error_of_job(error: Mapping[str, Any] | None, nodes: Nodes) -> RemoteFault:
    """The fault of a job that ended with an exception. Its traceback goes to the log of the generation."""
    if not error:
        return RemoteFault("failed", "The workflow failed; ComfyUI's log has the reason.")
    node = name_of(str(error.get("node_id")), nodes, error.get("node_type"))
    kind, text = str(error.get("exception_type", "")), str(error.get("exception_message", "")).strip()
    logger.error("%s failed:\n%s%s: %s", node, "".join(map(str, error.get("traceback") or ())), kind, text)
    if any(word in kind or word in text for word in _OUT_OF_MEMORY):
        advice = "The GPU of ComfyUI has too little memory for it: choose a smaller size or fewer seconds."
        return RemoteFault("failed", f"{node} ran out of memory. {advice}")
    return RemoteFault("failed", f"{node} failed: {text.splitlines()[0] if text else kind or 'no reason was given'}")


def name_of(node_id: str, nodes: Nodes, kind: Any = None) -> str:
    """How a node is called in a message: its id, its title and its type."""
    node = nodes.get(node_id, {})
    kind = str(kind or node.get("class_type") or "unknown type")
    title = title_of(node)
    return f"Node {node_id} ({kind})" if title in ("", kind) else f'Node {node_id} "{title}" ({kind})'


def _node_errors(errors: Any, nodes: Nodes) -> Iterator[str]:
    """A sentence for each error of each node."""
    for node_id, found in errors.items() if isinstance(errors, dict) else ():
        node = name_of(str(node_id), nodes, found.get("class_type"))
        for error in found.get("errors") or ():
            yield f"{node}: {_sentence(error)}"


def _sentence(error: Mapping[str, Any]) -> str:
    info = error.get("extra_info") or {}
    name, value = info.get("input_name"), info.get("received_value")
    details = str(error.get("details") or "")
    if error.get("type") == "value_not_in_list":
        if isinstance(value, str) and value.lower().endswith(_FILES):
            folder = "into the folder for such models there, or name another file in the workflow"
            return f"the model file {value!r} ({name}) is missing. Put it {folder}."
        return f"{details}. Choose one of these."
    if error.get("type") == "required_input_missing":
        return f"the input {name!r} has no value and no connection. Mend the workflow in ComfyUI and export it again."
    if "Invalid image file" in details:
        file = details.rpartition(": ")[2]
        return f"the picture {file!r} is not there. Give an image to start from, or put this one into its input folder."
    return f"{str(error.get('message') or 'an error').rstrip('.')}: {details}."
