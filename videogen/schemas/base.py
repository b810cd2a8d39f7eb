"""The base of all schemas: a frozen model with camelCase JSON, and text without control characters."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A frozen model that reads and writes camelCase JSON."""

    model_config = ConfigDict(
        frozen=True,
        defer_build=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        ser_json_inf_nan="null",
    )


_REFUSED: Final = re.compile(r"[\x00-\x08\x0e-\x1f\ud800-\udfff]")


def _text(value: object) -> object:
    """Refuse control characters and lone surrogates, with their position."""
    if not isinstance(value, str):
        return value
    if (refused := _REFUSED.search(value)) is not None:
        code, index = ord(refused[0]), refused.start()
        raise ValueError(f"text without control characters (U+{code:04X} is at position {index})")
    return value.replace("\v", "\n").replace("\f", "\n")


Text = Annotated[str, BeforeValidator(_text), Field(strict=True)]
"""Text without control characters or lone surrogates. A vertical tab and a form feed become line breaks."""
MAX_NESTING: Final = 16


def why_not_plain(value: object) -> str | None:
    """What was expected, if this JSON is not plain; None if it is.

    Plain JSON can be stored and read by any program: whole numbers of 64 bits, finite numbers, text without NUL or
    lone surrogates, at most `MAX_NESTING` levels.
    """
    left: list[tuple[object, int]] = [(value, 0)]
    while left:
        part, depth = left.pop()
        if isinstance(part, int) and not -(2**63) <= part < 2**63:
            return "whole numbers of at most 64 bits"
        if isinstance(part, float) and not math.isfinite(part):
            return "finite numbers"
        if isinstance(part, str) and ("\0" in part or (not part.isascii() and _REFUSED.search(part))):
            return "text without control characters"
        if isinstance(part, dict | list):
            if depth == MAX_NESTING:
                return f"at most {MAX_NESTING} levels of objects and lists"
            left += ((inner, depth + 1) for inner in ((*part, *part.values()) if isinstance(part, dict) else part))
    return None


def _plain(value: Any) -> Any:
    if (expected := why_not_plain(value)) is not None:
        raise ValueError(expected)
    return value


PlainObject = dict[Annotated[str, AfterValidator(_plain)], Annotated[Any, AfterValidator(_plain)]]
"""An object of plain JSON; see `why_not_plain`."""
