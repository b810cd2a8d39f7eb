"""What browsers are told about each answer of a real server, so that no other site makes use of it."""

import socket

import httpx
import pytest

from tests.support.api import Session, connect
from videogen.client.calls import API

ALLOWED = "'self' https://intranet.example"


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(frame_ancestors="self, https://intranet.example", root_path="/tools")


@pytest.fixture(scope="module")
def visitor(app):
    with connect(app.base_url) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def owner(app):
    with Session(app.base_url) as owner:
        yield owner


@pytest.fixture(scope="module")
def finished(owner):
    """A generation that has completed, and the path of its link."""
    generation = owner.finish(owner.submit("bars")["id"])
    url = owner.post(f"/generations/{generation['id']}/share").raise_for_status().json()["url"]
    return generation, httpx.URL(url).path


def test_no_answer_is_sniffed_or_framed_by_others_or_names_its_address_to_them(visitor, finished):
    generation, share = finished
    paths = ["/healthz", "/openapi.json", "/docs", "/docs/swagger-ui.css", "/nothing", f"{API}/nothing", "/oembed"]
    paths += [f"{API}/generations", f"{API}/engines", "/s/wrong", share, f"{share}/qr.svg", f"{share}/video.mp4"]
    paths += [generation["videoUrl"], generation["posterUrl"], "/media/wrong"]
    for path in paths:
        headers = visitor.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] in ("same-origin", "no-referrer"), path
        assert headers["content-security-policy"].startswith("default-src 'none'; "), path
        assert headers["content-security-policy"].endswith(f"; frame-ancestors {ALLOWED}"), path
        assert "unsafe-eval" not in headers["content-security-policy"], path
    assert visitor.get(f"{share}/embed").headers["content-security-policy"].endswith("; frame-ancestors *")


def test_media_may_be_shown_by_other_sites_and_the_api_may_not(visitor, owner, finished):
    generation, share = finished
    for path in (
        generation["videoUrl"],
        f"{share}/video.mp4",
        f"{share}/poster.jpg",
        f"{share}/embed",
        "/s/-/share.js",
    ):
        assert visitor.get(path).headers["cross-origin-resource-policy"] == "cross-origin", path
    assert owner.get("/generations").headers["cross-origin-resource-policy"] == "same-origin"
    assert "cross-origin-resource-policy" not in visitor.get("/docs").headers


def test_what_carries_a_token_or_depends_on_the_session_is_stored_nowhere(owner, visitor, finished):
    generation, _ = finished
    answers = [owner.post(path) for path in ("/sessions", "/sessions/cookie", "/sessions/transfer")]
    code = answers[-1].json()["code"]
    answers.append(visitor.post(f"{API}/sessions/claim", json={"code": code}))
    answers += [owner.get(path) for path in ("/generations", f"/generations/{generation['id']}", "/shares", "/trash")]
    answers.append(visitor.get(f"{API}/generations"))
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store", answer.url


def test_trace_and_unknown_methods_are_405_for_every_path(app, visitor):
    for method in ("TRACE", "PROPFIND", "PURGE"):
        for path in ("/", "/docs", f"{API}/generations", "/media/x", "/s/x", "/nothing"):
            answer = visitor.request(method, path, headers={"Cookie": "videogen_session=secret"})
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
            assert "GET" in answer.headers["allow"]
            assert "secret" not in answer.text
    # What the HTTP parser does not know never gets to the app.
    for line in (b"CONNECT example.org:443", b"NONSENSE /"):
        with socket.create_connection(("127.0.0.1", httpx.URL(app.base_url).port)) as connection:
            connection.sendall(line + b" HTTP/1.1\r\nHost: example.org\r\n\r\n")
            assert connection.recv(15) == b"HTTP/1.1 400 Ba"


def test_docs_names_no_other_host_and_what_it_names_is_there(visitor):
    page = visitor.get("/docs")
    assert visitor.head("/docs").status_code == 200
    assert "://" not in page.text
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
        assert f'"/tools/docs/{name}"' in page.text
        assert visitor.get(f"/tools/docs/{name}").status_code == 200
    assert "url: '/tools/openapi.json'" in page.text
    for path in ("/docs/__init__.py", "/docs/nothing.js", "/redoc", "/docs/oauth2-redirect"):
        assert visitor.get(path).status_code == 404, path
