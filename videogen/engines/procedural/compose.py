"""From a shot's words to its layers: which place rules, what it stands on, what else is in the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from videogen.engines.procedural.air import build_air
from videogen.engines.procedural.camera import Camera
from videogen.engines.procedural.frame import Frame
from videogen.engines.procedural.language import ShotSpec, Subject
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.layers.sky import Sky, Stars
from videogen.engines.procedural.light import Grade
from videogen.engines.procedural.subjects import SUBJECTS, Entry

_RANK = {"whole": 0, "ground": 1, "far": 1, "sky": 2, "weather": 3, "thing": 4}


def ruling(shot: ShotSpec) -> Entry:
    """The subject that settles hour, horizon and ground: the first place named, else sky, weather, thing."""
    known = [SUBJECTS[subject.kind] for subject in shot.subjects if subject.kind in SUBJECTS]
    return min(known, key=lambda entry: _RANK[entry.role], default=SUBJECTS["abstract"])


def build_world(shot: ShotSpec, size: tuple[int, int], camera: Camera, seed: tuple[int, ...]) -> World:
    """The world of a shot: its frame, its air, its chances."""
    rng = np.random.default_rng(seed)
    entry = ruling(shot)
    width, height = size
    low, high = entry.horizon
    horizon = int(height * rng.uniform(low, high)) // 2 * 2
    frame = Frame(width, height, horizon if entry.role != "whole" else height)
    side = frame.half_width * 0.62 * _side(shot, float(rng.uniform(-1, 1)))
    air = build_air(shot, _hour(shot, entry), (side, float(rng.random())))
    return World(shot, frame, air, camera, seed)


def _hour(shot: ShotSpec, entry: Entry) -> str:
    """The hour where none was asked for: night, if anything in the picture needs it."""
    kinds = {subject.kind for subject in shot.subjects}
    if kinds & {"aurora", "moon", "stars", "lanterns", "lightning", "fire"} and "sun" not in kinds:
        return "night"
    if "sun" in kinds and entry.hour == "night":
        return "sunset"
    return entry.hour


def _side(shot: ShotSpec, drawn: float) -> float:
    """Where across the sun or moon stands, -1..1."""
    for subject in shot.subjects:
        if subject.kind in ("sun", "moon"):
            places = {relation.place for relation in subject.relations}
            if places & {"left of", "right of"}:
                return -0.8 if "left of" in places else 0.8
            if places & {"over", "behind"}:
                return drawn * 0.3
    return drawn


def compose(world: World) -> tuple[list[Layer], Grade]:
    """All layers of a shot, in any order, and how it is developed."""
    shot, entry = world.shot, ruling(world.shot)
    layers = list(_surroundings(world)) if entry.role != "whole" else []
    for subject in shot.subjects:
        found = SUBJECTS.get(subject.kind)
        if found is None or (found.role == "ground" and found is not _ground(shot)[0]):
            continue
        if entry.role == "whole" and found.role in ("ground", "far", "sky"):
            continue
        layers += found.build(world, subject)
    exposure = entry.grade.exposure * world.air.hour.exposure
    return layers, replace(entry.grade, exposure=exposure if entry.role != "whole" else entry.grade.exposure)


def _surroundings(world: World) -> Iterator[Layer]:
    """Sky and ground, as far as no subject brings them."""
    shot, air = world.shot, world.air
    asked = shot.find("clouds")
    clouds = asked.amount if asked else 0.0 if air.is_night else 0.35
    clouds = max(clouds, 0.9 * air.overcast)
    yield Sky(world, 0.0 if "clouds" in shot.without else clouds)
    strength = 1.0 if shot.find("stars") else air.hour.stars
    if strength > 0.02 and "stars" not in shot.without:
        yield Stars(world, strength, world.frame.horizon)
    entry, subject = _ground(shot)
    if subject is None:
        yield from entry.build(world, Subject("ocean"))


def _ground(shot: ShotSpec) -> tuple[Entry, Subject | None]:
    """What lies under the horizon, and the subject that asked for it, if one did."""
    for subject in shot.subjects:
        if subject.kind in SUBJECTS and SUBJECTS[subject.kind].role == "ground":
            return SUBJECTS[subject.kind], subject
    ground = ruling(shot).ground
    if shot.season == "winter" and ground in ("meadow", "lake"):
        ground = "snowfield"
    return SUBJECTS[ground], None
