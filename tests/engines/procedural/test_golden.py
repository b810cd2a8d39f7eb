"""Pictures pinned by hash. A processor of another class may round another way; then a coarse copy must still agree.

`VIDEOGEN_REMAKE_GOLDEN=1 pytest tests/engines/procedural/test_golden.py` pins them anew, after a wanted change."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from videogen.engines.procedural.language import parse_prompt
from videogen.engines.procedural.scene import build_scene

PINNED = Path(__file__).with_name("golden.json")
SIZE = (160, 90)
PROMPTS = (
    "ocean at sunset with mountains",
    "city in the rain",
    "aurora over a lake",
    "underwater",
    "field of flowers, watercolour",
    "a deer in a winter forest",
    "lightning over the desert",
    "ocean; then space",
)


def picture(prompt):
    return build_scene(parse_prompt(prompt), SIZE, 11, 2.0).frame(1.0)


def coarse(picture):
    """Means of 10x10 blocks: what rounding cannot move."""
    blocks = picture.astype(float).reshape(SIZE[1] // 10, 10, SIZE[0] // 10, 10, 3)
    return np.round(blocks.mean(axis=(1, 3)), 1)


@pytest.fixture(scope="module")
def pinned():
    if os.environ.get("VIDEOGEN_REMAKE_GOLDEN"):
        found = {}
        for prompt in PROMPTS:
            shown = picture(prompt)
            found[prompt] = {"sha256": hashlib.sha256(shown.tobytes()).hexdigest(), "coarse": coarse(shown).tolist()}
        PINNED.write_text(json.dumps(found, separators=(",", ":")) + "\n")
    return json.loads(PINNED.read_text())


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_picture_is_the_one_that_was_pinned(prompt, pinned):
    shown = picture(prompt)
    if hashlib.sha256(shown.tobytes()).hexdigest() != pinned[prompt]["sha256"]:
        np.testing.assert_allclose(coarse(shown), pinned[prompt]["coarse"], atol=2)
