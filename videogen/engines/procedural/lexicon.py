"""The words a prompt may use, as tables: which subject they vote for and what they set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = float | str | bool


@dataclass(frozen=True)
class Rule:
    """What a group of phrases means. `phrases` is separated by commas; a trailing * matches any ending.

    `votes`: weight per subject. `sets`: field of the scene -> value, for the subjects that have the field.
    `moods`: subject -> palette."""

    phrases: str
    votes: Mapping[str, int] = field(default_factory=dict)
    sets: Mapping[str, Value] = field(default_factory=dict)
    moods: Mapping[str, str] = field(default_factory=dict)


# Fields each subject can follow; a word that only sets others is reported as not understood.
_COMMON = frozenset({"rain", "snow", "fog", "camera", "tempo", "accents"})
FIELDS: Mapping[str, frozenset[str]] = {
    "ocean": _COMMON | {"clouds", "energy", "stars", "ridges"},
    "city": _COMMON | {"energy"},
    "aurora": _COMMON | {"energy", "stars", "ground", "trees"},
    "abstract": _COMMON | {"energy", "stars"},
}

DEFAULT_MOOD: Mapping[str, str] = {"ocean": "sunset", "city": "neon", "aurora": "green", "abstract": "silk"}

# Colour word -> palette per subject. Colours also tint through `accents` where a subject has no such palette.
COLOURS: Mapping[str, str] = {
    "red": "red, crimson, scarlet, ruby, burgundy",
    "orange": "orange, amber, copper, tangerine",
    "gold": "gold, golden, yellow, honey",
    "green": "green*, emerald, jade, mint, lime",
    "teal": "teal, turquoise, aqua, aquamarine",
    "cyan": "cyan, ice blue, electric blue",
    "blue": "blue*, azure, sapphire, indigo, navy, cobalt",
    "violet": "violet*, purple*, lavender, lilac, amethyst, ultraviolet",
    "pink": "pink*, magenta, fuchsia, rose, coral",
    "white": "white, silver*, monochrome, grey, gray, pearl*",
}

RULES: tuple[Rule, ...] = (
    # Subjects
    Rule("ocean*, sea, seas, seascape*, seaside, beach*, coast*, shore*, wave, waves, surf", {"ocean": 3}),
    Rule("tide*, lagoon*, harbour, harbor, sail*, island*, horizon, nautical, bay", {"ocean": 2}),
    Rule("lake*, fjord*, river*, water", {"ocean": 2, "aurora": 1}, {"ground": "lake"}),
    Rule("city*, cities, skyline*, downtown, metropolis, skyscraper*, cyberpunk, urban, tokyo", {"city": 3}),
    Rule("neon*, street*, building*, traffic, alley*, blade runner, town, manhattan, hong kong", {"city": 2}),
    Rule("shanghai, new york, rooftop*, tower*, megacity, futuristic", {"city": 2}),
    Rule("aurora*, northern light*, polar light*, southern light*, borealis", {"aurora": 4}),
    Rule("arctic*, polar, tundra, lapland, iceland*, norway, winter*, taiga", {"aurora": 2}),
    Rule("abstract*, silk*, ink, gradient*, fluid*, liquid*, swirl*, marbl*, psychedelic", {"abstract": 3}),
    Rule("flow*, ribbon*, satin, texture*, wallpaper, pattern*, smoke*, dream*", {"abstract": 2}),
    Rule("mountain*, hill*, cliff*, peak*, ridge*", {"ocean": 1, "aurora": 1}, {"ridges": 1.0}),
    Rule("forest*, pine*, tree*, spruce*, fir, firs, woods", {"aurora": 1}, {"trees": 1.0}),
    Rule("sun, sunlight, sunbeam*", {"ocean": 1}, {}, {"ocean": "sunset"}),
    # Times of day
    Rule("sunset*, setting sun, dusk, evening", {"ocean": 1}, {}, {"ocean": "sunset", "city": "dusk"}),
    Rule("sunrise*, dawn*, daybreak, early morning, morning", {"ocean": 1}, {}, {"ocean": "dawn", "city": "dusk"}),
    Rule("golden hour, golden light", {"ocean": 1}, {}, {"ocean": "gold", "city": "dusk"}),
    Rule("noon, midday, daytime, daylight, sunny, summer*, tropical*", {"ocean": 1}, {}, {"ocean": "noon"}),
    Rule("twilight, blue hour", {"ocean": 1}, {}, {"ocean": "twilight", "city": "dusk"}),
    Rule(
        "night*, midnight, moon, moonlight, moonlit, nocturnal",
        {"city": 1},
        {"stars": True},
        {"ocean": "night", "city": "neon", "aurora": "green"},
    ),
    Rule("star, stars, starry, starlit", {"aurora": 1}, {"stars": True}),
    # Weather
    Rule("rain, rains, raining, rainy, rainfall, shower*, wet, monsoon", {}, {"rain": 0.6, "clouds": 0.75}),
    Rule("drizzl*", {}, {"rain": 0.3, "clouds": 0.7}),
    Rule("downpour, cloudburst", {}, {"rain": 1.0, "clouds": 0.9}),
    Rule("snow, snows, snowing, snowy, snowfall, snowflake*", {"aurora": 1}, {"snow": 0.55, "ground": "snow"}),
    Rule("blizzard*, snowstorm*", {"aurora": 1}, {"snow": 1.0, "ground": "snow", "clouds": 0.9}),
    Rule("fog*, mist*, haze, hazy", {}, {"fog": 0.7}),
    Rule("storm*, tempest*, hurricane*, thunder*", {}, {"energy": 1.0, "clouds": 0.95, "rain": 0.35}),
    Rule("cloud*, overcast", {}, {"clouds": 0.7}),
    Rule("clear, clear sky, cloudless", {}, {"clouds": 0.06, "rain": 0.0, "snow": 0.0, "fog": 0.0}),
    # Energy and tempo
    Rule(
        "calm*, still water*, placid, glassy, mirror*, serene, tranquil*, peaceful*",
        {},
        {"energy": 0.12, "tempo": "calm"},
    ),
    Rule("slow*, slow motion, gentle, gently, quiet*, lazy, relax*", {}, {"tempo": "calm"}),
    Rule("rough*, choppy, wild*, big waves, huge waves, raging, turbulent", {}, {"energy": 0.95}),
    Rule("fast*, quick*, lively, energetic, dynamic, rapid*, bustling, busy, dancing", {}, {"tempo": "lively"}),
    Rule("vivid, vibrant, intense, bright*, glowing, brilliant", {}, {"energy": 0.85}),
    # Camera
    Rule("pan left, pans left, panning left, camera left", {}, {"camera": "pan left"}),
    Rule("pan right, pans right, panning right, camera right, pan, panning", {}, {"camera": "pan right"}),
    Rule("zoom in, zooms in, zooming in, dolly in, push in, zoom, fly over", {}, {"camera": "zoom in"}),
    Rule("zoom out, zooms out, zooming out, dolly out, pull back, pull out", {}, {"camera": "zoom out"}),
    Rule("tilt up, tilts up, tilting up, tilt", {}, {"camera": "tilt up"}),
    Rule("tilt down, tilts down, tilting down", {}, {"camera": "tilt down"}),
    Rule("static, static camera, still camera, fixed camera, tripod, locked off, timelapse", {}, {"camera": "still"}),
    # Looks that only the abstract subject has
    Rule(
        "space, galax*, nebula*, cosmos, cosmic, universe, milky way",
        {"abstract": 2},
        {"stars": True},
        {"abstract": "cosmos"},
    ),
    Rule("fire*, flame*, lava, ember*, inferno, molten", {"abstract": 1}, {}, {"abstract": "ember"}),
    Rule("pastel*, candy, soft colours, soft colors", {"abstract": 1}, {}, {"abstract": "pastel"}),
)

# Phrases of a negative prompt (or after "no", "without") -> what they take away.
REMOVALS: Mapping[str, tuple[str, Value]] = {
    "rain*, drizzl*, shower*, wet": ("rain", 0.0),
    "snow, snowing, snowfall, snowflake*, blizzard*": ("snow", 0.0),
    "cloud*, overcast": ("clouds", 0.0),
    "fog*, mist*, haze, hazy": ("fog", 0.0),
    "star, stars, starry": ("stars", False),
    "mountain*, ridge*, hill*, cliff*, peak*, island*": ("ridges", 0.0),
    "tree*, forest*, pine*, spruce*": ("trees", 0.0),
    "wave*, storm*": ("energy", 0.12),
    "camera movement, camera motion, movement, motion": ("camera", "still"),
}

AMOUNTS: Mapping[str, float] = {
    "heavy": 1.6, "heavily": 1.6, "strong": 1.5, "thick": 1.5, "dense": 1.5, "pouring": 1.7, "torrential": 1.7,
    "dramatic": 1.4, "light": 0.5, "lightly": 0.5, "soft": 0.6, "thin": 0.5, "few": 0.5, "slight": 0.5, "some": 0.8,
}  # fmt: skip

NEGATORS = frozenset({"no", "without", "not", "never", "minus"})

# Words that carry no picture: grammar, and praise that prompts are seasoned with.
_FILLER_TEXT = """
    a an the of at in on over with and or by to from into onto under above behind through across along near is are
    was be it its this that these those as for my our your very so quite there their his her some while during after
    before between video videos clip footage scene shot view image picture animation cinematic cinema film movie
    camera realistic photorealistic hyperrealistic beautiful stunning gorgeous amazing epic breathtaking scenic
    majestic detailed quality high resolution hd uhd k fps ultra professional aesthetic atmospheric style wide
    landscape portrait please make create generate show me i want sky light lights colour color colours colors like
    just one two up down left right background foreground slowly
"""
FILLERS = frozenset(_FILLER_TEXT.split())
