"""The base of all schemas: a frozen model with camelCase JSON, and text without control characters."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
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


def _text(value: object) -> object:
    """Refuse control characters and lone surrogates, with their position."""
    if isinstance(value, str):
        for index, char in enumerate(value):
            code = ord(char)
            if (code < 32 and char not in "\t\n\r") or 0xD800 <= code <= 0xDFFF:
                raise ValueError(f"text without control characters (U+{code:04X} is at position {index})")
    return value


Text = Annotated[str, BeforeValidator(_text), Field(strict=True)]
"""Text without control characters or lone surrogates."""
