"""Headers of trusted proxies are used; those of all other clients are removed."""

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from videogen.core.config import AppConfig
from videogen.web.proxy_headers import TrustedProxy
from videogen.web.public_url import PublicUrl

FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "video.example.org",
    "X-Forwarded-For": "203.0.113.7, 10.0.0.9",
    "X-Forwarded-Prefix": "/evil",
    "X-Gradio-Server": "https://evil.example",
}


def app(trusted=("10.0.0.0/8",), **settings):
    app = FastAPI()
    address = PublicUrl(AppConfig(**settings))
    address.local = "http://127.0.0.1:7860"

    @app.get("/")
    async def root(request: Request):
        proxy_headers = sorted(name for name in request.headers if name.startswith(("x-forwarded", "x-gradio")))
        return {"base": address.of(request), "client": request.client.host, "proxy_headers": proxy_headers}

    @app.get("/stream")
    async def stream():
        return StreamingResponse(iter([b"data: 1\n\n"]), media_type="text/event-stream")

    app.add_middleware(TrustedProxy, trusted=trusted, root_path=settings.get("root_path", ""))
    return app


async def get(app, client="10.0.0.1", path="/", **headers):
    transport = httpx.ASGITransport(app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://inner.example:8000") as http:
        return await http.get(path, headers=headers)


async def test_headers_of_a_trusted_proxy_are_used():
    answer = (await get(app(), **FORWARDED)).json()
    assert answer == {"base": "https://video.example.org", "client": "203.0.113.7", "proxy_headers": []}


@pytest.mark.parametrize("trusted", [(), ("10.0.0.2", "::1")])
async def test_headers_of_any_other_client_are_removed(trusted):
    answer = (await get(app(trusted), **FORWARDED)).json()
    assert answer == {"base": "http://inner.example:8000", "client": "10.0.0.1", "proxy_headers": []}


async def test_a_star_trusts_every_client():
    assert (await get(app(("*",)), client="198.51.100.1", **FORWARDED)).json()["base"] == "https://video.example.org"


async def test_a_configured_address_overrides_the_headers():
    fixed = app(base_url="https://public.example", root_path="/sub")
    assert (await get(fixed, **FORWARDED)).json()["base"] == "https://public.example/sub"


@pytest.mark.parametrize("path", ["/sub/", "/"])
async def test_a_proxy_may_remove_the_root_path_or_forward_it(path):
    answer = (await get(app(root_path="/sub"), path=path)).json()
    assert answer["base"] == "http://inner.example:8000/sub"


@pytest.mark.parametrize("host", ["evil.example/path?", 'a"onload=x', "a b", "", "[::1", "x" * 300])
async def test_an_invalid_host_is_never_used_in_a_link(host):
    answer = (await get(app(), **{"X-Forwarded-Host": host, "Host": host or "-/"})).json()
    assert answer["base"] == "http://127.0.0.1:7860"


async def test_event_streams_switch_off_buffering():
    assert (await get(app(), path="/stream")).headers["x-accel-buffering"] == "no"
    assert "x-accel-buffering" not in (await get(app())).headers


@pytest.mark.parametrize("value", ["10.0.0.0/33", "proxy.example", "10.0.0.1/8,x"])
def test_an_invalid_network_stops_the_start(value):
    with pytest.raises(Exception, match="VIDEOGEN_TRUSTED_PROXIES: expected addresses or networks"):
        AppConfig.from_env({"VIDEOGEN_TRUSTED_PROXIES": value})


def test_in_a_hugging_face_space_every_proxy_is_trusted():
    assert AppConfig.from_env({"SPACE_ID": "me/videogen"}).trusted_proxies == ("*",)
    assert AppConfig.from_env({"SPACE_ID": "x", "VIDEOGEN_TRUSTED_PROXIES": ""}).trusted_proxies == ()
    assert AppConfig.from_env({}).trusted_proxies == ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        # What a visitor sends stands on the left, and never counts.
        ("6.6.6.6, 203.0.113.7, 10.0.0.9", "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7:5678, [::ffff:10.0.0.9]:443", "203.0.113.7"),
        ("6.6.6.6, [2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.5, 10.0.0.9", "10.0.0.5"),
        ("6.6.6.6, nonsense", "nonsense"),
    ],
)
async def test_the_client_is_the_one_that_the_nearest_trusted_proxy_saw(chain, client):
    assert (await get(app(), **{"X-Forwarded-For": chain})).json()["client"] == client


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("6.6.6.6, 8.8.4.4, 10.0.0.9, 100.64.1.1", "8.8.4.4"),
        ("6.6.6.6, [2606:4700::1111]:443, 10.1.2.3", "2606:4700::1111"),
        ("6.6.6.6, ::ffff:8.8.4.4", "8.8.4.4"),
        ("192.168.1.9, 10.0.0.9", "10.0.0.9"),
        ("6.6.6.6, 8.8.4.4, nonsense", "8.8.4.4"),
    ],
)
async def test_where_every_proxy_is_trusted_the_client_is_the_last_public_address(chain, client):
    assert (await get(app(("*",)), **{"X-Forwarded-For": chain})).json()["client"] == client


async def test_several_headers_of_one_name_are_one_list():
    transport = httpx.ASGITransport(app(), client=("10.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://inner.example:8000") as http:
        answer = await http.get("/", headers=[("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-For", "10.0.0.9")])
    assert answer.json()["client"] == "203.0.113.7"
