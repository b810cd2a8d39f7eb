"""Environments: what fills the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import GROUND, STANDING, Layer, World
from videogen.engines.procedural.layers.city import Cars, TownGlow, glow_color, towers
from videogen.engines.procedural.layers.desert import dunes
from videogen.engines.procedural.layers.flow import AbstractFlow
from videogen.engines.procedural.layers.flowers import choose_flowers, flower_field
from videogen.engines.procedural.layers.fractal import JuliaSet
from videogen.engines.procedural.layers.ground import Ground, GroundMaterial
from videogen.engines.procedural.layers.lake import Lake
from videogen.engines.procedural.layers.light_beams import LightBeams, Mist, MistBank
from videogen.engines.procedural.layers.ridges import MountainRange, ridges
from videogen.engines.procedural.layers.river import River
from videogen.engines.procedural.layers.sea import Sea, WaterStyle
from videogen.engines.procedural.layers.street import Street
from videogen.engines.procedural.layers.trees import TreeRow, season_colors, tree_rows
from videogen.engines.procedural.layers.underwater import Motes, OpenWater, SeaBed
from videogen.engines.procedural.layers.waterfall import Waterfall, cliff
from videogen.engines.procedural.palette import TINTS, mix, scale, tint
from videogen.engines.procedural.subjects.definition import SubjectDefinition
from videogen.engines.procedural.tone_mapping import Grade


def ocean(world: World, subject: Subject) -> list[Layer]:
    """Waves, from calm to stormy."""
    hour, energy = world.lighting.hour, subject.amount
    water = WaterStyle(
        color=tint(hour.water, subject.colours, 0.7),
        sun_color=hour.sun,
        sun=world.lighting.sun,
        slope=0.045 + 0.17 * energy + 0.10 * max(0.0, energy - 0.6),
        glitter=hour.glitter,
        pace=0.8 + 0.4 * energy,
    )
    return [Sea(world, water)]


def lake(world: World, subject: Subject) -> list[Layer]:
    """Calm water."""
    color = tint(scale(mix(world.lighting.hour.water, world.lighting.hour.zenith, 0.25), 0.6), subject.colours, 0.7)
    return [Lake(world, 0.5 + subject.amount, color)]


def pool(world: World, subject: Subject) -> list[Layer]:
    """Water below a waterfall."""
    return [Lake(world, 2.2, world.lighting.lit((0.05, 0.13, 0.13), 0.3))]


def mountains(world: World, subject: Subject) -> list[Layer]:
    """A mountain range. `count` is the number of summits, if given."""
    rng = world.rng("mountains")
    size = {"tiny": 0.4, "small": 0.65, "large": 1.2, "huge": 1.4}.get(subject.size, 1.0)
    warm = world.lighting.season == "summer"
    look = MountainRange(
        layers=3,
        height=min(float(rng.uniform(0.44, 0.54)) * size, 0.9 * world.viewport.horizon / world.viewport.unit),
        rock=tint((0.15, 0.145, 0.155), subject.colours, 0.7),
        haze=0.42,
        relief=0.55,
        sharpness=float(rng.uniform(0.5, 0.75)),
        snow=0.85 if world.is_snowy else 0.25 if warm else 0.5,
        peaks=subject.count if 1 < subject.count < 10 else 0,
    )
    layers: list[Layer] = [*ridges(world, look, "mountains")]
    if (
        world.ground == "lake"
        and not subject.size
        and not world.shot.find("forest")
        and "tree" not in world.shot.without
    ):
        layers += tree_line(world)
    return layers


def city(world: World, subject: Subject) -> list[Layer]:
    """Towers, cars, and a glow at night. The street is the ground."""
    layers = [*towers(world, subject.colours, subject.amount), Cars(world)]
    if world.lighting.is_night:
        layers.append(TownGlow(world, glow_color(world, subject.colours)))
    return layers


def street(world: World, subject: Subject) -> list[Layer]:
    """Asphalt, wet after rain."""
    night = scale(mix((0.016, 0.018, 0.036), glow_color(world, subject.colours), 0.06), 0.55)
    color = night if world.lighting.is_night else world.lighting.lit((0.16, 0.16, 0.16))
    return [Street(world, color, min(1.0, (0.45 if world.lighting.is_night else 0.05) + world.lighting.wet))]


def meadow(world: World, subject: Subject) -> list[Layer]:
    """Grass, or snow in winter."""
    if world.is_snowy:
        return snowfield(world, subject)
    light = (0.34, 0.28, 0.09) if world.lighting.season == "autumn" else (0.20, 0.30, 0.07)
    return [Ground(world, GroundMaterial(scale(light, 0.45), light, 0.4, 1.0, 1.6))]


def hills(world: World) -> list[Layer]:
    """Low, round hills on the horizon."""
    green = (
        (0.60, 0.64, 0.72)
        if world.is_snowy
        else (0.17, 0.15, 0.05)
        if world.lighting.season == "autumn"
        else (0.085, 0.13, 0.045)
    )
    return list(ridges(world, MountainRange(3, 0.15, green, 0.75, 0.18, 0.05), "hills"))


def tree_line(world: World) -> list[Layer]:
    """Trees on the far bank."""
    rows = (TreeRow(0.085, 0.35, 0.2, 1.4), TreeRow(0.125, 0.62, 0.2, 1.1))
    return list(tree_rows(world, rows, season_colors(world, ()), 0.3))


def snowfield(world: World, subject: Subject) -> list[Layer]:
    """A snow field."""
    return [Ground(world, GroundMaterial((0.58, 0.66, 0.78), (0.92, 0.94, 0.98), 0.5, 0.8))]


def forest(world: World, subject: Subject) -> list[Layer]:
    """Trees in rows with mist between them, and light beams if the sun is low. The season decides how many are
    leafy."""
    leafy = {"autumn": 0.85, "spring": 0.7, "summer": 0.6, "winter": 0.1}.get(world.lighting.season, 0.25)
    sky_height = world.viewport.horizon / world.viewport.unit
    rows = tuple(
        TreeRow(sky_height * fraction, depth, leafy, crowd)
        for fraction, depth, crowd in ((0.50, 0.10, 1.3), (0.60, 0.32, 1.2), (0.74, 0.6, 0.9), (1.0, 0.88, 0.6))
    )
    colors = season_colors(world, tuple(TINTS[name] for name in subject.colours))
    layers: list[Layer] = [*tree_rows(world, rows, colors, 0.55 + 0.4 * world.lighting.fog)]
    if world.lighting.sun[1] < 0.4 and world.lighting.overcast < 0.4 and not world.lighting.is_night:
        beams = LightBeams(
            world, (world.lighting.sun[0] * 1.3, sky_height * 1.5), scale(world.lighting.hour.near, 0.75), 0.8, 0.5
        )
        beams.order = STANDING
        layers.append(beams)
    return layers


def forest_floor(world: World, subject: Subject) -> list[Layer]:
    """Moss and needles; leaves in autumn, snow in winter."""
    if world.is_snowy:
        return snowfield(world, subject)
    light = (0.34, 0.15, 0.04) if world.lighting.season == "autumn" else (0.10, 0.13, 0.035)
    return [
        Ground(
            world,
            GroundMaterial(scale(light, 0.35), light, 0.5, 1.3, 1.8, 0.5, 0.15 if world.lighting.is_night else 0.5),
        )
    ]


def clearing(world: World, subject: Subject) -> list[Layer]:
    """Forest floor with trees behind it."""
    sky_height = world.viewport.horizon / world.viewport.unit
    rows = (TreeRow(sky_height * 0.6, 0.2, 0.1, 1.2), TreeRow(sky_height * 0.78, 0.55, 0.1, 1.0))
    return [*forest_floor(world, subject), *tree_rows(world, rows, season_colors(world, ()), 0.3)]


def desert(world: World, subject: Subject) -> list[Layer]:
    """Dunes and blowing sand."""
    return list(dunes(world, tint((0.50, 0.25, 0.115), subject.colours, 0.7)))


def abstract(world: World, subject: Subject) -> list[Layer]:
    """Folds of colour."""
    return [AbstractFlow(world, subject.colours or world.shot.palette, world.shot.mood, subject.amount)]


def flowers(world: World, subject: Subject) -> list[Layer]:
    """A field of flowers in the wind, with hills behind it."""
    rng = world.rng("flowers")
    kinds = choose_flowers(tuple(TINTS[name] for name in subject.colours), int(rng.integers(4)))
    layers = [*meadow(world, subject), *flower_field(world, kinds, subject.amount)]
    if not world.shot.find("mountains") and not world.shot.find("forest"):
        layers += hills(world)
    return layers


def river(world: World, subject: Subject) -> list[Layer]:
    """A river between meadows, with trees along the horizon."""
    color = tint(scale(mix(world.lighting.hour.water, world.lighting.hour.zenith, 0.25), 0.6), subject.colours, 0.7)
    layers = [*meadow(world, subject), River(world, 0.7 + subject.amount, color)]
    shot = world.shot
    if not shot.find("forest") and "tree" not in shot.without:
        rows = (TreeRow(0.10, 0.25, 0.3, 1.3), TreeRow(0.15, 0.5, 0.3, 0.9))
        layers += tree_rows(world, rows, season_colors(world, ()), 0.25)
    if not shot.find("mountains") and "mountains" not in shot.without:
        layers += mountains(world, Subject("mountains", size="small"))
    return layers


def waterfall(world: World, subject: Subject) -> list[Layer]:
    """Water that falls over a rock wall into a pool."""
    rng = world.rng("waterfall")
    rise = world.viewport.horizon / world.viewport.unit * 0.78
    gap = (float(rng.uniform(-0.16, 0.16)), 0.07 + 0.07 * subject.amount)
    spray = mix(world.lighting.haze, world.lighting.lit((0.9, 0.93, 0.95), 0.7), 0.6)
    mists = [
        Mist(world, MistBank(0.015, 0.055, 0.75, spray, 0.10), "spray", GROUND - 1),
        Mist(world, MistBank(0.10, 0.10, 0.28, spray, 0.04), "drift", GROUND - 0.9),
    ]
    sky_height = world.viewport.horizon / world.viewport.unit
    trees = (TreeRow(sky_height * 0.30, 0.55, 0.35, 1.0),) if "tree" not in world.shot.without else ()
    sides = tree_rows(world, trees, season_colors(world, ()), 0.0)
    return [cliff(world, rise, gap), Waterfall(world, rise, gap, subject.amount), *mists, *sides]


def fractal(world: World, subject: Subject) -> list[Layer]:
    """A Julia set in the requested colours."""
    rng = world.rng("fractal")
    names = subject.colours or world.shot.palette
    if names:
        first, last = TINTS[names[0]], TINTS[names[-1]]
        stops = (scale(first, 0.012), scale(first, 0.18), first, mix(last, (1.0, 0.95, 0.85), 0.5), scale(last, 0.06))
    else:
        stops = _ARMS[int(rng.integers(len(_ARMS)))]
    return [JuliaSet(world, stops)]


def underwater(world: World, subject: Subject) -> list[Layer]:
    """Open water over sand, with light beams and particles."""
    base = (0.010, 0.055, 0.12) if world.lighting.is_night else (0.035, 0.36, 0.52)
    color = tint(base, subject.colours or world.shot.palette, 0.8)
    picture_height = world.viewport.height / world.viewport.unit
    light = mix(scale(color, 0.75), (0.5, 0.8, 0.8), 0.12)
    beams = LightBeams(world, (float(world.rng("beams").uniform(-0.4, 0.4)), picture_height * 1.35), light, 1.0, 0.7)
    beams.order = STANDING
    return [OpenWater(world, color), SeaBed(world, color), beams, Motes(world)]


_ARMS = (
    ((0.004, 0.006, 0.030), (0.05, 0.03, 0.24), (0.75, 0.12, 0.36), (1.1, 0.72, 0.30), (0.03, 0.006, 0.02)),
    ((0.003, 0.010, 0.028), (0.01, 0.10, 0.26), (0.05, 0.55, 0.62), (0.95, 1.0, 0.80), (0.005, 0.03, 0.05)),
    ((0.010, 0.004, 0.018), (0.16, 0.02, 0.16), (0.85, 0.24, 0.08), (1.1, 0.85, 0.42), (0.03, 0.008, 0.006)),
)
_DEEP = Grade(exposure=1.15, bloom=0.7, threshold=0.7, vignette=0.7)
_SEA = Grade(exposure=1.0, bloom=0.55, threshold=1.0, vignette=0.55)
_CITY = Grade(exposure=1.25, bloom=0.95, threshold=0.42, vignette=0.7)
_FLOW = Grade(exposure=1.1, bloom=0.45, threshold=0.75, vignette=0.75)
DEFINITIONS: Final[Mapping[str, SubjectDefinition]] = {
    "ocean": SubjectDefinition(ocean, "ground", "sunset", "ocean", (0.50, 0.57), _SEA),
    "lake": SubjectDefinition(lake, "ground", "gold", "lake", (0.54, 0.60), _SEA),
    "mountains": SubjectDefinition(mountains, "far", "gold", "lake", (0.66, 0.72), _SEA),
    "city": SubjectDefinition(city, "far", "night", "street", (0.66, 0.70), _CITY),
    "street": SubjectDefinition(street, "ground", "night", "street", (0.66, 0.70), _CITY),
    "forest": SubjectDefinition(forest, "far", "sunrise", "forest floor", (0.76, 0.80), _SEA),
    "forest floor": SubjectDefinition(forest_floor, "ground", "sunrise", "forest floor", (0.76, 0.80)),
    "clearing": SubjectDefinition(clearing, "ground", "night", "clearing", (0.62, 0.66)),
    "desert": SubjectDefinition(desert, "ground", "gold", "desert", (0.44, 0.50), _SEA),
    "meadow": SubjectDefinition(meadow, "ground", "noon", "meadow", (0.60, 0.66)),
    "snowfield": SubjectDefinition(snowfield, "ground", "noon", "snowfield", (0.66, 0.74)),
    "flowers": SubjectDefinition(flowers, "ground", "noon", "flowers", (0.46, 0.52)),
    "river": SubjectDefinition(river, "ground", "gold", "river", (0.52, 0.58), _SEA),
    "waterfall": SubjectDefinition(waterfall, "far", "noon", "pool", (0.70, 0.75)),
    "pool": SubjectDefinition(pool, "ground", "noon", "pool", (0.70, 0.75)),
    "fractal": SubjectDefinition(fractal, "whole", grade=Grade(exposure=1.1, bloom=0.55, threshold=0.7, vignette=0.7)),
    "underwater": SubjectDefinition(underwater, "whole", "noon", grade=_DEEP),
    "abstract": SubjectDefinition(abstract, "whole", grade=_FLOW),
}
