"""Proxies and certificates of the environment, which another host needs and a loopback address does not."""

import pytest

from videogen.client import AsyncClient, Unreachable

ELSEWHERE = "http://video.example.org"


@pytest.mark.parametrize(
    ("name", "value", "url"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1080", ELSEWHERE),
        ("http_proxy", "ftp://127.0.0.1:1", ELSEWHERE),
        ("NO_PROXY", "[::1]", ELSEWHERE),
        ("SSL_CERT_FILE", "/nowhere.pem", "https://video.example.org"),
    ],
)
async def test_a_variable_that_cannot_be_used_is_named(monkeypatch, name, value, url):
    monkeypatch.setenv(name, value)
    async with AsyncClient(url) as client:
        with pytest.raises(Unreachable, match=f"^{name} cannot be used"):
            await client.health()
    for loopback in ("http://127.0.0.1:9", "http://[::1]:9", "http://localhost:9"):
        async with AsyncClient(loopback) as client:
            with pytest.raises(Unreachable, match="could not be reached"):
                await client.health()


@pytest.mark.parametrize("url", ["http://[bad", "http://video.example.org:port"])
async def test_an_address_that_is_none_is_named(url):
    async with AsyncClient(url) as client:
        with pytest.raises(Unreachable, match="expected an address"):
            await client.health()
