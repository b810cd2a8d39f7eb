import inspect

import pytest

from videogen.core import errors
from videogen.core.errors import (
    ConfigError,
    InvalidRequestError,
    LimitExceededError,
    NotFoundError,
    UnknownRouteError,
    VideogenError,
)

ALL = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, VideogenError)]


def test_every_error_class_has_its_own_code():
    # An unknown route is an unknown thing, with a `type` of its own.
    codes = [error.code for error in ALL if error is not UnknownRouteError]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.code)
def test_the_default_detail_of_an_error_is_its_docstring(error):
    if "__init__" not in vars(error):
        assert error().detail == inspect.getdoc(error).splitlines()[0]


def test_an_error_has_its_own_detail():
    errors = [
        NotFoundError("No."),
        ConfigError("VIDEOGEN_PORT", "a number", "x"),
        LimitExceededError("Full.", retry_after=30),
    ]
    assert [str(error) for error in errors] == ["No.", "VIDEOGEN_PORT: expected a number, got 'x'.", "Full."]


def test_an_invalid_request_lists_all_faults():
    faults = [{"field": "a", "expected": "1", "got": "2"}, {"field": "b", "expected": "3", "got": "4"}]
    error = InvalidRequestError.of(faults)
    assert error.errors == faults
    assert error.detail == "a must be 1; this was 2. b must be 3; this was 4."
    assert str(error) == error.detail
