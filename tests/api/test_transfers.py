"""A session on another device, over HTTP."""

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


def test_the_link_leads_to_the_page_and_its_secret_is_not_sent_to_any_server(app, made):
    page, _, secret = made["url"].partition("#claim=")
    assert page == f"{app.base_url}/"
    assert len(secret) >= 43


def test_a_used_code_is_told_in_one_clear_sentence(http, made):
    secret = made["url"].partition("=")[2]
    assert http.post(f"{API}/sessions/claim", json={"code": secret}).status_code == 201
    late = http.post(f"{API}/sessions/claim", json={"code": secret})
    assert (late.status_code, late.json()["code"]) == (410, "code_refused")
    assert late.json()["detail"].startswith("This code was used before, has expired, or is wrong.")


def test_a_revoked_code_is_refused_as_a_used_one(session, http, made):
    assert [session.delete("/sessions/transfer").status_code for _ in range(2)] == [204, 204]
    late = http.post(f"{API}/sessions/claim", json={"code": made["code"]})
    assert late.json()["code"] == "code_refused"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_another_site_cannot_put_its_session_into_a_browser(http, made, headers):
    secret = made["url"].partition("=")[2]
    refused = http.post(f"{API}/sessions/claim", json={"code": secret}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
    assert "set-cookie" not in refused.headers
    same = http.post(f"{API}/sessions/claim", json={"code": secret}, headers={"Sec-Fetch-Site": "same-origin"})
    assert same.status_code == 201


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": "x" * 201}, {"code": 7}, {"code": "a", "more": 1}])
def test_what_is_no_code_at_all_is_invalid(http, body):
    response = http.post(f"{API}/sessions/claim", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_only_a_session_makes_codes(http):
    assert http.post(f"{API}/sessions/transfer").status_code == 401
