"""What people read of an error of the bucket."""

import pytest

from videogen.storage.s3 import _first_line

PAGE = "http://host/bucket?list-type=2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            f"Generic S3 error: Error performing list request: Error performing GET {PAGE} in 12.7ms - 404: <\n<?",
            f"Error performing GET {PAGE} - 404",
        ),
        (
            f"Generic S3 error: Error performing GET {PAGE} in 1.2s, after 4 retries, retry_timeout: 20s  ",
            f"Error performing GET {PAGE}, after 4 retries, retry_timeout: 20s",
        ),
        ("", "ValueError"),
    ],
)
def test_it_says_what_went_wrong_and_no_more(text, shown):
    assert _first_line(ValueError(text)) == shown
