"""`videogen account`: a link that signs this machine in, who has signed in, and signing out."""

import pytest

from tests.support.openid import Browser, provider, settings


@pytest.fixture(scope="module")
def app(module_app):
    with provider() as issuer:
        yield module_app(engines=["bars"], workers=0, **settings(issuer, oidc_title="The Lab"))


def test_a_machine_signs_in_by_a_link_and_out(home, app):
    assert home.run("account") == "Nobody has signed in.\n"
    link = home.run("account", "sign-in").splitlines()[0]
    browser = Browser(app.base_url)
    question = browser.sign_in("ada", path=link.removeprefix(app.base_url))
    assert "You are signed in" in browser.answer(question).text
    browser.close()
    assert home.run("account") == "Ada (ada) at The Lab\n"
    (line,) = home.lines("account", "show")
    assert (line["event"], line["account"]["username"]) == ("account", "ada")
    assert home.run("account", "sign-out").startswith("Signed out. A new, empty session is used from now on.")
    assert home.run("account") == "Nobody has signed in.\n", "the new token is the stored one"
