"""Who may read /metrics: programs on this machine, and whoever has the token."""

import httpx
import pytest
from fastapi import FastAPI, Request

from videogen.web.metrics_access import may_read_metrics
from videogen.web.proxy_headers import TrustedProxy

TOKEN = "0123456789abcdef"


def app(trusted, token):
    app = FastAPI()

    @app.get("/metrics")
    async def metrics(request: Request):
        return may_read_metrics(request, token)

    app.add_middleware(TrustedProxy, trusted=trusted)
    return app


async def may_read(client="127.0.0.1", host="127.0.0.1:7860", trusted=("127.0.0.1", "::1"), token="", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()} | {"Host": host}
    transport = httpx.ASGITransport(app(trusted, token), client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://inner") as http:
        return (await http.get("/metrics", headers=headers)).json()


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "LOCALHOST", "[::1]:7860"])
async def test_a_program_on_this_machine_may(client, host):
    assert await may_read(client, host)


@pytest.mark.parametrize("client", ["203.0.113.7", "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "", "/run/app.sock"])
async def test_nobody_else_may_whatever_host_is_asked_for(client):
    assert not await may_read(client)
    assert not await may_read(client, token=TOKEN)


@pytest.mark.parametrize("trusted", [("127.0.0.1", "::1"), ("*",), (), ("10.0.0.0/8",)])
@pytest.mark.parametrize("client", ["127.0.0.1", "10.0.0.9", "203.0.113.7"])
@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_For": "203.0.113.7"},
        {"X_Forwarded_For": "127.0.0.1"},
        {"X_Forwarded_For": "127.0.0.1, 127.0.0.1"},
        {"X_Forwarded_For": "203.0.113.7, ::1"},
        {"X_Forwarded_For": ""},
        {"X_Forwarded_Host": "127.0.0.1:7860"},
        {"Forwarded": "for=127.0.0.1"},
        {"X_Real_IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
    ],
)
async def test_what_a_proxy_forwards_is_never_of_this_machine_whoever_it_says_it_is(trusted, client, headers):
    assert not await may_read(client, trusted=trusted, **headers)


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("evil.example:7860", {}),  # its name leads to 127.0.0.1
        ("127.0.0.1.evil.example", {}),
        ("localhost.evil.example", {}),
        ("0.0.0.0:7860", {}),
        ("[::1", {}),
        ("", {}),
        ("127.0.0.1:7860", {"Sec_Fetch_Site": "cross-site"}),
        ("127.0.0.1:7860", {"Sec_Fetch_Site": "same-site"}),
        ("127.0.0.1:7860", {"Origin": "https://evil.example"}),
        ("127.0.0.1:7860", {"Origin": "null"}),
        ("127.0.0.1:7860", {"Referer": "http://evil.example/page"}),
    ],
)
async def test_a_page_of_another_site_may_not_in_a_browser_on_this_machine(host, headers):
    assert not await may_read(host=host, **headers)


async def test_a_person_on_this_machine_may_open_it():
    assert await may_read(Sec_Fetch_Site="none")


@pytest.mark.parametrize("given", [f"Bearer {TOKEN}", f"bearer  {TOKEN} "])
async def test_the_token_opens_it_to_other_machines_and_behind_a_proxy(given):
    assert await may_read("203.0.113.7", "video.example.org", token=TOKEN, Authorization=given)
    assert await may_read("127.0.0.1", token=TOKEN, Authorization=given, X_Forwarded_For="203.0.113.7")


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN, f"Basic {TOKEN}"]
)
async def test_nothing_else_opens_it(given):
    assert not await may_read("203.0.113.7", token=TOKEN, Authorization=given)


async def test_without_a_token_none_opens_it():
    for given in ("Bearer ", "Bearer None", f"Bearer {TOKEN}"):
        assert not await may_read("203.0.113.7", Authorization=given)
