"""What all schemas are built on: a frozen model in camelCase, and text without control characters."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A frozen value that reads and writes camelCase JSON."""

    model_config = ConfigDict(
        frozen=True,
        defer_build=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        ser_json_inf_nan="null",
    )


def _text(value: object) -> object:
    """Refuse what no database and no screen can hold, naming the place."""
    if isinstance(value, str):
        for index, char in enumerate(value):
            code = ord(char)
            if (code < 32 and char not in "\t\n\r") or 0xD800 <= code <= 0xDFFF:
                raise ValueError(f"text without control characters (U+{code:04X} stands at position {index})")
    return value


Text = Annotated[str, BeforeValidator(_text), Field(strict=True)]
"""Text without control characters or lone surrogates."""
