"""From a shot's words to its layers: which place rules, what it stands on, what else is in the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from videogen.engines.procedural.camera import Camera
from videogen.engines.procedural.language import LIVING, ShotSpec, Subject
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.layers.objects import shore
from videogen.engines.procedural.layers.sky import Sky, Stars
from videogen.engines.procedural.layers.title import Title
from videogen.engines.procedural.lighting import Lighting, build_lighting
from videogen.engines.procedural.subjects import SUBJECTS, SubjectDefinition
from videogen.engines.procedural.subjects.environments import hills, tree_line
from videogen.engines.procedural.subjects.placement import NEEDS_LAND, WATER_GROUNDS
from videogen.engines.procedural.tone_mapping import Grade
from videogen.engines.procedural.viewport import Viewport

_RANK = {"whole": 0, "ground": 1, "far": 1, "sky": 2, "weather": 3, "thing": 4}


def _precedence(kind: str) -> tuple[int, bool]:
    """Of two things, the one rules that does not need a picture of its own kind."""
    definition = SUBJECTS[kind]
    return _RANK[definition.role], definition.role == "thing" and SUBJECTS[definition.ground].role == "whole"


def main_subject(shot: ShotSpec) -> tuple[SubjectDefinition, str]:
    """The kind that settles hour, horizon and ground: the first place named, else sky, weather, thing, or, where a
    thing lives in one that fills the picture, that one."""
    known = [subject.kind for subject in shot.subjects if subject.kind in SUBJECTS]
    kind: str = min(known, key=_precedence, default="abstract")
    definition = SUBJECTS[kind]
    swimming = {"fish", "whale"} & set(known)
    if (
        swimming
        and kind in WATER_GROUNDS
        and not any(SUBJECTS[other].role == "thing" for other in set(known) - swimming)
    ):
        # What swims is seen where it swims, unless something else shows the water from above.
        return SUBJECTS["underwater"], "underwater"
    if definition.role != "whole" and SUBJECTS[definition.ground].role == "whole":
        return SUBJECTS[definition.ground], definition.ground
    return definition, kind


def build_world(shot: ShotSpec, size: tuple[int, int], camera: Camera, seed: tuple[int, ...]) -> World:
    """The world of a shot: its frame, its air, its chances."""
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
    """The hour where none was asked for: night, if anything in the picture needs it."""
    kinds = {subject.kind for subject in shot.subjects}
    if kinds & {"aurora", "moon", "stars", "lanterns", "lightning", "fire"} and "sun" not in kinds:
        return "night"
    if "sun" in kinds and definition.hour == "night":
        return "sunset"
    if (shot.find("rain") or shot.find("snow")) and definition.hour != "night":
        return "noon"
    return definition.hour


def _has_moon(shot: ShotSpec, lighting: Lighting) -> bool:
    """Whether a moon stands in the night sky, asked for or not."""
    if shot.find("moon"):
        return True
    rivals = ("aurora", "planet", "lanterns", "fire", "lightning", "city", "stars", "space", "sun")
    return "moon" not in shot.without and lighting.overcast < 0.5 and not any(shot.find(kind) for kind in rivals)  # type: ignore[arg-type]


def _sun_position(shot: ShotSpec, drawn: float) -> float:
    """Where across the sun or moon stands, -1..1."""
    for subject in shot.subjects:
        if subject.kind in ("sun", "moon"):
            places = {relation.place for relation in subject.relations}
            if places & {"left of", "right of"}:
                return -0.8 if "left of" in places else 0.8
            if places & {"over", "behind"}:
                return drawn * 0.3
    return drawn


def build_layers(world: World) -> tuple[list[Layer], Grade]:
    """All layers of a shot, in any order, and how it is developed."""
    shot, (definition, kind) = world.shot, main_subject(world.shot)
    layers = (
        list(_sky_and_ground_layers(world))
        if definition.role != "whole"
        else list(_environment_layers(world, definition, kind))
    )
    for subject in shot.subjects:
        found = SUBJECTS.get(subject.kind)
        if found is None or (found.role == "ground" and subject is not _ground(shot)[1]):
            continue
        if definition.role == "whole" and found.role in ("ground", "far", "weather") and found is not definition:
            continue
        layers += found.build(world, subject)
    if shot.title:
        layers.append(Title(world, shot.title, (1.0, 0.98, 0.94)))
    exposure = definition.grade.exposure * world.lighting.hour.exposure
    return layers, replace(
        definition.grade, exposure=exposure if definition.role != "whole" else definition.grade.exposure
    )


def _environment_layers(world: World, definition: SubjectDefinition, kind: str) -> Iterator[Layer]:
    """What a place that fills the picture has in it without being asked."""
    shot = world.shot
    if not shot.find(kind):  # type: ignore[arg-type]
        yield from definition.build(world, Subject(kind))  # type: ignore[arg-type]
    if kind == "underwater" and not LIVING & {*shot.without, *(subject.kind for subject in shot.subjects)}:
        yield from SUBJECTS["fish"].build(world, Subject("fish", 0))


def _sky_and_ground_layers(world: World) -> Iterator[Layer]:
    """Sky and ground, as far as no subject brings them."""
    shot, lighting = world.shot, world.lighting
    asked = shot.find("clouds")
    clouds = asked.amount if asked else 0.0 if lighting.is_night else 0.35
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
    definition, _ = main_subject(shot)
    if definition.role in ("sky", "weather"):
        # What stands or walks there knows better than the sky what it stands on.
        things = [SUBJECTS[subject.kind] for subject in shot.subjects if subject.kind in SUBJECTS]
        definition = next((thing for thing in things if thing.role == "thing"), definition)
    winter = shot.season == "winter" and definition.ground in ("meadow", "lake")
    return "snowfield" if winter else definition.ground, None
