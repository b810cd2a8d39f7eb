"""An engine that renders on the account of whoever has signed in: that token gets to that job, and nowhere else."""

from pathlib import Path

import pytest

from tests.support.api import API, Session
from tests.support.app import App
from tests.support.openid import Browser, provider, settings
from tests.support.providers.fal import Fal
from tests.support.stand_in import serve
from videogen.core.errors import ConfigError
from videogen.engines.registry import load_engine
from videogen.engines.remote.faults import Place
from videogen.engines.remote.provider import RemoteFault
from videogen.engines.spec import EngineSpec

MODEL = "fal-ai/ltx-video/image-to-video"
TABLE = """
[[engine]]
id = "own"
kind = "fal"
model = "{model}"
base_url = "{url}/router/fal-ai"
account = "visitor"
concurrency = 1
poll_seconds = 0.01

[engine.inputs]
prompt = {{ from = "prompt" }}
width = {{ from = "width" }}
height = {{ from = "height" }}
duration = {{ from = "seconds" }}
frame_rate = {{ from = "fps" }}
"""


@pytest.fixture(scope="module")
def fal():
    return Fal(token="")


@pytest.fixture(scope="module")
def router(fal):
    with serve(fal.app) as router:
        yield router


@pytest.fixture(scope="module")
def app(router, tmp_path_factory):
    table = tmp_path_factory.mktemp("tables") / "own.toml"
    table.write_text(TABLE.format(model=MODEL, url=router.url))
    with (
        provider() as issuer,
        App(tmp_path_factory.mktemp("own"), ["bars", str(table)], page=False, **settings(issuer)) as app,
    ):
        yield app


@pytest.fixture
def session(app):
    with Session(app.base_url) as session:
        yield session


@pytest.fixture
def sign_in(app, session):
    """Signs the session in as a person; its browser."""
    browser = Browser(app.base_url, session.token)

    def sign_in(person):
        answer = browser.sign_in(person)
        if answer.status_code == 200:  # other devices have the session open
            answer = browser.answer(answer)
        assert answer.status_code == 303
        return browser

    yield sign_in
    browser.close()


def tokens_at(router):
    return {one.headers["authorization"] for one in router.asked(path="/router/")}


def test_nobody_renders_on_no_account(app, session, fal, router):
    engine = {one["id"]: one for one in session.get("/engines").json()["items"]}["own"]
    assert (engine["available"], engine["capabilities"]["visitorAccount"]) == (True, True)
    refused = session.try_submit("own")
    assert (refused.status_code, refused.json()["code"]) == (403, "account_required")
    assert "Sign in" in refused.json()["detail"]
    assert router.posts() == 0


def test_a_signed_in_visitors_token_pays_and_is_written_nowhere(app, session, router, sign_in):
    browser = sign_in("ada")
    assert session.get("/account").json()["canRender"] is True
    done = session.finish(session.submit("own")["id"])
    assert done["status"] == "completed", done
    (header,) = tokens_at(router)
    token = header.removeprefix("Bearer ")
    assert len(token) > 10
    told = [session.get(path).text for path in ("/account", "/generations", "/engines", "/export", "/devices")]
    told += [session.get(f"/generations/{done['id']}/log").text, browser.http.get("/login").text, app.log]
    told += [str(child.environ()) for child in app.children()]
    assert token not in str(told)
    files = [path for path in Path(app.data_dir).rglob("*") if path.is_file()]
    assert any(path.suffix.startswith(".sqlite") for path in files)
    assert [path.name for path in files if token.encode() in path.read_bytes()] == []


def test_after_a_sign_out_what_has_begun_goes_on_and_what_waits_fails_with_a_clear_line(session, fal, router, sign_in):
    code = session.post("/sessions/transfer").json()["code"]
    other = session.http.post(f"{API}/sessions/claim", json={"code": code}).json()["token"]
    browser = sign_in("bob")
    fal.held = True
    before = router.posts("/router/")
    begun, waits = session.submit("own")["id"], session.submit("own")["id"]
    router.wait_for("POST", "/router/", before + 1)
    assert browser.http.post("/logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    session.http.headers["Authorization"] = f"Bearer {other}"
    assert session.get("/account").json()["canRender"] is False
    fal.held = False
    assert session.finish(begun)["status"] == "completed"
    failed = session.finish(waits)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "account_required")
    assert "Sign in" in failed["error"]["message"]
    assert router.posts("/router/") == before + 1, "nothing was sent for it"


def of(kind, **options):
    return EngineSpec(id="own", kind=kind, model=MODEL, options={"account": "visitor", **options}).reference


@pytest.mark.parametrize("kind", ["fal", "openrouter"])
def test_other_kinds_take_no_account_of_a_visitor(kind):
    with pytest.raises(ConfigError, match="account"):
        load_engine(of(kind))


def test_an_operators_key_has_no_place_beside_it():
    with pytest.raises(ConfigError, match="left out, since the account of the visitor pays"):
        load_engine(of("videos-http", base_url="http://gateway.example", key="env:SOME_KEY"))


def test_a_refusal_says_what_the_visitor_can_do():
    place = Place("Here", "", "https://look.example", on_visitor_account=True)
    assert "Sign out of this page and in again" in place.describe(RemoteFault("key"))
    assert "Your account at Here has no credit" in place.describe(RemoteFault("credit"))
