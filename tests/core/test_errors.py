import inspect

import pytest

from videogen.core import errors
from videogen.core.errors import ConfigError, InvalidRequestError, LimitExceededError, NotFoundError, VideogenError

ALL = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, VideogenError)]


def test_every_error_has_a_code_of_its_own():
    codes = [error.code for error in ALL]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.code)
def test_an_error_says_by_default_what_its_class_says(error):
    if "__init__" not in vars(error):
        assert error().detail == inspect.getdoc(error).splitlines()[0]


def test_an_error_says_what_happened_this_time():
    told = [
        NotFoundError("No."),
        ConfigError("VIDEOGEN_PORT", "a number", "x"),
        LimitExceededError("Full.", retry_after=30),
    ]
    assert [str(error) for error in told] == ["No.", "VIDEOGEN_PORT: expected a number, got 'x'.", "Full."]


def test_a_request_with_several_faults_tells_all_of_them():
    faults = [{"field": "a", "expected": "1", "got": "2"}, {"field": "b", "expected": "3", "got": "4"}]
    error = InvalidRequestError.of(faults)
    assert error.errors == faults
    assert error.detail == "a: expected 1, got 2. b: expected 3, got 4."
    assert str(error) == error.detail
