"""An OpenID provider in a process of its own, and a browser's way through it without a browser.

The provider is `oidc-provider-mock`: whoever comes signs in under the name that they type.
"""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from tests.support.api import connect

PROGRAM = """
import sys, warnings
warnings.simplefilter("ignore")
import oidc_provider_mock as mock
people = [mock.User(sub=name, claims={"name": name.title(), "preferred_username": name, "groups": groups.split("+")})
          for name, _, groups in (one.partition("=") for one in sys.argv[1:])]
with mock.run_server_in_thread(user_claims=people) as server:
    print(f"http://localhost:{server.server_port}", flush=True)
    sys.stdin.read()
"""
PEOPLE = ("ada=lab", "bob=shop", "eve=")


@contextmanager
def provider():
    """A running provider that knows `PEOPLE`; its address."""
    command = [sys.executable, "-c", PROGRAM, *PEOPLE]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        issuer = process.stdout.readline().strip()
        assert issuer, "the provider did not start"
        yield issuer
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def settings(issuer, **more):
    """The settings of an app with this provider."""
    return {"oidc_issuer": issuer, "oidc_client_id": "videogen", "oidc_client_secret": "secret"} | more


class Browser:
    """A cookie jar that follows no redirect by itself."""

    def __init__(self, base_url, token=""):
        self.http = connect(base_url)
        self.base_url = base_url
        if token:
            self.http.cookies.set("videogen_session", token, domain=urlsplit(base_url).hostname, path="/")

    @property
    def token(self):
        return self.http.cookies.get("videogen_session")

    def begin(self, path="/login", **headers):
        """Open the sign-in; the answer."""
        return self.http.get(path, headers={"Sec-Fetch-Site": "same-origin"} | headers)

    def agree(self, begun, person="ada", action=""):
        """Sign in at the provider as a person; the address with which it sends the browser back."""
        assert begun.status_code == 307, begun.text
        with httpx.Client(trust_env=False, timeout=30) as at_provider:
            form = {"action": "deny"} if action == "deny" else {"sub": person}
            answer = at_provider.post(begun.headers["location"], data=form)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    def come_back(self, address):
        """Follow the provider's redirect; it counts as a step of the provider's site."""
        return self.http.get(address, headers={"Sec-Fetch-Site": "cross-site"})

    def sign_in(self, person="ada", path="/login"):
        return self.come_back(self.agree(self.begin(path), person))

    def answer(self, question, **headers):
        """Press the button of the question."""
        secret = re.search(r'name="secret" value="([^"]+)"', question.text)[1]
        sent = {"Sec-Fetch-Site": "same-origin"} | headers
        return self.http.post("/login/confirm", data={"secret": secret}, headers=sent)

    def account(self):
        return self.http.get("/api/v1/account").json()

    def close(self):
        self.http.close()
