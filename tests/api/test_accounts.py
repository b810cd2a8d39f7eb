"""Signing in and out over HTTP, with a real OpenID provider; and the attacks on it."""

import sqlite3
from contextlib import ExitStack, closing

import pytest

from tests.support.api import API, Session
from tests.support.openid import Browser, provider, settings


@pytest.fixture(scope="module")
def issuer():
    with provider() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def app(module_app, issuer):
    more = settings(issuer, oidc_title="The Lab", admin_users="Ada,root")
    return module_app(engines=["bars", "until-cancelled"], workers=1, **more)


@pytest.fixture
def browser(app):
    """Opens browsers: each with its own cookies."""
    with ExitStack() as stack:

        def open_browser(token="", base_url=app.base_url):
            one = Browser(base_url, token)
            stack.callback(one.close)
            return one

        yield open_browser


@pytest.fixture
def anyone(app):
    """Makes anonymous sessions."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Session(app.base_url))


def is_signed_in(token, app):
    with Session(app.base_url) as session:
        session.http.headers["Authorization"] = f"Bearer {token}"
        return session.get("/account").json()


def ids(session):
    return {item["id"] for item in session.get("/generations").json()["items"]}


def test_signing_in_ties_the_browsers_session_to_the_account(app, anyone, browser):
    session = anyone()
    made = session.submit()
    assert session.get("/account").json() is None
    done = browser(session.token).sign_in("tim", path="/login?next=/%3Fgeneration%3Dx")
    assert (done.status_code, done.headers["location"]) == (303, "/?generation=x")
    account = session.get("/account").json()
    assert account == {"name": "tim", "username": "tim", "picture": None, "provider": "The Lab", "canRender": False}
    assert ids(session) == {made["id"]}, "the token and the history are as before"


def test_signing_in_on_another_device_merges_what_was_made_there(app, anyone, browser):
    first, second = anyone(), anyone()
    made = {first.submit()["id"], second.submit()["id"]}
    for session in (first, second):
        assert browser(session.token).sign_in("mia").status_code == 303
    assert ids(first) == ids(second) == made
    third = first.submit()["id"]
    assert third in ids(second), "from now on it is one session"


def test_a_browser_without_anything_gets_the_accounts_history(app, anyone, browser):
    session = anyone()
    made = session.submit()["id"]
    browser(session.token).sign_in("joe")
    new = browser()
    assert new.sign_in("joe").status_code == 303
    items = new.http.get(f"{API}/generations").json()["items"]
    assert [item["id"] for item in items] == [made]


def test_two_accounts_are_never_merged_only_the_device_changes(app, anyone, browser):
    session, at_home = anyone(), anyone()
    kept = session.submit()["id"]
    browser(session.token).sign_in("one")
    browser(at_home.token).sign_in("one")
    assert browser(session.token).sign_in("two").status_code == 303
    assert ids(session) == set(), "account two has made nothing"
    assert ids(at_home) == {kept}
    assert session.get("/account").json()["username"] == "two"


def test_an_open_stream_starts_anew_after_the_merge_with_rising_numbers(app, anyone, browser):
    home, away = anyone(), anyone()
    at_home, abroad = home.submit("until-cancelled")["id"], away.submit("until-cancelled")["id"]
    browser(home.token).sign_in("kim")
    with away.stream("/events") as stream:
        before = next(iter(stream))
        browser(away.token).sign_in("kim")
        rest = list(stream)  # it ends
    last = max(frame.id for frame in [before, *rest])
    with away.stream("/events", last) as stream:
        assert stream.response.headers["videogen-resumed-after"] == "0"
        frames = iter(stream)
        first = [next(frames), next(frames)]
    assert {frame.data["generationId"] for frame in first} == {at_home, abroad}
    assert max(frame.id for frame in first) > last
    # A stream of one generation goes on where it was.
    with home.stream(f"/generations/{abroad}/events", last) as stream:
        assert stream.response.headers["videogen-resumed-after"] == str(last)
        assert next(iter(stream)).id > last
    for one in (at_home, abroad):
        home.cancel(one)


def test_a_link_ties_the_session_that_made_it_after_a_question(app, anyone, browser):
    framed = anyone()
    made = framed.submit()["id"]
    link = framed.post("/account/link")
    assert link.status_code == 201
    tab = browser()  # a frame's cookies are not sent here
    question = tab.sign_in("ann", path=link.json()["url"].removeprefix(app.base_url))
    assert question.status_code == 200
    assert "1 video or picture" in question.text
    assert "frame-ancestors 'none'" in question.headers["content-security-policy"]
    assert framed.get("/account").json() is None, "not before the answer"
    assert "You are signed in" in tab.answer(question).text
    assert framed.get("/account").json()["username"] == "ann"
    assert ids(framed) == {made}
    assert tab.token is None, "the tab's own session has nothing to do with it"


def test_the_pages_of_a_sign_in_speak_the_language_of_the_page_that_began_it(app, anyone, browser):
    path = anyone().post("/account/link").json()["url"].removeprefix(app.base_url)
    tab = browser()
    question = tab.sign_in("uwe", path=f"{path}&language=de")
    assert '<html lang="de">' in question.text
    assert "Sie sind angemeldet" in tab.answer(question).text


def test_a_link_works_once(anyone, browser, app):
    path = anyone().post("/account/link").json()["url"].removeprefix(app.base_url)
    assert browser().begin(path).status_code == 307
    late = browser().begin(path)
    assert (late.status_code, "set-cookie" in late.headers) == (410, False)
    assert browser().begin("/login?link=made-up").status_code == 410


def test_a_link_of_an_attacker_ties_nothing_without_an_answer(anyone, browser, app):
    attacker, victim = anyone(), anyone()
    path = attacker.post("/account/link").json()["url"].removeprefix(app.base_url)
    question = browser(victim.token).sign_in("vic", path=path)
    assert "Go on only if you pressed Sign in on that page yourself" in question.text
    assert attacker.get("/account").json() is victim.get("/account").json() is None


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_that_opens_the_sign_in_leads_to_a_question(anyone, browser, site):
    victim = browser(anyone().token)
    question = victim.come_back(victim.agree(victim.begin(**{"Sec-Fetch-Site": site}), "sue"))
    assert (question.status_code, victim.account()) == (200, None)
    assert victim.answer(question, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert victim.account() is None
    assert victim.answer(question).status_code == 303
    assert victim.account()["username"] == "sue"


def test_other_devices_of_an_anonymous_session_are_named_before_they_get_the_account(anyone, browser, app):
    planted = anyone()
    code = planted.post("/sessions/transfer").json()["code"]
    claimed = planted.http.post(f"{API}/sessions/claim", json={"code": code}).json()["token"]
    victim = browser(claimed)
    question = victim.sign_in("eva")
    assert "1 other device has the same session open" in question.text
    assert planted.get("/account").json() is None


def test_an_answer_of_the_provider_counts_in_the_browser_that_began(anyone, browser):
    attacker, victim = browser(), browser(anyone().token)
    stolen = attacker.agree(attacker.begin(), "eve")
    refused = victim.come_back(stolen)
    assert (refused.status_code, victim.account()) == (410, None)
    victim.begin()
    assert victim.come_back(stolen).status_code == 400, "with a sign-in of its own, the state is another"
    assert victim.account() is None


def test_the_same_answer_is_of_no_use_twice(browser):
    person = browser()
    back = person.agree(person.begin(), "ray")
    state = person.http.cookies.get("videogen_login")
    assert person.come_back(back).status_code == 303
    assert person.come_back(back).status_code == 410
    # Also for one who has kept the cookie: the provider knows each code once.
    person.http.cookies.set("videogen_login", state)
    assert person.come_back(back).status_code == 400


@pytest.mark.parametrize("change", [lambda back: back + "x", lambda back: back.replace("code=", "code=x")])
def test_a_wrong_state_or_code_is_refused(browser, change):
    person = browser()
    assert person.come_back(change(person.agree(person.begin(), "pia"))).status_code == 400
    assert person.token is None


def test_an_answer_in_the_name_of_another_provider_is_refused(browser):
    person = browser()
    mixed = person.agree(person.begin(), "max") + "&iss=https://evil.example"
    assert person.come_back(mixed).status_code == 400


def test_a_cancelled_sign_in_says_so_and_changes_nothing(browser):
    person = browser()
    begun = person.begin()
    state = dict(pair.split("=") for pair in begun.headers["location"].split("?")[1].split("&"))["state"]
    refused = person.come_back(f"/login/callback?error=access_denied&state={state}")
    assert refused.status_code == 400
    assert "cancelled" in refused.text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/\r\nX: 1"])
def test_afterwards_one_stays_on_this_site(browser, target):
    person = browser()
    begun = person.http.get("/login", params={"next": target}, headers={"Sec-Fetch-Site": "same-origin"})
    assert person.come_back(person.agree(begun, "leo")).headers["location"] == "/"


def test_the_provider_gets_no_secret_but_what_the_flow_needs(browser):
    begun = browser().begin()
    query = dict(pair.split("=", 1) for pair in begun.headers["location"].split("?")[1].split("&"))
    assert query["code_challenge_method"] == "S256"
    assert {"state", "nonce", "code_challenge", "redirect_uri"} < query.keys()
    assert "code_verifier" not in query
    cookie = begun.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert query["state"] not in cookie
    assert query["nonce"] not in cookie


def test_signing_out_gives_this_device_a_new_session_and_leaves_the_others(app, anyone, browser):
    desk, phone = anyone(), anyone()
    made = desk.submit()["id"]
    for session in (desk, phone):
        browser(session.token).sign_in("lou")
    at_phone = browser(phone.token)
    left = at_phone.http.post("/logout", headers={"Sec-Fetch-Site": "same-origin"})
    assert left.status_code == 200
    assert left.json()["token"] == at_phone.token != phone.token
    assert phone.get("/generations").status_code == 401, "the old token opens nothing for ever"
    assert (at_phone.account(), ids(desk)) == (None, {made})
    again = at_phone.http.post("/logout", headers={"Sec-Fetch-Site": "same-origin"})
    assert again.json()["token"] == left.json()["token"], "an anonymous session is kept"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}])
def test_another_site_cannot_sign_anybody_out(anyone, browser, headers):
    person = browser(anyone().token)
    person.sign_in("uma")
    refused = person.http.post("/logout", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
    assert person.account()["username"] == "uma"


def test_where_everybody_must_sign_in_nothing_else_answers(running_app, issuer, browser):
    app = running_app(engines=["bars"], **settings(issuer, allowed_users="Ada", allowed_orgs="shop"))
    with Session(app.base_url) as session:
        for path in ("/generations", "/queue", "/events", "/devices", "/shares"):
            refused = session.get(path)
            assert (refused.status_code, refused.json()["code"]) == (401, "login_required"), path
        assert session.try_submit().json()["code"] == "login_required"
        assert session.get("/account").json() is None
        for person, status in (("eve", 403), ("ada", 303)):
            assert browser(session.token, app.base_url).sign_in(person).status_code == status, person
        assert session.try_submit().status_code == 201
        link = session.post(f"/generations/{session.submit()['id']}/share").json()["url"]
        assert session.http.get(link, headers={"Authorization": ""}).status_code == 200, "public links are public"
    assert browser(base_url=app.base_url).sign_in("bob").status_code == 303, "a member of the shop"


def test_a_provider_that_is_away_is_an_answer_not_a_crash(running_app):
    app = running_app(engines=["bars"], **settings("http://127.0.0.1:9"))
    away = Browser(app.base_url)
    answer = away.begin()
    away.close()
    assert answer.status_code == 502
    assert "does not answer as it should" in answer.text


def test_without_a_provider_nobody_can_sign_in(running_app):
    app = running_app(engines=["bars"])
    person = Browser(app.base_url)
    assert person.begin().status_code == 404
    person.close()
    with Session(app.base_url) as session:
        assert session.post("/account/link").status_code == 404


def opened(browser):
    """How the operator's page answers a browser."""
    return browser.http.get("/admin").status_code


def test_an_account_on_the_list_opens_the_operators_page_and_acts_by_its_name(app, anyone, browser):
    operator = browser()
    page = operator.http.get("/admin")
    assert page.status_code == 401
    assert 'href="/login?next=/admin"' in page.text
    assert 'name="token"' not in page.text, "there is no token in the settings"
    done = operator.sign_in("ada", path="/login?next=/admin")
    assert (done.status_code, done.headers["location"]) == (303, "/admin")
    assert opened(operator) == 200
    own = {"Sec-Fetch-Site": "same-origin"}
    assert operator.http.post("/admin/act/pause", headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
    for act in ("pause", "resume"):
        assert operator.http.post(f"/admin/act/{act}", headers=own).status_code == 303
    assert operator.http.get("/admin/audit").text.count("@ada") == 2
    assert operator.http.get("/api/v1/admin/overview").status_code == 404, "the API needs the token"
    assert operator.http.post("/admin/sign-out", headers=own).status_code == 303
    assert opened(operator) == 401
    assert operator.account()["username"] == "ada", "the account is still signed in"


def test_an_account_that_is_not_on_the_list_is_told_so(browser):
    other = browser()
    other.sign_in("eve")
    page = other.http.get("/admin")
    assert page.status_code == 401
    assert "“eve” may not open this page" in page.text
    answer = other.http.post("/admin/act/pause", headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.json()["code"]) == (401, "admin_required")


def test_only_the_browser_that_has_signed_in_opens_it_not_others_of_the_session(app, anyone, browser):
    home = anyone()
    assert browser(home.token).sign_in("root").status_code == 303
    assert opened(browser(home.token)) == 200
    with Session(app.base_url) as invited:
        code = home.post("/sessions/transfer").json()["code"]
        claimed = invited.post("/sessions/claim", json={"code": code}).json()
    assert opened(browser(claimed["token"])) == 401, "a device with a one-time code"
    framed = anyone()
    link = framed.post("/account/link").json()["url"]
    path = link[link.index("/login") :]
    elsewhere = browser()
    answered = elsewhere.answer(elsewhere.sign_in("root", path=path))
    assert answered.status_code == 200
    assert framed.get("/account").json()["username"] == "root"
    assert opened(browser(framed.token)) == 401, "a page that somebody else may have open"


def test_a_sign_in_of_eight_hours_ago_opens_it_no_more(app, browser):
    operator = browser()
    operator.sign_in("ada")
    assert opened(operator) == 200
    with closing(sqlite3.connect(app.data_dir / "videogen.sqlite")) as database, database:
        database.execute("UPDATE devices SET signed_in_at = signed_in_at - 8 * 3600 WHERE signed_in_at IS NOT NULL")
    assert opened(operator) == 401
    operator.sign_in("ada", path="/login?next=/admin")
    assert opened(operator) == 200
