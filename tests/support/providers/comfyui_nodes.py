"""The nodes that the stand-in of ComfyUI has: how a workflow is checked, and the files that its output nodes save.

Shapes of errors and outputs are those of ComfyUI 0.38.1 (`execution.validate_prompt`, `comfy_extras/nodes_video.py`)
and of VideoHelperSuite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from tempfile import NamedTemporaryFile
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from PIL import Image

Prompt = dict[str, dict[str, Any]]
FILE, TEXT, INT, FLOAT, LINK, ANY = "FILE", "STRING", "INT", "FLOAT", "LINK", "ANY"
_SIZE = {"width": INT, "height": INT, "length": INT, "batch_size": INT}
_FRAMES = {"positive": LINK, "negative": LINK, "vae": LINK, **_SIZE}
NODES: dict[str, dict[str, str]] = {
    "UNETLoader": {"unet_name": FILE, "weight_dtype": TEXT},
    "CLIPLoader": {"clip_name": FILE, "type": TEXT},
    "VAELoader": {"vae_name": FILE},
    "CheckpointLoaderSimple": {"ckpt_name": FILE},
    "CLIPTextEncode": {"text": TEXT, "clip": LINK},
    "ModelSamplingSD3": {"model": LINK, "shift": FLOAT},
    "EmptyHunyuanLatentVideo": _SIZE,
    "EmptyLatentImage": {"width": INT, "height": INT, "batch_size": INT},
    "WanImageToVideo": _FRAMES,
    "WanFirstLastFrameToVideo": _FRAMES,
    "LoadImage": {"image": TEXT},
    "KSampler": {
        "model": LINK, "seed": INT, "steps": INT, "cfg": FLOAT, "sampler_name": TEXT, "scheduler": TEXT,
        "positive": LINK, "negative": LINK, "latent_image": LINK, "denoise": FLOAT,
    },
    "VAEDecode": {"samples": LINK, "vae": LINK},
    "CreateVideo": {"images": LINK, "fps": FLOAT},
    "PrimitiveInt": {"value": INT},
    "PrimitiveString": {"value": TEXT},
    "SaveVideo": {"video": LINK, "filename_prefix": TEXT, "format": TEXT},
    "SaveWEBM": {"images": LINK, "filename_prefix": TEXT, "codec": TEXT, "fps": FLOAT, "crf": FLOAT},
    "SaveAnimatedWEBP": {"images": LINK, "filename_prefix": TEXT, "fps": FLOAT, "lossless": ANY, "method": TEXT},
    "SaveImage": {"images": LINK, "filename_prefix": TEXT},
    "PreviewImage": {"images": LINK},
    "VHS_VideoCombine": {
        "images": LINK, "frame_rate": FLOAT, "loop_count": INT, "filename_prefix": TEXT, "format": TEXT,
        "pingpong": ANY, "save_output": ANY,
    },
}  # fmt: skip
"""The inputs that each needs."""
OUTPUT_NODES = frozenset(name for name in NODES if name.startswith(("Save", "Preview", "VHS_")))


def check(prompt: Prompt, files: set[str], missing: set[str]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The error of a workflow that cannot run, or None, and what is wrong with each node.

    Args:
        prompt: the workflow in the API format.
        files: the model files that are there, and the pictures that were uploaded.
        missing: node types that are not installed.
    """
    for node_id, node in prompt.items():
        kind, title = node.get("class_type"), node.get("_meta", {}).get("title")
        if kind not in NODES or kind in missing:
            text = f"Node '{title or kind}' not found. The custom node may not be installed."
            info = {"node_id": node_id, "class_type": kind, "node_title": title}
            return _error("missing_node_type", text, f"Node ID '#{node_id}'", info), {}
    outputs = [node_id for node_id, node in prompt.items() if node["class_type"] in OUTPUT_NODES]
    if not outputs:
        return _error("prompt_no_outputs", "Prompt has no outputs", ""), {}
    errors = {
        node_id: {"errors": found, "dependent_outputs": outputs, "class_type": node["class_type"]}
        for node_id, node in prompt.items()
        if (found := list(_node_errors(node, files)))
    }
    if not errors:
        return None, {}
    lines = "\n".join(f"{one['message']}: {one['details']}" for node in errors.values() for one in node["errors"])
    return _error("prompt_outputs_failed_validation", "Prompt outputs failed validation", lines), errors


def _error(kind: str, message: str, details: str, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": dict(info or {})}


def _node_errors(node: dict[str, Any], files: set[str]) -> Iterator[dict[str, Any]]:
    inputs = node["inputs"]
    for name, kind in NODES[node["class_type"]].items():
        info = {"input_name": name}
        if name not in inputs:
            yield _error("required_input_missing", "Required input is missing", name, info)
            continue
        value = inputs[name]
        if isinstance(value, list) or kind in (LINK, ANY):
            continue
        if kind == FILE and value not in files:
            details = f"{name}: {value!r} not in {sorted(files)}"
            yield _error("value_not_in_list", "Value not in list", details, info | {"received_value": value})
        if kind == INT:
            try:
                inputs[name] = int(value)
            except (TypeError, ValueError) as problem:
                details = f"{name}, {value}, {problem}"
                yield _error("invalid_input_type", f"Failed to convert an input value to a {kind} value", details, info)
    if node["class_type"] == "LoadImage" and inputs.get("image") not in files:
        details = f"image - Invalid image file: {inputs.get('image')}"
        yield _error("custom_validation_failed", "Custom validation failed for node", details, {"input_name": "image"})


def links(node: dict[str, Any]) -> Iterator[str]:
    """The ids of the nodes whose outputs a node takes."""
    for value in node["inputs"].values():
        if isinstance(value, list):
            yield str(value[0])


def order(prompt: Prompt) -> list[str]:
    """The nodes in the order in which they run: what a node needs first, then the node."""
    done: list[str] = []

    def add(node_id: str) -> None:
        if node_id not in done:
            for needed in links(prompt[node_id]):
                add(needed)
            done.append(node_id)

    for node_id, node in prompt.items():
        if node["class_type"] in OUTPUT_NODES:
            add(node_id)
    return done


def value_of(prompt: Prompt, node: dict[str, Any], name: str) -> Any:
    """The value of an input, also if it comes from a node that only holds a value."""
    value = node["inputs"].get(name)
    return prompt[str(value[0])]["inputs"].get("value") if isinstance(value, list) else value


@dataclass(frozen=True)
class Saved:
    """What an output node made: its entry in the outputs, and the files by (type, subfolder, name)."""

    outputs: dict[str, Any]
    files: dict[tuple[str, str, str], bytes]


def save(prompt: Prompt, node_id: str, number: int, pictures: Mapping[str, bytes]) -> Saved:
    """Run an output node: the files that it saves are named with `number`."""
    node = prompt[node_id]
    kind, inputs = node["class_type"], node["inputs"]
    frames = list(_frames(prompt, node_id, pictures))
    prefix = str(inputs.get("filename_prefix", "ComfyUI"))
    subfolder, _, name = prefix.rpartition("/")
    fps = next((float(value) for key in ("fps", "frame_rate") if (value := _upstream(prompt, node_id, key))), 24.0)
    if kind in ("SaveImage", "PreviewImage"):
        place = "output" if kind == "SaveImage" else "temp"
        entries = [
            {"filename": f"{name}_{number + index:05}_.png", "subfolder": subfolder, "type": place}
            for index in range(len(frames))
        ]
        names = [str(entry["filename"]) for entry in entries]
        files = {(place, subfolder, name): _png(frame) for name, frame in zip(names, frames, strict=True)}
        return Saved({"images": entries}, files)
    if kind == "VHS_VideoCombine":
        suffix = "gif" if inputs["format"] == "image/gif" else "mp4"
        entry = {
            "filename": f"{name}_{number:05}.{suffix}", "subfolder": subfolder, "type": "output",
            "format": inputs["format"], "frame_rate": fps, "workflow": f"{name}_{number:05}.png",
            "fullpath": f"/comfy/output/{prefix}_{number:05}.{suffix}",
        }  # fmt: skip
        data = _gif(frames, fps) if suffix == "gif" else video(frames, fps)
        return Saved({"gifs": [entry]}, {("output", subfolder, entry["filename"]): data})
    suffix = {"SaveVideo": "mp4", "SaveWEBM": "webm", "SaveAnimatedWEBP": "webp"}[kind]
    data = _webp(frames, fps) if suffix == "webp" else video(frames, fps, suffix)
    file = f"{name}_{number:05}_.{suffix}"
    saved = {"images": [{"filename": file, "subfolder": subfolder, "type": "output"}], "animated": [True]}
    return Saved(saved, {("output", subfolder, file): data})


def _upstream(prompt: Prompt, node_id: str, name: str) -> Any:
    """The value of the nearest input of that name, from this node towards the first ones."""
    waiting = [node_id]
    while waiting:
        node = prompt[waiting.pop(0)]
        if name in node["inputs"]:
            return value_of(prompt, node, name)
        waiting += links(node)
    return None


def _frames(prompt: Prompt, node_id: str, pictures: Mapping[str, bytes]) -> Iterator[np.ndarray[Any, Any]]:
    """Bars that move; their colours come from seed and prompt. The first frame is the picture that was uploaded."""
    width, height = (int(_upstream(prompt, node_id, name)) for name in ("width", "height"))
    count = int(_upstream(prompt, node_id, "length") or 1)
    seed = int(_upstream(prompt, node_id, "seed") or 0) + sum(str(_upstream(prompt, node_id, "text")).encode())
    tint = np.random.default_rng(seed).integers(0, 255, 3)
    loaded = [str(node["inputs"]["image"]) for node in prompt.values() if node["class_type"] == "LoadImage"]
    for index in range(count):
        if index == 0 and loaded:
            with Image.open(BytesIO(pictures[loaded[0]])) as image:
                yield np.asarray(image.convert("RGB").resize((width, height)))
            continue
        columns = (np.arange(width) * 4 + 8 * index) % 256
        yield np.broadcast_to((columns[None, :, None] + tint) % 256, (height, width, 3)).astype(np.uint8)


def video(frames: list[np.ndarray[Any, Any]], fps: float, suffix: str = "mp4") -> bytes:
    """The frames as a video."""
    with NamedTemporaryFile(suffix=f".{suffix}") as written:
        _write(written.name, frames, fps, suffix)
        return written.read()


def _write(path: str, frames: list[np.ndarray[Any, Any]], fps: float, suffix: str) -> None:
    with av.open(path, "w", options={"movflags": "+faststart"} if suffix == "mp4" else {}) as file:
        codec, options = ("libx264", {"threads": "1"}) if suffix == "mp4" else ("libvpx-vp9", {"cpu-used": "8"})
        stream = file.add_stream(codec, rate=Fraction(round(fps * 1000), 1000), options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            file.mux(stream.encode(VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        file.mux(stream.encode(None))


def _png(frame: np.ndarray[Any, Any]) -> bytes:
    data = BytesIO()
    Image.fromarray(frame).save(data, "PNG")
    return data.getvalue()


def preview(step: int) -> bytes:
    """A small JPEG, another one for each step."""
    data = BytesIO()
    Image.new("RGB", (64, 36), ((40 * step) % 256, 90, 160)).save(data, "JPEG", quality=95)
    return data.getvalue()


def _animated(frames: list[np.ndarray[Any, Any]], fps: float, kind: str, **options: Any) -> bytes:
    data = BytesIO()
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(data, kind, save_all=True, append_images=rest, duration=round(1000 / fps), loop=0, **options)
    return data.getvalue()


def _gif(frames: list[np.ndarray[Any, Any]], fps: float) -> bytes:
    return _animated(frames, fps, "GIF")


def _webp(frames: list[np.ndarray[Any, Any]], fps: float) -> bytes:
    return _animated(frames, fps, "WEBP", method=0)
