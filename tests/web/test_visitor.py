"""The address for which limits count: of the connection, or of the page's header if its signature is right."""

import time
from types import SimpleNamespace

import pytest
from starlette.requests import HTTPConnection

from videogen.core.addresses import UNKNOWN, visitor_name
from videogen.web import visitor as module
from videogen.web.visitor import HEADER, VALID_SECONDS, visitor, visitor_headers


def app(key="k" * 64):
    return SimpleNamespace(state=SimpleNamespace(videogen=SimpleNamespace(visitor_key=key)))


def seen(client, headers=None):
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return visitor(HTTPConnection({"type": "http", "headers": raw, "client": client, "app": app()}))


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:5678", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("[::ffff:198.51.100.7]:443", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", UNKNOWN),
        ("/run/app.sock", UNKNOWN),
        ("unknown", UNKNOWN),
        ("1.2.3.4.5", UNKNOWN),
        ("127.1", UNKNOWN),
        ("[", UNKNOWN),
    ],
)
def test_an_address_has_one_name(client, name):
    assert visitor_name(client) == name


def test_without_a_client_it_has_the_name_of_all_unknown():
    assert seen(None) == UNKNOWN


def test_the_page_names_its_visitor():
    assert seen(("127.0.0.1", 1), visitor_headers(app(), "2001:db8::77")) == "2001:db8::/64"
    assert seen(("127.0.0.1", 1), visitor_headers(app(), "")) == UNKNOWN


@pytest.mark.parametrize(
    "value",
    [
        "",
        "198.51.100.7",
        "198.51.100.7 1 0",
        f"198.51.100.7 {int(time.time())} {'0' * 64}",
        " ",
        "\xe9 1 \xe9",
        visitor_headers(app("another key"), "198.51.100.7")[HEADER],
        visitor_headers(app(), "198.51.100.7")[HEADER].replace("198", "199"),
    ],
    ids=["empty", "no signature", "too short", "zeros", "a space", "not ASCII", "another key", "another address"],
)
def test_a_forged_header_is_ignored(value):
    assert seen(("203.0.113.9", 1), {HEADER: value}) == "203.0.113.9"


@pytest.mark.parametrize("late", [VALID_SECONDS + 1, -VALID_SECONDS - 1])
def test_a_stale_header_is_ignored(monkeypatch, late):
    headers, now = visitor_headers(app(), "198.51.100.7"), int(time.time())
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: now + 1 + late if late > 0 else now + late))
    assert seen(("203.0.113.9", 1), headers) == "203.0.113.9"
