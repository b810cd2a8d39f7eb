"""What a proxy says is believed where it is trusted, and unheard where it is not."""

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from videogen.core.config import AppConfig
from videogen.web.proxy_headers import TrustedProxy
from videogen.web.public_url import PublicUrl

TOLD = {
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
    async def told(request: Request):
        spoken = sorted(name for name in request.headers if name.startswith(("x-forwarded", "x-gradio")))
        return {"base": address.of(request), "client": request.client.host, "spoken": spoken}

    @app.get("/stream")
    async def stream():
        return StreamingResponse(iter([b"data: 1\n\n"]), media_type="text/event-stream")

    app.add_middleware(TrustedProxy, trusted=trusted, root_path=settings.get("root_path", ""))
    return app


async def ask(app, client="10.0.0.1", path="/", **headers):
    transport = httpx.ASGITransport(app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://inner.example:8000") as http:
        return await http.get(path, headers=headers)


async def test_a_trusted_proxy_is_believed():
    told = (await ask(app(), **TOLD)).json()
    assert told == {"base": "https://video.example.org", "client": "203.0.113.7", "spoken": []}


@pytest.mark.parametrize("trusted", [(), ("10.0.0.2", "::1")])
async def test_nobody_else_is(trusted):
    told = (await ask(app(trusted), **TOLD)).json()
    assert told == {"base": "http://inner.example:8000", "client": "10.0.0.1", "spoken": []}


async def test_anybody_is_where_that_is_the_wish():
    assert (await ask(app(("*",)), client="198.51.100.1", **TOLD)).json()["base"] == "https://video.example.org"


async def test_a_configured_address_comes_before_all():
    fixed = app(base_url="https://public.example", root_path="/sub")
    assert (await ask(fixed, **TOLD)).json()["base"] == "https://public.example/sub"


@pytest.mark.parametrize("path", ["/sub/", "/"])
async def test_a_proxy_may_strip_the_root_path_or_pass_it_on(path):
    told = (await ask(app(root_path="/sub"), path=path)).json()
    assert told["base"] == "http://inner.example:8000/sub"


@pytest.mark.parametrize("host", ["evil.example/path?", 'a"onload=x', "a b", "", "[::1", "x" * 300])
async def test_a_host_that_is_none_never_gets_into_a_link(host):
    told = (await ask(app(), **{"X-Forwarded-Host": host, "Host": host or "-/"})).json()
    assert told["base"] == "http://127.0.0.1:7860"


async def test_streams_are_passed_on_as_they_come():
    assert (await ask(app(), path="/stream")).headers["x-accel-buffering"] == "no"
    assert "x-accel-buffering" not in (await ask(app())).headers


@pytest.mark.parametrize("value", ["10.0.0.0/33", "proxy.example", "10.0.0.1/8,x"])
def test_what_is_no_network_stops_the_start(value):
    with pytest.raises(Exception, match="VIDEOGEN_TRUSTED_PROXIES: expected addresses or networks"):
        AppConfig.from_env({"VIDEOGEN_TRUSTED_PROXIES": value})


def test_in_a_space_its_own_proxies_are_trusted():
    assert AppConfig.from_env({"SPACE_ID": "me/videogen"}).trusted_proxies == ("*",)
    assert AppConfig.from_env({"SPACE_ID": "x", "VIDEOGEN_TRUSTED_PROXIES": ""}).trusted_proxies == ()
    assert AppConfig.from_env({}).trusted_proxies == ("127.0.0.1", "::1")
