"""The attributes of the cookies that the app sets."""

import pytest
from starlette.requests import Request

from videogen.web.cookies import cookie_header


@pytest.mark.parametrize(
    ("scheme", "dest", "rules"),
    [
        ("http", "iframe", "SameSite=Lax"),
        ("https", "document", "SameSite=Lax; Secure"),
        ("https", "iframe", "SameSite=None; Secure; Partitioned"),
    ],
)
def test_a_cookie_is_partitioned_where_the_app_is_framed_over_https(scheme, dest, rules):
    headers = [(b"host", b"videogen.test"), (b"sec-fetch-dest", dest.encode())]
    scope = {"type": "http", "scheme": scheme, "path": "/app/", "root_path": "/app", "query_string": b""}
    request = Request(scope | {"headers": headers, "server": ("videogen.test", 80)})
    assert (
        cookie_header(request, "name", "v", 60, http_only=True) == f"name=v; Path=/app; Max-Age=60; HttpOnly; {rules}"
    )
    assert cookie_header(request, "name", "v", 60, http_only=False) == f"name=v; Path=/app; Max-Age=60; {rules}"
