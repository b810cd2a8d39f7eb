"""Request bodies that are too large, too deep, or not what a route expects: refused in words, soon and for little."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from tests.support.api import API, Session, connect
from tests.support.pictures import photo

MAX_BODY_KB = 64


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(max_body_kb=MAX_BODY_KB, max_prompt_chars=100_000)


@pytest.fixture
def session(app):
    with Session(app.base_url) as session:
        yield session


@pytest.fixture(autouse=True)
def _nothing_unexpected(app):
    """No test may leave a traceback in the server's log."""
    before = len(app.log)
    yield
    assert "Traceback" not in app.log[before:], app.log[before:]


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


@pytest.mark.parametrize("path", [f"{API}/generations", f"{API}/import", "/"])
def test_a_length_may_have_thousands_of_zeros(app, path):
    connection = http.client.HTTPConnection(urlsplit(app.base_url).netloc, timeout=20)
    connection.request("POST", path, body=b"{}", headers={"Content-Length": "0" * 5000 + "2"})
    assert connection.getresponse().status < 500
    connection.close()


def test_a_body_of_unknown_length_is_cut_at_the_limit_and_the_connection_stays_good(app):
    connection = http.client.HTTPConnection(urlsplit(app.base_url).netloc, timeout=20)
    pieces = (b"a" * 1024 for _ in range(20 * MAX_BODY_KB))
    connection.request(
        "POST", f"{API}/generations", body=pieces, headers={"Content-Type": "application/json"}, encode_chunked=True
    )
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


# Faults


def test_a_list_of_faults_is_short(session):
    fields = {f"field{number}": number for number in range(3000)}
    response = session.post("/generations", json=fields)
    body = problem(response, 422, "invalid_request")
    assert len(body["errors"]) == 20
    assert body["detail"].endswith("And 2980 more.")
    assert len(response.content) < 8_000
    many = session.try_submit(settings=fields).json()
    assert (len(many["errors"]), many["errors"][0]["field"]) == (20, "settings.field0")


@pytest.mark.parametrize("body", [{"x": "a" * 60_000}, {"a" * 60_000: "x"}, {"type": "a" * 60_000}, ["a" * 60_000]])
def test_a_long_value_or_name_does_not_come_back(session, body):
    response = session.post("/generations", json=body)
    assert problem(response, 422, "invalid_request")
    assert len(response.content) < 2_000


@pytest.mark.parametrize("path", [f"{API}/generations", f"{API}/sessions/claim"])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_is_named(session, path, opening):
    body = b'{"prompt": "]\\"[", "settings": ' + opening * 5000
    response = session.http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert "JSON nested at most 64 levels deep" in problem(response, 422, "invalid_request")["detail"]


def test_brackets_in_texts_are_no_nesting(session):
    prompt = '[{\\"' * 1000
    assert session.try_submit(prompt=prompt).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b'{"prompt": "a", "settings": {"seed": 1%s}}' % (b"0" * 5000),
        b'{"prompt": "a", "settings": {"seed": 1%s}}' % (b"0" * 400),
        b'{"prompt": "a", "settings": {"durationSeconds": 1%s}}' % (b"0" * 400),
        b'{"prompt": "a", "settings": {"seed": 9223372036854775808}}',
        b'{"prompt": "a", "settings": {"durationSeconds": 1e999}}',
        b'{"prompt": "a", "settings": {"durationSeconds": NaN}}',
        b'{"prompt": "a", "settings": {"other": %s}}' % (b"[" * 60 + b"]" * 60),
        b'{"prompt": "a", "variations": 99999999999999999999999}',
        b'{"prompt": "a\\ud800"}',
        b'{"prompt": "a\\u0000"}',
        b'{"prompt": "\xff"}',
        b'{"prompt": "a", "engine": "\\ud800"}',
        b'{"prompt": "a", "inputFileId": "\\ud800\\u0000"}',
        '{"prompt": "a"}'.encode("utf-16"),
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"1e999",
    ],
)
def test_a_request_of_any_json_is_422(session, app, body):
    response = session.post("/generations", content=body, headers={"Content-Type": "application/json"})
    assert problem(response, 422, "invalid_request")


ODD = [
    "\x00",
    "%00",
    "\ud800",
    "é" * 200,
    "../../etc/passwd",
    "%2e%2e",
    "'; DROP TABLE x;--",
    "a" * 5000,
    "\u202e",
    " ",
]


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_id_is_404(session, app, odd):
    odd = odd.encode("utf-8", "surrogatepass")
    quoted = "".join(f"%{byte:02x}" for byte in odd)
    for path in (
        "generations/{}",
        "generations/{}/events",
        "files/{}",
        "projects/{}/events",
        "engines/{}/presets/{}/poster.webp",
    ):
        assert session.get(f"/{path.format(quoted, quoted)}").status_code == 404
    assert session.post(f"/generations/{quoted}/cancel").status_code == 404
    assert session.delete(f"/generations/{quoted}/share").status_code == 404
    for path in (
        "/media/{}?exp={}&sig={}",
        "/exports?session={}&exp={}&sig={}",
        "/zips/{}",
        "/s/{}",
        "/s/{}/video.mp4",
        "/s/{}/events",
        "/oembed?url={}",
    ):
        assert session.http.get(path.format(quoted, quoted, quoted)).status_code == 404
    chosen = {"ids": [odd.decode("utf-8", "replace")[:100]]}
    assert session.post("/generations/trash", json=chosen).status_code in (200, 422)


@pytest.mark.parametrize("value", ["", "-1", "1e9", "9" * 30, "NaN", "%00", "%ff", "0001-01-01", "[]", "a" * 3000])
def test_query_parameters_of_any_value_are_a_page_or_422(session, app, value):
    for name in ("limit", "cursor", "status", "q", "engine", "type", "favorite", "nothing"):
        for path in ("/generations", "/generations/ids"):
            assert session.get(f"{path}?{name}={value}").status_code in (200, 422)


@pytest.mark.parametrize(
    "value", [b"", b"\xff\xfe", b"Bearer", b"Bearer \xff", b"Basic YTpi", b"a" * 20_000, b"bearer a b"]
)
def test_odd_credentials_are_401(app, session, value):
    for headers in ({"Authorization": value}, {"Cookie": b"videogen_session=" + value}, {"Cookie": value + b"=;;="}):
        given = {**headers, "Sec-Fetch-Site": "same-origin"}
        with connect(app.base_url) as http:
            assert http.get(f"{API}/generations", headers=given).status_code == 401


@pytest.mark.parametrize(
    "value",
    ["", "bytes", "bytes=", "bytes=a-b", "bytes=9-1", "bytes=-", "items=0-1", "bytes=0-1,x", "bytes=0-" + "9" * 5000],
)
def test_a_malformed_range_is_ignored(session, app, value):
    url = session.upload(photo())["url"]
    whole = session.http.get(url)
    answer = session.http.get(url, headers={"Range": value})
    assert answer.status_code in (200, 206)
    assert (answer.content == whole.content) or answer.status_code == 206
