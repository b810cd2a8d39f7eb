"""From a shot's words to its layers: which place rules, what it stands on, what else is in the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from videogen.engines.procedural.air import Air, build_air
from videogen.engines.procedural.camera import Camera
from videogen.engines.procedural.frame import Frame
from videogen.engines.procedural.language import LIVING, ShotSpec, Subject
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.layers.objects import shore
from videogen.engines.procedural.layers.sky import Sky, Stars
from videogen.engines.procedural.layers.title import Title
from videogen.engines.procedural.light import Grade
from videogen.engines.procedural.subjects import SUBJECTS, Entry
from videogen.engines.procedural.subjects.life import WALKERS
from videogen.engines.procedural.subjects.places import hills, tree_line

_RANK = {"whole": 0, "ground": 1, "far": 1, "sky": 2, "weather": 3, "thing": 4}


def ruling(shot: ShotSpec) -> tuple[Entry, str]:
    """The kind that settles hour, horizon and ground: the first place named, else sky, weather, thing, or, where a
    thing lives in one that fills the picture, that one."""
    known = [subject.kind for subject in shot.subjects if subject.kind in SUBJECTS]
    kind: str = min(known, key=lambda kind: _RANK[SUBJECTS[kind].role], default="abstract")
    entry = SUBJECTS[kind]
    if entry.role != "whole" and SUBJECTS[entry.ground].role == "whole":
        return SUBJECTS[entry.ground], entry.ground
    return entry, kind


def build_world(shot: ShotSpec, size: tuple[int, int], camera: Camera, seed: tuple[int, ...]) -> World:
    """The world of a shot: its frame, its air, its chances."""
    rng = np.random.default_rng(seed)
    entry, _ = ruling(shot)
    width, height = size
    low, high = entry.horizon
    horizon = int(height * rng.uniform(low, high)) // 2 * 2
    frame = Frame(width, height, horizon if entry.role != "whole" else height)
    side = frame.half_width * 0.62 * _side(shot, float(rng.uniform(-1, 1)))
    air = build_air(shot, _hour(shot, entry), (side, float(rng.random())))
    if air.name == "night" and not _moonlit(shot, air):
        air = replace(air, hour=replace(air.hour, halo=0.0, glitter=0.0))
    return World(shot, frame, air, camera, seed, _ground(shot)[0] if entry.role != "whole" else "")


def _hour(shot: ShotSpec, entry: Entry) -> str:
    """The hour where none was asked for: night, if anything in the picture needs it."""
    kinds = {subject.kind for subject in shot.subjects}
    if kinds & {"aurora", "moon", "stars", "lanterns", "lightning", "fire"} and "sun" not in kinds:
        return "night"
    if "sun" in kinds and entry.hour == "night":
        return "sunset"
    if (shot.find("rain") or shot.find("snow")) and entry.hour != "night":
        return "noon"
    return entry.hour


def _moonlit(shot: ShotSpec, air: Air) -> bool:
    """Whether a moon stands in the night sky, asked for or not."""
    if shot.find("moon"):
        return True
    rivals = ("aurora", "planet", "lanterns", "fire", "lightning", "city", "stars", "space", "sun")
    return "moon" not in shot.without and air.overcast < 0.5 and not any(shot.find(kind) for kind in rivals)  # type: ignore[arg-type]


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
    shot, (entry, kind) = world.shot, ruling(world.shot)
    layers = list(_surroundings(world)) if entry.role != "whole" else list(_within(world, entry, kind))
    for subject in shot.subjects:
        found = SUBJECTS.get(subject.kind)
        if found is None or (found.role == "ground" and subject is not _ground(shot)[1]):
            continue
        if entry.role == "whole" and found.role in ("ground", "far", "weather") and found is not entry:
            continue
        layers += found.build(world, subject)
    if shot.title:
        layers.append(Title(world, shot.title, (1.0, 0.98, 0.94)))
    exposure = entry.grade.exposure * world.air.hour.exposure
    return layers, replace(entry.grade, exposure=exposure if entry.role != "whole" else entry.grade.exposure)


def _within(world: World, entry: Entry, kind: str) -> Iterator[Layer]:
    """What a place that fills the picture has in it without being asked."""
    shot = world.shot
    if not shot.find(kind):  # type: ignore[arg-type]
        yield from entry.build(world, Subject(kind))  # type: ignore[arg-type]
    if kind == "underwater" and not LIVING & {*shot.without, *(subject.kind for subject in shot.subjects)}:
        yield from SUBJECTS["fish"].build(world, Subject("fish", 0))


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
    if air.name == "night" and not shot.find("moon") and _moonlit(shot, air):
        yield from SUBJECTS["moon"].build(world, Subject("moon"))
    kind, subject = _ground(shot)
    if subject is None:
        yield from SUBJECTS[kind].build(world, Subject("ocean"))
    yield from _distance(world, kind)
    walking = any(other.kind in WALKERS for other in shot.subjects)
    if walking and kind in ("ocean", "lake", "pool", "river"):
        yield shore(world, (0.46, 0.36, 0.24) if kind == "ocean" else (0.14, 0.17, 0.06), 0.12)


def _distance(world: World, ground: str) -> Iterator[Layer]:
    """What closes the view where nothing else stands on the horizon: hills behind meadows, a wood behind a lake."""
    shot = world.shot
    kinds = {subject.kind for subject in shot.subjects}
    if any(SUBJECTS[kind].role == "far" for kind in kinds & SUBJECTS.keys()) or kinds & {"flowers", "river"}:
        return
    if ground == "meadow":
        yield from hills(world)
    elif ground in ("lake", "snowfield"):
        if "mountains" not in shot.without:
            yield from SUBJECTS["mountains"].build(world, Subject("mountains", size="small"))
        if "tree" not in shot.without:
            yield from tree_line(world)


def _ground(shot: ShotSpec) -> tuple[str, Subject | None]:
    """The kind that lies under the horizon, and the subject that asked for it, if one did."""
    for subject in shot.subjects:
        if subject.kind in SUBJECTS and SUBJECTS[subject.kind].role == "ground":
            return subject.kind, subject
    entry, _ = ruling(shot)
    if entry.role in ("sky", "weather"):
        # What stands or walks there knows better than the sky what it stands on.
        things = [SUBJECTS[subject.kind] for subject in shot.subjects if subject.kind in SUBJECTS]
        entry = next((thing for thing in things if thing.role == "thing"), entry)
    winter = shot.season == "winter" and entry.ground in ("meadow", "lake")
    return "snowfield" if winter else entry.ground, None
