import pytest
from pydantic import TypeAdapter, ValidationError

from videogen.schemas.base import MAX_NESTING, PlainObject, Text, why_not_plain
from videogen.schemas.generations import GenerationCreate

TEXT = TypeAdapter(Text)


def test_line_breaks_of_other_kinds_become_line_breaks():
    assert TEXT.validate_python("a\vb\fc\td\r\ne") == "a\nb\nc\td\r\ne"


@pytest.mark.parametrize("char", ["\x00", "\x08", "\x0e", "\x1f", "\ud800"])
def test_the_position_of_a_character_that_no_text_may_have_is_named(char):
    with pytest.raises(ValidationError, match=rf"U\+{ord(char):04X} is at position 3"):
        TEXT.validate_python(f"abc{char}{char}")


def _nested(levels):
    value = 1
    for _ in range(levels):
        value = {"a": [value]}
    return value


@pytest.mark.parametrize(
    "value", [{"a": 2**63 - 1, "b": -(2**63), "c": [1.5, None, True, "é\n"]}, {}, _nested(MAX_NESTING // 2)]
)
def test_plain_json_is_taken(value):
    assert why_not_plain(value) is None
    assert TypeAdapter(PlainObject).validate_python(value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 2**63}, "whole numbers of at most 64 bits"),
        ({"a": [-(2**63) - 1]}, "whole numbers of at most 64 bits"),
        ({"a": float("inf")}, "finite numbers"),
        ({"a": {"b": float("nan")}}, "finite numbers"),
        ({"a": "\0"}, "text without control characters"),
        ({"\ud800": 1}, "text without control characters"),
        (_nested(MAX_NESTING), "at most 16 levels of objects and lists"),
    ],
)
def test_what_is_not_plain_json_is_named(value, expected):
    assert why_not_plain(value) == expected
    with pytest.raises(ValidationError, match=expected):
        TypeAdapter(PlainObject).validate_python(value)


def test_the_setting_that_is_not_plain_is_named():
    with pytest.raises(ValidationError) as caught:
        GenerationCreate(prompt="a", settings={"fps": 24, "durationSeconds": float("nan")})
    assert [fault["loc"] for fault in caught.value.errors()] == [("settings", "durationSeconds")]
