"""Places: what fills the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.layers.city import Cars, TownGlow, glow_of, towers
from videogen.engines.procedural.layers.flow import Flow
from videogen.engines.procedural.layers.lake import Lake
from videogen.engines.procedural.layers.land import Land, Soil
from videogen.engines.procedural.layers.ridges import Range, ridges
from videogen.engines.procedural.layers.sea import Sea, Water
from videogen.engines.procedural.layers.street import Street
from videogen.engines.procedural.light import Grade
from videogen.engines.procedural.palette import mix, scale, tint
from videogen.engines.procedural.subjects.entry import Entry


def ocean(world: World, subject: Subject) -> list[Layer]:
    """Waves from glassy to raging, and, where nothing else stands on the horizon, land far away."""
    hour, energy, rng = world.air.hour, subject.amount, world.rng("coast")
    water = Water(
        color=tint(hour.water, subject.colours, 0.7),
        sun_color=hour.sun,
        sun=world.air.sun,
        slope=0.045 + 0.17 * energy + 0.10 * max(0.0, energy - 0.6),
        glitter=hour.glitter,
        pace=0.8 + 0.4 * energy,
    )
    layers: list[Layer] = [Sea(world, water)]
    if not {"mountains", *world.shot.without} & {"mountains"} and not world.shot.find("mountains"):
        coast = Range(2, float(rng.uniform(0.10, 0.22)), (0.20, 0.19, 0.20), 0.8, 0.5, float(rng.uniform(0.45, 0.8)))
        layers += ridges(world, coast, "coast")
    return layers


def lake(world: World, subject: Subject) -> list[Layer]:
    """Calm water."""
    color = tint(scale(mix(world.air.hour.water, world.air.hour.zenith, 0.25), 0.6), subject.colours, 0.7)
    return [Lake(world, 0.5 + subject.amount, color)]


def mountains(world: World, subject: Subject) -> list[Layer]:
    """A range; `count` summits where a number was asked for."""
    rng = world.rng("mountains")
    size = {"tiny": 0.4, "small": 0.65, "large": 1.2, "huge": 1.4}.get(subject.size, 1.0)
    cold = world.air.season == "winter" or world.shot.amount("snow") > 0
    warm = world.air.season == "summer"
    look = Range(
        layers=3,
        height=min(float(rng.uniform(0.36, 0.46)) * size, 0.9 * world.frame.horizon / world.frame.unit),
        rock=tint((0.20, 0.20, 0.22), subject.colours, 0.7),
        air=0.72,
        relief=0.55,
        sharpness=float(rng.uniform(0.5, 0.75)),
        snow=0.85 if cold else 0.25 if warm else 0.5,
        peaks=subject.count if 1 < subject.count < 10 else 0,
    )
    return list(ridges(world, look, "mountains"))


def city(world: World, subject: Subject) -> list[Layer]:
    """Towers, cars, and by night their glow; the street comes as the ground."""
    layers = [*towers(world, subject.colours, subject.amount), Cars(world)]
    if world.air.is_night:
        layers.append(TownGlow(world, glow_of(world, subject.colours)))
    return layers


def street(world: World, subject: Subject) -> list[Layer]:
    """Asphalt, wet after rain."""
    night = scale(mix((0.016, 0.018, 0.036), glow_of(world, subject.colours), 0.06), 0.55)
    color = night if world.air.is_night else world.air.lit((0.16, 0.16, 0.16))
    return [Street(world, color, min(1.0, (0.45 if world.air.is_night else 0.05) + world.air.wet))]


def meadow(world: World, subject: Subject) -> list[Layer]:
    """Grass, or snow in winter."""
    if world.air.season == "winter" or world.shot.amount("snow") > 0:
        return snowfield(world, subject)
    light = (0.34, 0.28, 0.09) if world.air.season == "autumn" else (0.20, 0.30, 0.07)
    return [Land(world, Soil(scale(light, 0.45), light, 0.4, 1.0, 1.6))]


def snowfield(world: World, subject: Subject) -> list[Layer]:
    """Drifts of snow."""
    return [Land(world, Soil((0.58, 0.66, 0.78), (0.92, 0.94, 0.98), 0.5, 0.8))]


def abstract(world: World, subject: Subject) -> list[Layer]:
    """Folds of colour."""
    return [Flow(world, subject.colours or world.shot.palette, world.shot.mood, subject.amount)]


_SEA = Grade(exposure=1.0, bloom=0.55, threshold=1.0, vignette=0.55)
_CITY = Grade(exposure=1.25, bloom=0.95, threshold=0.42, vignette=0.7)
_FLOW = Grade(exposure=1.1, bloom=0.45, threshold=0.75, vignette=0.75)
ENTRIES: Final[Mapping[str, Entry]] = {
    "ocean": Entry(ocean, "ground", "sunset", "ocean", (0.50, 0.57), _SEA),
    "lake": Entry(lake, "ground", "gold", "lake", (0.54, 0.60), _SEA),
    "mountains": Entry(mountains, "far", "gold", "lake", (0.66, 0.72), _SEA),
    "city": Entry(city, "far", "night", "street", (0.66, 0.70), _CITY),
    "street": Entry(street, "ground", "night", "street", (0.66, 0.70), _CITY),
    "meadow": Entry(meadow, "ground", "noon", "meadow", (0.60, 0.66)),
    "snowfield": Entry(snowfield, "ground", "noon", "snowfield", (0.66, 0.74)),
    "abstract": Entry(abstract, "whole", grade=_FLOW),
}
