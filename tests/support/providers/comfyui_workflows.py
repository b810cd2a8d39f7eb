"""Workflows for the stand-in of ComfyUI. The first one is that of docs/engines/comfyui.md."""

import copy
import json
import re
from pathlib import Path

PAGE = Path(__file__).parents[3].joinpath("docs", "engines", "comfyui.md").read_text()
BLOCKS = re.findall(r"^```(json|toml|sh)\n(.*?)^```$", PAGE, re.M | re.S)
WAN = json.loads(next(code for kind, code in BLOCKS if kind == "json"))
"""Text to video: 128 x 64, 17 frames, 16 frames a second, 6 steps."""


def changed(**nodes):
    """The workflow with other nodes: `n4={"text": "a cat"}` changes inputs, `n10=None` removes the node, and what has a
    `class_type` takes its place."""
    made = copy.deepcopy(WAN)
    for name, change in nodes.items():
        node_id = name[1:]
        if change is None:
            del made[node_id]
        elif "class_type" in change:
            made[node_id] = copy.deepcopy(change)
        else:
            made[node_id]["inputs"].update(change)
    return made


def ends_in(kind, **inputs):
    """The workflow with another node at its end, which takes the frames."""
    last = {"class_type": kind, "inputs": {"images": ["8", 0], **inputs}}
    return changed(n9=None, n10=last)


FROM_FRAMES = changed(
    n6={
        "class_type": "WanFirstLastFrameToVideo",
        "_meta": {"title": "videogen: width, height, length"},
        "inputs": {
            "positive": ["4", 0], "negative": ["5", 0], "vae": ["3", 0], "width": 128, "height": 64, "length": 17,
            "batch_size": 1, "start_image": ["11", 0], "end_image": ["12", 0],
        },
    },
    n11={"class_type": "LoadImage", "inputs": {"image": "a.png"}, "_meta": {"title": "videogen: first_frame"}},
    n12={"class_type": "LoadImage", "inputs": {"image": "b.png"}, "_meta": {"title": "videogen: last_frame"}},
)  # fmt: skip
"""From a first and a last frame to a video."""


def write(folder, workflow=None):
    """Write a workflow as a file, and return its path."""
    path = folder / "workflow.json"
    path.write_text(json.dumps(WAN if workflow is None else workflow))
    return path
