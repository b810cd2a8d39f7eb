import json

import pytest

from videogen.web.body_limit import MAX_DEPTH, is_nested_too_deep


@pytest.mark.parametrize(
    ("body", "deep"),
    [
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, False),
        (b"[" * (MAX_DEPTH + 1), True),
        (b'{"a":' * MAX_DEPTH, False),
        (b'{"a":' * (MAX_DEPTH + 1), True),
        (b"[]" * 1000, False),
        (json.dumps({"a": "[" * 1000}).encode(), False),
        (json.dumps({"a": '\\"[{' * 1000, "[" * 100: "\n["}).encode(), False),
        (b'["\\\\", ' + b"[" * MAX_DEPTH, True),
        (b'"' + b"[" * 1000, False),
    ],
)
def test_nesting_is_counted_outside_of_texts(body, deep):
    assert is_nested_too_deep(body) == deep
