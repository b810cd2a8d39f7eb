"""One-time codes that open a session on another device, over HTTP."""

import pytest

from tests.support.api import API


@pytest.fixture
def made(session):
    response = session.post("/sessions/transfer")
    assert response.status_code == 201, response.text
    return response.json()


def test_a_code_opens_the_same_session_with_another_token_and_sets_the_cookie(session, http, made):
    generation = session.submit()
    response = http.post(f"{API}/sessions/claim", json={"code": made["code"]})
    assert response.status_code == 201
    claimed = response.json()
    assert claimed["sessionId"] == session.id
    assert claimed["token"] != session.token
    assert f"videogen_session={claimed['token']}" in response.headers["set-cookie"]
    assert response.headers["cache-control"] == "no-store"
    bearer = {"Authorization": f"Bearer {claimed['token']}"}
    assert http.get(f"{API}/generations/{generation['id']}", headers=bearer).status_code == 200
    assert session.read(generation["id"])["id"] == generation["id"]


def test_the_secret_of_a_link_is_in_the_fragment_and_never_sent_to_a_server(app, made):
    page, _, secret = made["url"].partition("#claim=")
    assert page == f"{app.base_url}/"
    assert len(secret) >= 43


def test_a_used_code_is_refused_with_an_explanation(http, made):
    secret = made["url"].partition("=")[2]
    assert http.post(f"{API}/sessions/claim", json={"code": secret}).status_code == 201
    late = http.post(f"{API}/sessions/claim", json={"code": secret})
    assert (late.status_code, late.json()["code"]) == (410, "code_refused")
    assert late.json()["detail"].startswith("This code was used before, has expired, or is wrong.")


def test_a_revoked_code_is_refused_like_a_used_one(session, http, made):
    assert [session.delete("/sessions/transfer").status_code for _ in range(2)] == [204, 204]
    late = http.post(f"{API}/sessions/claim", json={"code": made["code"]})
    assert late.json()["code"] == "code_refused"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_another_site_cannot_set_its_session_in_a_browser(http, made, headers):
    secret = made["url"].partition("=")[2]
    refused = http.post(f"{API}/sessions/claim", json={"code": secret}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
    assert "set-cookie" not in refused.headers
    same = http.post(f"{API}/sessions/claim", json={"code": secret}, headers={"Sec-Fetch-Site": "same-origin"})
    assert same.status_code == 201


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": "x" * 201}, {"code": 7}, {"code": "a", "more": 1}])
def test_a_malformed_code_is_invalid(http, body):
    response = http.post(f"{API}/sessions/claim", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_a_transfer_code_needs_a_session(http):
    assert http.post(f"{API}/sessions/transfer").status_code == 401
