"""Request bodies that are too large, too deep, or not what a route expects: refused in words, soon and for little."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from tests.support.api import API, Session

MAX_BODY_KB = 64


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(page=True, max_body_kb=MAX_BODY_KB, max_prompt_chars=100_000)


@pytest.fixture
def session(app):
    with Session(app.base_url) as session:
        yield session


def problem(response, status, code):
    """The problem of a response."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["code"] == code
    return response.json()


# Size

ROUTES = [
    ("POST", f"{API}/generations"),
    ("POST", f"{API}/sessions"),
    ("GET", "/healthz"),
    ("POST", "/gradio_api/run/predict"),
    ("POST", "/gradio_api/queue/join"),
    ("POST", "/nothing"),
    ("POST", "/"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_body_over_the_limit_is_refused_before_it_is_read(session, method, path):
    body = b'{"prompt": "' + b"a" * MAX_BODY_KB * 1024
    response = session.http.request(method, path, content=body, headers={"Content-Type": "application/json"})
    detail = problem(response, 413, "too_large")["detail"]
    assert f"at most {MAX_BODY_KB} kB (VIDEOGEN_MAX_BODY_KB)" in detail


def test_a_length_over_the_limit_is_refused_without_the_body(app):
    connection = http.client.HTTPConnection(urlsplit(app.base_url).netloc, timeout=20)
    connection.putrequest("POST", f"{API}/generations")
    connection.putheader("Content-Length", "10000000000")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("path", [f"{API}/generations", "/gradio_api/queue/join"])
def test_a_body_of_unknown_length_is_cut_at_the_limit_and_the_connection_stays_good(app, path):
    connection = http.client.HTTPConnection(urlsplit(app.base_url).netloc, timeout=20)
    pieces = (b"a" * 1024 for _ in range(20 * MAX_BODY_KB))
    connection.request("POST", path, body=pieces, headers={"Content-Type": "application/json"}, encode_chunked=True)
    response = connection.getresponse()
    assert response.status == 413
    assert b'"too_large"' in response.read()
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()


def test_a_body_at_the_limit_is_taken(session):
    body = json.dumps({"prompt": "a test", "engine": "bars"}).encode()
    padded = body + b" " * (MAX_BODY_KB * 1024 - len(body))
    response = session.post("/generations", content=padded, headers={"Content-Type": "application/json"})
    assert response.status_code == 201


def test_files_and_imports_have_limits_of_their_own(session):
    large = b"a" * MAX_BODY_KB * 1024 * 2
    assert session.try_upload(large).json()["code"] == "unsupported_media_type"
    assert session.post("/import", content=large).json()["code"] == "not_an_export"
