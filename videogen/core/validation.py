"""Validation errors of pydantic as `field`, `expected` and `got`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from videogen.core.errors import InvalidRequestError

MAX_FAULTS: Final = 20
"""How many faults one error lists; of the others it has the number."""

_EXPECTED = {
    "missing": "a value",
    "extra_forbidden": "left out, since there is no such field",
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least {}"),
    "less_than_equal": ("le", "at most {}"),
    "greater_than": ("gt", "more than {}"),
    "less_than": ("lt", "less than {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
    "too_short": ("min_length", "at least {} entries"),
    "too_long": ("max_length", "at most {} entries"),
    "string_too_short": ("min_length", "at least {} characters"),
    "string_too_long": ("max_length", "at most {} characters"),
}


def faults(problem: ValidationError) -> list[dict[str, str]]:
    """All errors of a failed validation."""
    return [explain(error) for error in problem.errors(include_url=False)]


def invalid_request(errors: Sequence[Any], prefix: str = "") -> InvalidRequestError:
    """The error for a failed validation.

    Args:
        errors: the errors of pydantic.
        prefix: put before the name of each field.
    """
    listed = [explain(error) for error in errors[:MAX_FAULTS]]
    faults = [fault | {"field": prefix + fault["field"]} for fault in listed]
    return InvalidRequestError.of(faults, len(errors) - len(faults))


def explain(error: Any) -> dict[str, str]:
    """One pydantic error as `{field, expected, got}`."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("too_short", "too_long") and isinstance(error["input"], str):
        kind = f"string_{kind}"
    if kind == "json_invalid":
        return {"field": "body", "expected": "valid JSON", "got": f"something else ({_cut(str(context.get('error')))})"}
    if kind in _BOUNDS:
        name, template = _BOUNDS[kind]
        expected = template.format(context[name])
    elif kind in _EXPECTED:
        expected = _EXPECTED[kind]
    elif kind == "literal_error":
        expected = f"one of {context['expected']}"
    else:
        expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    got = "nothing" if kind == "missing" else _shown(error["input"])
    return {"field": _field(error["loc"]), "expected": _cut(expected, 400), "got": got}


def _field(location: tuple[str | int, ...]) -> str:
    return _cut(".".join(str(part) for part in location if part != "body")) or "body"


def _shown(value: object) -> str:
    # Of a long text only the beginning is quoted: escapes make it longer still.
    if isinstance(value, str) and len(value) > 80:
        value = value[:80]
    try:
        return _cut(repr(value))
    except (RecursionError, ValueError):  # nested too deep, or a number of thousands of digits
        return f"a very large {type(value).__name__}"


def _cut(text: str, length: int = 80) -> str:
    """The text, at most `length` characters of it, and lone surrogates as escapes: no response could hold them."""
    text = text if len(text) <= length else f"{text[: length - 3]}..."
    return text.encode("utf-8", "backslashreplace").decode()
