"""What a prompt asks of the renderer, as pure data: shots, their subjects, light, style and camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

Kind = Literal[
    # Places: what fills the picture.
    "ocean", "lake", "river", "waterfall", "mountains", "forest", "city", "desert", "flowers", "underwater", "space",
    "abstract", "fractal",
    # The sky.
    "sun", "moon", "stars", "planet", "aurora", "clouds",
    # Weather and fire; their `amount` is their strength.
    "rain", "snow", "fog", "lightning", "fire",
    # Small things.
    "lanterns", "tree", "boat", "balloon", "house", "lighthouse",
    # Silhouettes.
    "bird", "fish", "whale", "cat", "dog", "horse", "deer", "person",
]  # fmt: skip
SpatialRelation = Literal[
    "over", "under", "left of", "right of", "behind", "in front of", "reflected in", "in", "on", "beside"
]
Size = Literal["", "tiny", "small", "large", "huge"]
Colour = Literal[
    "red", "orange", "gold", "yellow", "green", "teal", "cyan", "blue", "violet", "pink", "white", "grey", "black",
    "brown",
]  # fmt: skip
Action = Literal["", "still", "walking", "running", "flying", "swimming", "drifting", "rising", "falling", "dancing"]
Time = Literal["", "dawn", "sunrise", "day", "golden hour", "sunset", "dusk", "night"]
Season = Literal["", "spring", "summer", "autumn", "winter"]
Mood = Literal["", "calm", "dreamy", "cheerful", "romantic", "epic", "mysterious", "gloomy", "eerie"]
Style = Literal["", "photographic", "neon", "watercolour", "oil", "pixel art", "film noir", "anime", "vintage"]
Camera = Literal[
    "", "still", "pan left", "pan right", "tilt up", "tilt down", "zoom in", "zoom out", "dolly in", "dolly out",
    "orbit", "handheld",
]  # fmt: skip
Tempo = Literal["calm", "steady", "lively"]
Transition = Literal["crossfade", "fade", "cut"]

KINDS: Final[tuple[str, ...]] = get_args(Kind)
SKY: Final = frozenset(KINDS[KINDS.index("sun") : KINDS.index("rain")])
WEATHER: Final = frozenset({"clouds", "rain", "snow", "fog", "lightning"})
LIVING: Final = frozenset(KINDS[KINDS.index("bird") :])

MAX_SHOTS: Final = 6
MAX_SUBJECTS: Final = 12
MAX_COUNT: Final = 99
MAX_TITLE: Final = 80


@dataclass(frozen=True, slots=True)
class Relation:
    """Where a subject is: `place`, seen from the subject with the index `target` in the same shot.

    `target` None is the picture as a whole: left or right of its middle, behind or in front of everything else,
    reflected in whatever reflects."""

    place: SpatialRelation
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to be seen.

    `count`: 1..99 as asked; 0 stands for a plural without a number, as many as look right.
    `colours`: in the order given; empty leaves them to light and palette.
    `amount`: 0..1, how strong: rain and snow from a few drops to a storm, clouds from wisps to overcast, the ocean
    from glassy to raging, fire from a candle to an inferno. 0.5 is what a plain word means.
    `relations`: of this subject to others; an `over` implies no `under` on the other side."""

    kind: Kind
    count: int = 1
    colours: tuple[Colour, ...] = ()
    size: Size = ""
    amount: float = 0.5
    action: Action = ""
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class ShotSpec:
    """One shot. An empty string leaves the choice to the renderer and its seed.

    `subjects`: at least one, in the order of the prompt, each kind once, unless colour, size or place tell two of one
    kind apart.
    `palette`: colours asked for the whole picture, not for one subject.
    `without`: kinds that must not be seen, even where a subject usually brings them along (clouds, stars, trees, ...).
    `title`: text to be shown as it is, at most 80 characters; "" for none.
    `transition`: how the shot before turns into this one; of no effect on the first shot."""

    subjects: tuple[Subject, ...]
    time: Time = ""
    season: Season = ""
    palette: tuple[Colour, ...] = ()
    mood: Mood = ""
    style: Style = ""
    camera: Camera = ""
    tempo: Tempo = "steady"
    title: str = ""
    without: tuple[Kind, ...] = ()
    transition: Transition = "crossfade"

    def find(self, kind: Kind) -> Subject | None:
        """The first subject of a kind."""
        return next((subject for subject in self.subjects if subject.kind == kind), None)

    def amount(self, kind: Kind) -> float:
        """How strong the first subject of a kind is, 0..1; 0 where there is none."""
        found = self.find(kind)
        return found.amount if found else 0.0


@dataclass(frozen=True, slots=True)
class Interpretation:
    """A phrase of the prompt, as written, and what it became, in plain words."""

    phrase: str
    became: str


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """What is to be rendered: one to six shots of equal length.

    `loop`: the last frame must lead into the first.
    `variant`: 0, or, where the prompt named nothing to be seen, a positive 32-bit number that depends on its text
    alone; then there is one abstract shot, to be seeded by it.
    `understood`, `ignored`: what each phrase became, and the words that said nothing, a bounded number of each."""

    shots: tuple[ShotSpec, ...]
    loop: bool = False
    variant: int = 0
    understood: tuple[Interpretation, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def is_guess(self) -> bool:
        """Whether the prompt named nothing to be seen, so that the abstract scene was our choice."""
        return self.variant > 0

    def without_interpretations(self) -> SceneSpec:
        """The same scene without the words on what was understood."""
        return replace(self, understood=(), ignored=())


def to_json(spec: SceneSpec) -> dict[str, Any]:
    """The spec as JSON values, without what is as it is by default; `from_json` gives it back."""
    values: dict[str, Any] = _to_values(spec)
    return values


def _to_values(value: Any) -> Any:
    if is_dataclass(value):
        pairs = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: _to_values(item) for field, item in pairs if item != field.default}
    return [_to_values(item) for item in value] if isinstance(value, tuple) else value


def from_json(values: Mapping[str, Any]) -> SceneSpec:
    """The spec that `to_json` told.

    Raises:
        ValueError: a member that no spec has, or a word outside its closed list.
    """
    spec: SceneSpec = _from_values(SceneSpec, values)
    return spec


def _from_values(kind: Any, value: Any) -> Any:
    """A value of an annotated type: a dataclass, a tuple of such, a word of a closed list, or a plain value."""
    if hasattr(kind, "__dataclass_fields__"):
        hints = get_type_hints(kind)
        unknown = value.keys() - {field.name for field in fields(kind)}
        if unknown:
            raise ValueError(f"{kind.__name__}: expected {', '.join(hints)}, got {', '.join(sorted(unknown))}")
        return kind(**{name: _from_values(hints[name], item) for name, item in value.items()})
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        return tuple(_from_values(arguments[0], item) for item in value)
    if get_origin(kind) is Literal and value not in arguments:
        raise ValueError(f"expected one of {', '.join(map(repr, arguments))}, got {value!r}")
    return value
