from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from videogen.core.validation import MAX_FAULTS, explain, faults, invalid_request


class Inner(BaseModel):
    depth: int = Field(default=1, ge=1, le=9, multiple_of=1)


class Sample(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=2, max_length=4)
    count: int = Field(default=1, gt=0, lt=10)
    share: float = Field(default=0.5, allow_inf_nan=False)
    kind: Literal["a", "b"] = "a"
    flag: bool = False
    inner: Inner = Inner()
    ids: list[str] = Field(default=["a"], min_length=1, max_length=2)

    @field_validator("kind", mode="before")
    @classmethod
    def _own(cls, value):
        if value == "forbidden":
            raise ValueError("anything but that")
        return value


def _faults(**values):
    with pytest.raises(ValidationError) as caught:
        Sample(**({"name": "abc"} | values))
    return faults(caught.value)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"ids": []}, ("ids", "at least 1 entries", "[]")),
        ({"ids": ["a", "b", "c"]}, ("ids", "at most 2 entries", "['a', 'b', 'c']")),
        ({"name": "a"}, ("name", "at least 2 characters", "'a'")),
        ({"name": "abcde"}, ("name", "at most 4 characters", "'abcde'")),
        ({"name": 7}, ("name", "text", "7")),
        ({"count": 0}, ("count", "more than 0", "0")),
        ({"count": 10}, ("count", "less than 10", "10")),
        ({"count": "3"}, ("count", "a whole number", "'3'")),
        ({"count": 2.5}, ("count", "a whole number", "2.5")),
        ({"share": "x"}, ("share", "a number", "'x'")),
        ({"share": float("nan")}, ("share", "a finite number", "nan")),
        ({"kind": "c"}, ("kind", "one of 'a' or 'b'", "'c'")),
        ({"kind": "forbidden"}, ("kind", "anything but that", "'forbidden'")),
        ({"flag": 1}, ("flag", "true or false", "1")),
        ({"inner": {"depth": 0}}, ("inner.depth", "at least 1", "0")),
        ({"inner": {"depth": 10}}, ("inner.depth", "at most 9", "10")),
        ({"inner": []}, ("inner", "an object", "[]")),
        ({"more": 1}, ("more", "left out, since there is no such field", "1")),
    ],
)
def test_a_fault_has_field_expected_and_got(values, fault):
    assert _faults(**values) == [dict(zip(("field", "expected", "got"), fault, strict=True))]


def test_a_missing_value_is_reported_as_nothing():
    with pytest.raises(ValidationError) as caught:
        Sample()
    assert faults(caught.value) == [{"field": "name", "expected": "a value", "got": "nothing"}]


def test_all_faults_are_listed():
    assert [fault["field"] for fault in _faults(name="a", count=0, more=1)] == ["name", "count", "more"]


def test_a_long_value_is_cut():
    (fault,) = _faults(name="x" * 10_000)
    assert len(fault["got"]) == 80
    assert fault["got"].endswith("...")


def test_invalid_json_is_a_fault_of_the_body():
    error = {"type": "json_invalid", "loc": ("body", 7), "input": {}, "ctx": {"error": "Expecting value"}}
    assert explain(error) == {"field": "body", "expected": "valid JSON", "got": "something else (Expecting value)"}


def test_a_fault_of_the_whole_body_is_named_body():
    error = {"type": "model_attributes_type", "loc": ("body",), "input": [], "msg": "x"}
    assert explain(error) == {"field": "body", "expected": "an object", "got": "[]"}


def test_only_the_first_faults_are_listed_and_the_others_are_counted():
    errors = [
        {"type": "extra_forbidden", "loc": ("body", f"f{number}"), "input": 1} for number in range(MAX_FAULTS + 3)
    ]
    problem = invalid_request(errors, "settings.")
    assert len(problem.errors) == MAX_FAULTS
    assert problem.errors[0]["field"] == "settings.f0"
    assert problem.detail.endswith("this was 1. And 3 more.")
    assert "more" not in invalid_request(errors[:MAX_FAULTS]).detail


def test_a_value_that_cannot_be_written_is_named_by_its_type():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    error = {"type": "extra_forbidden", "loc": ("x" * 1000, "\ud800"), "input": deep}
    fault = explain(error)
    assert fault["got"] == "a very large list"
    assert len(fault["field"]) == 80
    assert explain(error | {"input": 10**5000, "loc": ("\ud800",)}) == {
        "field": "\\ud800", "expected": "left out, since there is no such field", "got": "a very large int"
    }  # fmt: skip
    while deep:  # as one object it would be taken apart by recursion
        deep = deep.pop()
