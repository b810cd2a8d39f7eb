"""Where everybody must sign in: what Gradio's own routes give to those who have not."""

import pytest

from tests.support.api import Session, connect
from tests.support.openid import provider, settings

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
PICTURE = {"files": ("picture.png", b"\x89PNG", "image/png")}


@pytest.fixture(scope="module")
def app(module_app):
    with provider() as issuer:
        yield module_app(page=True, engines=["bars"], **settings(issuer, require_login=True, oidc_title="The Lab"))


@pytest.fixture(scope="module")
def http(app):
    with connect(app.base_url) as http:
        yield http


def test_the_document_is_one_sign_in_screen_of_nobodys_data(http):
    document = http.get("/").text
    assert 'id="sign-in-title"' in document
    assert "Sign in with The Lab" in document


def test_an_upload_is_refused_before_it_is_kept(app, http):
    refused = http.post("/gradio_api/upload", files=PICTURE, headers=SAME_ORIGIN)
    assert (refused.status_code, refused.json()["code"]) == (401, "login_required")
    assert list((app.data_dir / "page-uploads").glob("*/*")) == []


def test_handlers_do_nothing_for_a_session_without_an_account(app, http):
    handlers = {event: one["id"] for one in http.get("/config").json()["dependencies"] for _, event in one["targets"]}
    inputs = {one["id"]: len(one["inputs"]) for one in http.get("/config").json()["dependencies"]}
    with Session(app.base_url) as session:
        for name in ("act", "fill", "explain", "resend"):
            number = handlers[name]
            data = [None] * (inputs[number] - 1) + [{"token": session.token}]
            body = {"fn_index": number, "data": data, "event_data": {"do": "pause", "fill": "reuse", "key": "k"}}
            answer = http.post(f"/gradio_api/run/{name}", json={**body, "session_hash": "x"}, headers=SAME_ORIGIN)
            assert answer.status_code == 200, (name, answer.text)
        for path in ("/generations", "/queue"):
            assert session.get(path).json()["code"] == "login_required"


def test_agents_are_refused_in_words(app, http):
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    call["params"] = {"name": "list_generations", "arguments": {}}
    with Session(app.base_url) as session:
        headers = {"Authorization": f"Bearer {session.token}", "Accept": "application/json, text/event-stream"}
        answer = http.post("/gradio_api/mcp/", json=call, headers=headers)
    assert "for people who have signed in" in answer.text


def test_public_routes_stay_public(http):
    assert http.get("/healthz").status_code == 200
    assert http.get("/s/unknown").status_code == 404
    assert http.get("/login", headers=SAME_ORIGIN).status_code == 307
