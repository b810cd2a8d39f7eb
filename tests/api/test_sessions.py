import hashlib

import httpx
import pytest

from tests.support.api import API, TINY

SUBMIT = {"prompt": "a test", "engine": "bars", "settings": TINY}


@pytest.fixture
def cookie(http):
    """The header of a browser that has visited the page."""
    value = http.get("/").headers["set-cookie"].partition(";")[0]
    http.cookies.clear()
    return {"Cookie": value}


def _token(cookie):
    return cookie["Cookie"].partition("=")[2]


def test_a_new_session_has_an_id_and_a_token(http):
    response = http.post(f"{API}/sessions")
    assert response.status_code == 201
    assert response.json().keys() == {"sessionId", "token"}


def test_a_bearer_token_opens_its_session(http):
    token = http.post(f"{API}/sessions").json()["token"]
    assert http.get(f"{API}/generations", headers={"Authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Cookie": "videogen_session=wrong"},
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/generations"),
        ("POST", "/generations"),
        ("GET", "/generations/gen_a"),
        ("DELETE", "/generations/gen_a"),
        ("GET", "/events"),
        ("GET", "/generations/gen_a/events"),
        ("GET", "/projects/prj_a/events"),
    ],
)
def test_every_request_without_a_session_is_401(http, headers, method, path):
    headers = headers | {"Sec-Fetch-Site": "same-origin"}
    response = http.request(method, API + path, headers=headers, json=SUBMIT if method == "POST" else None)
    assert response.status_code == 401
    assert response.json()["code"] == "session_required"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_wrong_token_is_rejected_despite_a_valid_cookie(http, cookie):
    response = http.get(f"{API}/generations", headers=cookie | {"Authorization": "Bearer wrong"})
    assert response.status_code == 401


@pytest.mark.on_disk
def test_only_the_hash_of_a_token_is_on_disk(app, http):
    token = http.post(f"{API}/sessions").json()["token"]
    on_disk = b"".join(path.read_bytes() for path in app.data_dir.rglob("*") if path.is_file())
    assert hashlib.sha256(token.encode()).hexdigest().encode() in on_disk
    assert token.encode() not in on_disk


def test_the_page_sets_a_cookie_that_scripts_and_other_sites_cannot_use(http):
    header = http.get("/").headers["set-cookie"]
    attributes = [part.strip() for part in header.split(";")]
    assert attributes[0].startswith("videogen_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    assert "Secure" not in attributes, "a browser would drop it over plain http"


def test_over_https_the_cookie_is_secure(http):
    header = http.get("/", headers={"X-Forwarded-Proto": "https"}).headers["set-cookie"]
    assert "Secure" in header
    assert "SameSite=Lax" in header


def test_framed_over_https_the_cookie_is_partitioned(http):
    framed = {"X-Forwarded-Proto": "https", "Sec-Fetch-Dest": "iframe"}
    header = http.get("/", headers=framed).headers["set-cookie"]
    assert header.endswith("SameSite=None; Secure; Partitioned")
    assert "HttpOnly" in header


def test_a_valid_cookie_is_kept_and_an_unknown_one_is_replaced(http, cookie):
    assert "set-cookie" not in http.get("/", headers=cookie).headers
    assert "set-cookie" in http.get("/", headers={"Cookie": "videogen_session=unknown"}).headers


def test_the_cookie_opens_the_same_session_as_its_token(http, cookie):
    made = http.post(f"{API}/generations", json=SUBMIT, headers=cookie | {"Sec-Fetch-Site": "same-origin"})
    generation = made.json()["generations"][0]
    bearer = {"Authorization": f"Bearer {_token(cookie)}"}
    assert http.get(f"{API}/generations/{generation['id']}", headers=bearer).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "SELF"}, 403),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 404),
        ({"Origin": "SELF"}, 404),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/generations/x/cancel"), ("PATCH", "/generations/x"), ("DELETE", "/generations/x")]
)
def test_a_write_with_only_the_cookie_must_come_from_the_same_origin(app, http, cookie, headers, status, method, path):
    headers = {name: app.base_url if value == "SELF" else value for name, value in headers.items()}
    response = http.request(method, API + path, headers=cookie | headers, json={} if method == "PATCH" else None)
    assert response.status_code == status
    assert response.json()["code"] == {403: "cross_site", 404: "not_found"}[status]


def test_a_submit_from_another_site_creates_nothing(http, cookie):
    response = http.post(f"{API}/generations", json=SUBMIT, headers=cookie | {"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert http.get(f"{API}/generations", headers=cookie).json()["items"] == []


def test_a_read_with_the_cookie_needs_no_origin(http, cookie):
    headers = cookie | {"Sec-Fetch-Site": "cross-site"}
    assert http.get(f"{API}/generations", headers=headers).status_code == 200


def test_a_write_with_a_bearer_token_may_come_from_any_origin(http):
    token = http.post(f"{API}/sessions").json()["token"]
    headers = {"Authorization": f"Bearer {token}", "Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.org"}
    assert http.post(f"{API}/generations/x/cancel", headers=headers).status_code == 404


def test_other_pages_set_no_cookie(http):
    for path in ("/healthz", "/docs", f"{API}/engines"):
        assert "set-cookie" not in http.get(path).headers


def test_the_cookie_can_be_set_from_a_bearer_token(app, session):
    response = session.post("/sessions/cookie")
    assert response.status_code == 204
    assert response.headers["set-cookie"].startswith(f"videogen_session={session.token};")
    refused = httpx.post(f"{app.base_url}{API}/sessions/cookie", headers={"Authorization": "Bearer wrong"})
    assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 204),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Origin": "SELF"}, 204),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "SELF"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Referer": "https://evil.example.org/page"}, 403),
    ],
    ids=repr,
)
def test_only_the_sites_own_pages_put_a_session_into_a_browser(app, session, headers, status):
    headers = {name: app.base_url if value == "SELF" else value for name, value in headers.items()}
    answer = session.post("/sessions/cookie", headers=headers)
    assert answer.status_code == status
    assert ("set-cookie" in answer.headers) == (status == 204)
    assert status == 204 or answer.json()["code"] == "cross_site"
