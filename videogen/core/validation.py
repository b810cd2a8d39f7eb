"""Validation errors of pydantic as `field`, `expected` and `got`."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

_EXPECTED = {
    "missing": "a value",
    "extra_forbidden": "no such field",
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
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


def explain(error: Any) -> dict[str, str]:
    """One pydantic error as `{field, expected, got}`."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "json_invalid":
        return {"field": "body", "expected": "valid JSON", "got": f"something else ({context.get('error')})"}
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
    return {"field": _field(error["loc"]), "expected": expected, "got": got}


def _field(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in location if part != "body") or "body"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
