"""A person's own presets: the form under a name. They are kept in the browser's storage as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

MAX_PRESETS: Final = 60
MAX_TITLE: Final = 60
MAX_TEXT: Final = 200_000
_FIELDS: Final = (
    "prompt", "negative", "type", "variations", "shape", "width", "height", "detail", "seconds", "fps", "seed",
    "engine",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OwnPreset:
    """A name, and the values of the form by field name."""

    id: str
    title: str
    form: Mapping[str, Any]


def own_values(form: Mapping[str, Any]) -> dict[str, Any]:
    """What a preset keeps of the form: all but the image, which belongs to a visit, and settings of other engines."""
    prefix = f"{form.get('engine')}."
    return {name: value for name, value in form.items() if name in _FIELDS or name.startswith(prefix)}


def read_presets(text: object) -> tuple[OwnPreset, ...]:
    """The presets in the browser's text. Anything may have written it: what is no preset is left out."""
    try:
        entries = orjson.loads(text) if isinstance(text, str) and len(text) <= MAX_TEXT else []
    except orjson.JSONDecodeError:
        return ()
    found = (_read(entry) for entry in (entries if isinstance(entries, list) else [])[:MAX_PRESETS])
    return tuple({preset.id: preset for preset in found if preset is not None}.values())


def _read(entry: object) -> OwnPreset | None:
    match entry:
        case {"id": str(id_), "title": str(title), "form": {"prompt": str(), "engine": str(engine)} as form}:
            values = own_values({**form, **_of_old_page(form, engine)})
            return OwnPreset(id_[:100], title[:MAX_TITLE], {name: one for name, one in values.items() if _plain(one)})
    return None


def _of_old_page(form: Mapping[str, Any], engine: str) -> dict[str, Any]:
    """Up to version 0.1 a typed size was one value, and the settings of an engine were an object of their own."""
    values: dict[str, Any] = {}
    match form.get("size"):
        case [int(width), int(height)]:
            values |= {"width": width, "height": height}
    match form.get("own"):
        case dict(own) if isinstance(own.get(engine), dict):
            values |= {f"{engine}.{name}": value for name, value in own[engine].items()}
    return values


def _plain(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def write_presets(presets: Iterable[OwnPreset]) -> str:
    """The text for the browser's storage."""
    return orjson.dumps([asdict(preset) for preset in presets]).decode()
