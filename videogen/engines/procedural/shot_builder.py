"""Selects the layers of a shot: the main subject, the ground, the sky, and all other subjects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from videogen.engines.procedural.camera import Camera
from videogen.engines.procedural.language import LIVING, ShotSpec, Subject
from videogen.engines.procedural.layer import WATER_GROUNDS, Layer, World
from videogen.engines.procedural.layers.objects import shore
from videogen.engines.procedural.layers.sky import Sky, Stars
from videogen.engines.procedural.layers.title import Title
from videogen.engines.procedural.lighting import Lighting, build_lighting
from videogen.engines.procedural.subjects import SUBJECTS, SubjectDefinition
from videogen.engines.procedural.subjects.environments import hills, tree_line
from videogen.engines.procedural.subjects.placement import NEEDS_LAND
from videogen.engines.procedural.tone_mapping import Grade
from videogen.engines.procedural.viewport import Viewport

_RANK = {"whole": 0, "ground": 1, "far": 1, "sky": 2, "weather": 3, "thing": 4}


def _precedence(kind: str) -> tuple[int, bool]:
    """Sort key: the smallest is the main subject. Among things, those that do not need an environment of their own come
    first."""
    definition = SUBJECTS[kind]
    return _RANK[definition.role], definition.role == "thing" and SUBJECTS[definition.ground].role == "whole"


def main_subject(shot: ShotSpec) -> tuple[SubjectDefinition, str]:
    """The subject that decides hour, horizon and ground, with its kind. The first environment has priority, then sky,
    weather, things. A thing that lives in an environment selects that environment."""
    known = [subject.kind for subject in shot.subjects if subject.kind in SUBJECTS]
    kind: str = min(known, key=_precedence, default="abstract")
    definition = SUBJECTS[kind]
    swimming = {"fish", "whale"} & set(known)
    if (
        swimming
        and kind in WATER_GROUNDS
        and not any(SUBJECTS[other].role == "thing" for other in set(known) - swimming)
    ):
        # Swimming animals are shown under water, unless another thing shows the water from above.
        return SUBJECTS["underwater"], "underwater"
    if definition.role != "whole" and SUBJECTS[definition.ground].role == "whole":
        return SUBJECTS[definition.ground], definition.ground
    return definition, kind


def build_world(shot: ShotSpec, size: tuple[int, int], camera: Camera, seed: tuple[int, ...]) -> World:
    """The world of a shot: viewport, lighting and seed."""
    rng = np.random.default_rng(seed)
    definition, _ = main_subject(shot)
    width, height = size
    low, high = definition.horizon
    horizon = int(height * rng.uniform(low, high)) // 2 * 2
    viewport = Viewport(width, height, horizon if definition.role != "whole" else height)
    side = viewport.half_width * 0.62 * _sun_position(shot, float(rng.uniform(-1, 1)))
    lighting = build_lighting(shot, _default_hour(shot, definition), (side, float(rng.random())))
    if lighting.name == "night" and not _has_moon(shot, lighting):
        lighting = replace(lighting, hour=replace(lighting.hour, halo=0.0, glitter=0.0))
    return World(shot, viewport, lighting, camera, seed, _ground(shot)[0] if definition.role != "whole" else "")


def _default_hour(shot: ShotSpec, definition: SubjectDefinition) -> str:
    """The hour if the shot has none: night, if any subject needs it."""
    kinds = {subject.kind for subject in shot.subjects}
    if kinds & {"aurora", "moon", "stars", "lanterns", "lightning", "fire"} and "sun" not in kinds:
        return "night"
    if "sun" in kinds and definition.hour == "night":
        return "sunset"
    if (shot.find("rain") or shot.find("snow")) and definition.hour != "night":
        return "noon"
    return definition.hour


def _has_moon(shot: ShotSpec, lighting: Lighting) -> bool:
    """Whether the moon is in the night sky, requested or not."""
    if shot.find("moon"):
        return True
    rivals = ("aurora", "planet", "lanterns", "fire", "lightning", "city", "stars", "space", "sun")
    return "moon" not in shot.without and lighting.overcast < 0.5 and not any(shot.find(kind) for kind in rivals)  # type: ignore[arg-type]


def _sun_position(shot: ShotSpec, random_position: float) -> float:
    """Position of sun or moon across the sky, -1..1."""
    for subject in shot.subjects:
        if subject.kind in ("sun", "moon"):
            relations = {relation.place for relation in subject.relations}
            if relations & {"left of", "right of"}:
                return -0.8 if "left of" in relations else 0.8
            if relations & {"over", "behind"}:
                return random_position * 0.3
    return random_position


def build_layers(world: World) -> tuple[list[Layer], Grade]:
    """All layers of a shot, in any order, and its grade."""
    shot, (main, kind) = world.shot, main_subject(world.shot)
    layers = (
        list(_sky_and_ground_layers(world)) if main.role != "whole" else list(_environment_layers(world, main, kind))
    )
    for subject in shot.subjects:
        definition = SUBJECTS.get(subject.kind)
        if definition is None or (definition.role == "ground" and subject is not _ground(shot)[1]):
            continue
        if main.role == "whole" and definition.role in ("ground", "far", "weather") and definition is not main:
            continue
        layers += definition.build(world, subject)
    if shot.title:
        layers.append(Title(world, shot.title, (1.0, 0.98, 0.94)))
    exposure = main.grade.exposure * world.lighting.hour.exposure
    return layers, replace(main.grade, exposure=exposure if main.role != "whole" else main.grade.exposure)


def _environment_layers(world: World, definition: SubjectDefinition, kind: str) -> Iterator[Layer]:
    """Default contents of an environment that fills the picture."""
    shot = world.shot
    if not shot.find(kind):  # type: ignore[arg-type]
        yield from definition.build(world, Subject(kind))  # type: ignore[arg-type]
    if kind == "underwater" and not LIVING & {*shot.without, *(subject.kind for subject in shot.subjects)}:
        yield from SUBJECTS["fish"].build(world, Subject("fish", 0))


def _sky_and_ground_layers(world: World) -> Iterator[Layer]:
    """Sky and ground, unless a subject adds them."""
    shot, lighting = world.shot, world.lighting
    requested = shot.find("clouds")
    clouds = requested.amount if requested else 0.0 if lighting.is_night else 0.35
    clouds = max(clouds, 0.9 * lighting.overcast)
    yield Sky(world, 0.0 if "clouds" in shot.without else clouds)
    strength = 1.0 if shot.find("stars") else lighting.hour.stars
    if strength > 0.02 and "stars" not in shot.without:
        yield Stars(world, strength, world.viewport.horizon)
    if lighting.name == "night" and not shot.find("moon") and _has_moon(shot, lighting):
        yield from SUBJECTS["moon"].build(world, Subject("moon"))
    kind, subject = _ground(shot)
    if subject is None:
        yield from SUBJECTS[kind].build(world, Subject("ocean"))
    yield from _horizon_layers(world, kind)
    if kind in WATER_GROUNDS and any(other.kind in NEEDS_LAND for other in shot.subjects):
        yield shore(world, (0.46, 0.36, 0.24) if kind == "ocean" else (0.14, 0.17, 0.06), 0.12)


def _horizon_layers(world: World, ground: str) -> Iterator[Layer]:
    """Layers at the horizon if no subject is there: hills behind a meadow, trees behind a lake."""
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
    """The kind below the horizon, and the subject that requested it, if any."""
    for subject in shot.subjects:
        if subject.kind in SUBJECTS and SUBJECTS[subject.kind].role == "ground":
            return subject.kind, subject
    definition, _ = main_subject(shot)
    if definition.role in ("sky", "weather"):
        # For the ground, a thing that stands or walks has priority over the sky.
        things = [SUBJECTS[subject.kind] for subject in shot.subjects if subject.kind in SUBJECTS]
        definition = next((thing for thing in things if thing.role == "thing"), definition)
    winter = shot.season == "winter" and definition.ground in ("meadow", "lake")
    return "snowfield" if winter else definition.ground, None
