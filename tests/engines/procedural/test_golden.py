"""Golden frames. Another type of processor may round differently; then a coarse version must match, within 2 of 255.

`VIDEOGEN_REMAKE_GOLDEN=1 pytest tests/engines/procedural/test_golden.py` replaces them after an intended change."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from videogen.engines.procedural.language import parse_prompt
from videogen.engines.procedural.scene import build_scene

GOLDEN = Path(__file__).with_name("golden.json")
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
    """Means of blocks of 10x10 pixels, which rounding does not change."""
    blocks = picture.astype(float).reshape(SIZE[1] // 10, 10, SIZE[0] // 10, 10, 3)
    return np.round(blocks.mean(axis=(1, 3)), 1)


@pytest.fixture(scope="module")
def golden():
    if os.environ.get("VIDEOGEN_REMAKE_GOLDEN"):
        golden = {}
        for prompt in PROMPTS:
            frame = picture(prompt)
            golden[prompt] = {"sha256": hashlib.sha256(frame.tobytes()).hexdigest(), "coarse": coarse(frame).tolist()}
        GOLDEN.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    return json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_frame_matches_its_golden_value(prompt, golden):
    frame = picture(prompt)
    if hashlib.sha256(frame.tobytes()).hexdigest() != golden[prompt]["sha256"]:
        np.testing.assert_allclose(coarse(frame), golden[prompt]["coarse"], atol=2)
