"""The scene description, as pure data: shots, their subjects, light, style and camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

Kind = Literal[
    # Environments that fill the picture.
    "ocean", "lake", "river", "waterfall", "mountains", "forest", "city", "desert", "flowers", "underwater", "space",
    "abstract", "fractal",
    # The sky.
    "sun", "moon", "stars", "planet", "aurora", "clouds",
    # Weather and fire; `amount` is their strength.
    "rain", "snow", "fog", "lightning", "fire",
    # Small objects.
    "lanterns", "tree", "boat", "balloon", "house", "lighthouse",
    # Animals and people.
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
    """The spatial relation `place` of a subject to the subject with index `target` in the same shot.

    `target` None stands for the picture: left or right of its centre, behind or in front of everything else, reflected
    in any reflecting surface."""

    place: SpatialRelation
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One visible thing.

    `count`: 1..99; 0 is a plural without a number, and the renderer chooses.
    `colours`: in the order of the prompt; when empty, light and palette decide.
    `amount`: strength, 0..1; 0.5 is normal. Rain and snow: a few drops to a storm. Clouds: thin to overcast. Ocean:
    calm to stormy. Fire: a candle to a large fire.
    `relations`: of this subject to others. The other subject has no inverse relation."""

    kind: Kind
    count: int = 1
    colours: tuple[Colour, ...] = ()
    size: Size = ""
    amount: float = 0.5
    action: Action = ""
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class ShotSpec:
    """One shot. An empty string means that the renderer decides, by its seed.

    `subjects`: at least one, in the order of the prompt; one per kind, unless colour, size or relations differ.
    `palette`: colours of the whole picture, not of one subject.
    `without`: kinds that must not be visible, even if another subject normally adds them (clouds, stars, trees, ...).
    `title`: text that is shown unchanged, at most 80 characters; "" for none.
    `transition`: from the previous shot to this one; the first shot ignores it."""

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
        """The first subject of a kind, or None."""
        return next((subject for subject in self.subjects if subject.kind == kind), None)

    def amount(self, kind: Kind) -> float:
        """The strength of the first subject of a kind, 0..1; 0 if there is none."""
        subject = self.find(kind)
        return subject.amount if subject else 0.0


@dataclass(frozen=True, slots=True)
class Interpretation:
    """A phrase of the prompt, and a description of what it became."""

    phrase: str
    became: str


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """The scene to render: one to six shots of equal length.

    `loop`: the last frame must lead into the first.
    `variant`: 0, or, if the prompt named nothing visible, a positive 32-bit hash of its text. Then there is one
    abstract shot, and `variant` is a part of its seed.
    `understood`: what each phrase became. `ignored`: the words that were not understood; `unused`: known words without
    effect; `not_drawn`: the things among both, by name. All have a limited length."""

    shots: tuple[ShotSpec, ...]
    loop: bool = False
    variant: int = 0
    understood: tuple[Interpretation, ...] = ()
    ignored: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    not_drawn: tuple[str, ...] = ()

    @property
    def is_guess(self) -> bool:
        """Whether the prompt named nothing visible, so that an abstract scene was chosen."""
        return self.variant > 0

    def without_interpretations(self) -> SceneSpec:
        """The same scene without what it was made of."""
        return replace(self, understood=(), ignored=(), unused=(), not_drawn=())


def to_json(spec: SceneSpec) -> dict[str, Any]:
    """The scene as JSON values, without default values. `from_json` is the inverse."""
    values: dict[str, Any] = _to_values(spec)
    return values


def _to_values(value: Any) -> Any:
    if is_dataclass(value):
        pairs = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: _to_values(item) for field, item in pairs if item != field.default}
    return [_to_values(item) for item in value] if isinstance(value, tuple) else value


def from_json(values: Mapping[str, Any]) -> SceneSpec:
    """Parse the result of `to_json`.

    Raises:
        ValueError: an unknown member, or a word that is not in its list."""
    spec: SceneSpec = _from_values(SceneSpec, values)
    return spec


def _from_values(kind: Any, value: Any) -> Any:
    """Parse a value of an annotated type: a dataclass, a tuple of dataclasses, a literal or a plain value."""
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
