"""The operator's page, and who does not get to see it."""

import hmac
import time

import pytest

from tests.support.api import Session, connect
from videogen.core.security import Signer

TOKEN = "the-token-of-the-operator"
OWN = {"Sec-Fetch-Site": "same-origin"}
ACTS = ("pause", "resume", "drain", "cancel", "ban", "unban", "ban_address", "unban_address")
ACTS += ("unshare", "dismiss", "remove")


@pytest.fixture(scope="module")
def app(module_app):
    """One that renders nothing."""
    return module_app(engines=["bars"], workers=0, admin_token=TOKEN, secret_key="a secret for this test")


@pytest.fixture
def browser(app):
    """A browser that is not signed in."""
    with connect(app.base_url) as client:
        yield client


@pytest.fixture
def signed_in(browser):
    answer = browser.post("/admin/sign-in", data={"token": TOKEN}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly; SameSite=Strict" in cookie
    assert "Path=/admin; Max-Age=28800" in cookie
    assert TOKEN not in cookie
    return browser


def submit(app, prompt):
    """The token of a visitor, and the generation that waits."""
    with Session(app.base_url) as visitor:
        return visitor.token, visitor.submit(prompt=prompt)


def test_a_stranger_sees_only_the_form(app, browser):
    _, one = submit(app, "a heron")
    answer = browser.get("/admin")
    assert answer.status_code == 401
    assert 'name="token"' in answer.text
    assert one["id"] not in answer.text
    for path in ("audit", f"log/{one['id']}", "ask/pause"):
        answer = browser.get(f"/admin/{path}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin")


@pytest.mark.parametrize("path", ["gradio_api/queue/join", "gradio_api/queue/data", "gradio_api/info", "config", "x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_else_is_below_it_not_even_for_the_operator(signed_in, path, method):
    assert signed_in.request(method, f"/admin/{path}", headers=OWN).status_code in (404, 405)


@pytest.mark.parametrize("act", ACTS)
def test_a_stranger_and_another_site_do_nothing(app, browser, signed_in, act):
    with connect(app.base_url) as stranger:
        for cookie in ({}, {"Cookie": f"videogen_admin=99999999999.{'0' * 64}"}):
            answer = stranger.post(f"/admin/act/{act}", data={"target": "x"}, headers=OWN | cookie)
            assert (answer.status_code, answer.json()["code"]) == (401, "admin_required")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        answer = signed_in.post(f"/admin/act/{act}", data={"target": "x"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert {one["act"] for one in audit(app)} <= {"sign_in"}


def audit(app):
    with connect(app.base_url) as http:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return http.get("/api/v1/admin/audit", headers=headers).raise_for_status().json()["items"]


def test_a_cookie_that_has_run_out_or_is_of_another_token_is_none(app, signed_in):
    assert signed_in.get("/admin").status_code == 200
    key = Signer(b"a secret for this test").derive("admin-cookie")
    now, other_token = time.time(), "another-token-of-the-operator"
    for expires, token, status in ((now + 60, TOKEN, 200), (now - 1, TOKEN, 401), (now + 60, other_token, 401)):
        text = f"{int(expires)}:{token}".encode()
        cookie = f"{int(expires)}.{hmac.digest(key.encode(), text, 'sha256').hex()}"
        with connect(app.base_url) as other:
            assert other.get("/admin", headers={"Cookie": f"videogen_admin={cookie}"}).status_code == status


def test_the_cookie_does_not_open_the_api(signed_in):
    cookie = f"videogen_admin={signed_in.cookies['videogen_admin']}"
    assert signed_in.get("/api/v1/admin/overview", headers=OWN | {"Cookie": cookie}).status_code == 401


def test_a_wrong_token_is_refused_in_words_and_limited(browser):
    headers = OWN | {"Accept-Language": "de", "X-Forwarded-For": "192.0.2.9"}
    answers = [browser.post("/admin/sign-in", data={"token": f"wrong-{n}"}, headers=headers) for n in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert "Das ist nicht das Token" in answers[0].text


def test_the_operator_sees_what_waits_escaped_and_acts_on_it_after_a_question(app, signed_in):
    token, one = submit(app, "<script>alert(1)</script> a lake")
    page = signed_in.get("/admin")
    assert one["id"] in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script" not in page.text
    assert token not in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    question = signed_in.get(f"/admin/ask/cancel?target={one['id']}")
    assert f'value="{one["id"]}"' in question.text
    answer = signed_in.post("/admin/act/cancel", data={"target": one["id"]}, headers=OWN)
    assert answer.status_code == 303
    assert one["id"] not in signed_in.get("/admin").text.partition("Engines")[0]
    newest = audit(app)[0]
    assert (newest["act"], newest["target"]) == ("cancel", one["id"])
    assert one["id"] in signed_in.get("/admin/audit").text
    assert signed_in.post("/admin/act/cancel", data={"target": "gen_unknown"}, headers=OWN).status_code == 404


def test_signing_out_ends_it(signed_in):
    assert signed_in.post("/admin/sign-out", headers=OWN).status_code == 303
    assert signed_in.get("/admin").status_code == 401
