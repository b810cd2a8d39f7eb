"""Gradio's routes on a real server: those that the page does not use are not there; malformed calls of the others."""

import asyncio
import re
import socket

import gradio as gr
import pytest
from gradio.routes import App

from tests.support.api import Session, connect
from videogen.core.errors import NotFoundError
from videogen.ui.gradio_guard import AGENTS, PAGE, PUBLIC

FOREIGN = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
CALLS = {"/gradio_api/queue/join", "/gradio_api/queue/data", "/gradio_api/run/x", "/gradio_api/app_id", "/config"}
# Gradio's own are behind ours, which stand at the same address.
REPLACED = {"/gradio_api/upload", "/gradio_api/file=x", "/openapi.json"}
PREFLIGHT = FOREIGN | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
CORS = "access-control-"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
MAX_BODY_KB = 64


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(page=True, max_body_kb=MAX_BODY_KB)


@pytest.fixture(scope="module")
def http(app):
    with connect(app.base_url) as http:
        yield http


async def gradio_routes():
    """Each route of the installed Gradio, as method and path, with `x` for every parameter. It needs an event loop."""
    with gr.Blocks() as page:
        pass
    found = set()
    waiting = list(App.create_app(page, mcp_server=False).routes)
    while waiting:
        route = waiting.pop()
        waiting += getattr(getattr(route, "original_router", None), "routes", ())
        path = re.sub(r"\{\w+(:path)?\}", "x", getattr(route, "path", ""))
        found |= {(method, path) for method in getattr(route, "methods", None) or ()}
    return found


def is_open(route):
    return any(pattern.fullmatch(" ".join(route)) for pattern in (PUBLIC, PAGE))


@pytest.fixture(scope="module")
def routes():
    return asyncio.run(gradio_routes())


@pytest.fixture(scope="module")
def closed(routes):
    return sorted(route for route in routes if not is_open(route) and route[1] not in REPLACED)


def refused(answer):
    """Whether it is the app's own 404, which lets no other site read it."""
    told = answer.headers.get("content-type"), answer.status_code
    assert told == ("application/problem+json", 404), (answer.request.url, answer.text[:200])
    assert answer.request.method == "HEAD" or answer.json()["code"] == NotFoundError.code
    assert [name for name in answer.headers if name.startswith(CORS)] == []


def test_what_is_open_is_what_the_page_uses(routes):
    assert len(routes) > 80
    files = {"/", "/assets/x", "/static/x", "/theme.css", "/favicon.ico"}
    assert {route[1] for route in routes if is_open(route)} == CALLS | files


def test_every_other_route_of_gradio_is_not_there(http, closed):
    for method, path in closed:
        refused(http.request(method, path, headers=SAME_ORIGIN))


@pytest.mark.parametrize(
    "spelled",
    [
        lambda path: f"{path}/",
        lambda path: f"/{path}",
        lambda path: path.replace("/gradio_api/", "/gradio_api//"),
        lambda path: path.replace("/gradio_api/", "/gradio_api/./"),
        lambda path: path.replace("/gradio_api/", "/gradio_api/%2e%2e/gradio_api/"),
        lambda path: path.replace("/gradio_api/", "/gradio_api%2F"),
        lambda path: "/".join(f"%{ord(part[0]):02x}{part[1:]}" if part else "" for part in path.split("/")),
        lambda path: path.upper(),
    ],
)
def test_no_spelling_brings_a_closed_route_back(http, closed, spelled):
    for method, path in closed[::4]:
        if method != "HEAD" and path.startswith("/gradio_api/"):
            refused(http.request(method, spelled(path)))


def test_a_preflight_is_never_granted(http, routes):
    for path in sorted({path for _, path in routes}):
        refused(http.options(path, headers=PREFLIGHT))


def test_no_answer_lets_another_site_read_it(http):
    for path in ("/", "/theme.css", "/static/img/logo.svg", "/gradio_api/app_id", "/config", "/nothing"):
        for origin in ("https://elsewhere.example", "http://localhost:1", "null", http.base_url):
            answer = http.get(path, headers={"Origin": str(origin)})
            assert [name for name in answer.headers if name.startswith(CORS)] == [], path


def test_another_site_calls_nothing_and_its_cookie_is_not_looked_at(app, http, routes):
    with Session(app.base_url) as victim:
        cookie = {"Cookie": f"videogen_session={victim.token}"}
        for method, path in sorted(filter(is_open, routes)):
            if path in CALLS:
                answer = http.request(method, path, headers=FOREIGN | cookie, json={})
                assert (answer.status_code, answer.json()["code"]) == (403, "cross_site"), path
                assert "set-cookie" not in answer.headers


def test_another_site_does_not_reach_the_tools(http):
    assert AGENTS.fullmatch("POST /gradio_api/mcp/")
    # The attacker's own name may lead to this server: the browser sends that name as host and origin.
    for headers in (FOREIGN, {"Origin": "http://elsewhere.example"}, {"Origin": "null"}):
        answer = http.post("/gradio_api/mcp/", headers=headers, json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


@pytest.mark.parametrize(("headers", "status"), [({}, 403), (FOREIGN, 403), ({"Sec-Fetch-Site": "same-origin"}, 413)])
def test_half_a_gigabyte_is_refused_before_it_is_sent(http, headers, status):
    """Gradio took it from anybody, and kept it."""
    kind = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "500000000"} | headers
    url = http.base_url
    with socket.create_connection((url.host, url.port), timeout=20) as line:
        head = "".join(f"{name}: {value}\r\n" for name, value in kind.items())
        line.sendall(f"POST /gradio_api/upload HTTP/1.1\r\nHost: {url.netloc.decode()}\r\n{head}\r\n--x".encode())
        assert line.recv(1024).startswith(f"HTTP/1.1 {status} ".encode())


def test_an_upload_of_the_page_lies_in_the_data_folder_and_is_shown_to_the_page_alone(app, http):
    own = {"Origin": app.base_url}
    png = b"\x89PNG\r\n\x1a\n" + bytes(100)
    (path,) = http.post("/gradio_api/upload", files={"files": ("a.png", png)}, headers=own).raise_for_status().json()
    assert path.startswith(str(app.data_dir))
    assert http.get(f"/gradio_api/file={path}", headers=own).content == png
    for origin in ("https://elsewhere.example", "null"):
        answer = http.get(f"/gradio_api/file={path}", headers={"Origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    for other in ("videogen.sqlite", "secret.key", f"{path}/../../../videogen.sqlite"):
        refused(http.get(f"/gradio_api/file={app.data_dir}/{other}", headers=own))


@pytest.mark.parametrize("headers", [{"Origin": "http://["}, {"Referer": "http://[x"}])
def test_a_malformed_origin_is_a_foreign_one(http, headers):
    for method, path in (("POST", "/gradio_api/queue/join"), ("GET", "/config"), ("POST", "/api/v1/sessions/claim")):
        answer = http.request(method, path, headers=headers, json={"code": "x"})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


def test_the_name_of_a_file_is_short_and_plain(http):
    for path in ("/static/" + "a" * 300, "/assets/" + "a/" * 2_000, "/assets/%0d%0a"):
        assert http.get(path).status_code == 404


FILE = {"path": "http://127.0.0.1:1/x", "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize("file", [FILE, {**FILE, "path": "/etc/passwd"}, {**FILE, "meta": 1}])
def test_no_call_makes_gradio_open_or_fetch_a_file(http, file):
    handlers = {one["api_name"]: one for one in http.get("/config").json()["dependencies"]}

    def call(name, event_data=None, **values):
        one = handlers[name]
        data = [values.get(f"v{place}") for place in range(len(one["inputs"]))]
        body = {"fn_index": one["id"], "data": data, "event_data": event_data}
        answer = http.post(f"/gradio_api/run/{name}", json=body, headers=SAME_ORIGIN)
        return answer.status_code

    for inside in (file, [{"x": [file]}]):
        assert call("act", {"do": "help", "x": inside}) == 422
        assert call("fill", {"fill": "draft", "form": {"type": inside}}) == 422
        assert call("search", v0=inside) == 422
        assert call("engine", v0=inside) == 422
    assert call("act", {"do": "help", "path": "x"}) == 422
    # The button's own value, of which its component makes a file.
    assert call("given", v0=[1]) == 422
    # As the page names an upload.
    assert call("given", FILE, v1={"path": "/etc/passwd", "name": "x"}) == 200
    assert call("engine", v0="no such engine") == 200


@pytest.mark.parametrize("file", [FILE, {**FILE, "path": "/etc/passwd"}, {**FILE, "meta": 1}])
def test_no_tool_makes_gradio_open_or_fetch_a_file(app, file):
    with Session(app.base_url) as session:
        headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        arguments = {"prompt": "sea", "settings": {"style": [file]}}
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
        for params in ({"name": "generate_video", "arguments": arguments}, {"name": "get_generation", "x": file}):
            answer = session.http.post("/gradio_api/mcp/", json=call | {"params": params}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        nan = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": NaN}}'
        assert session.http.post("/gradio_api/mcp/", content=nan, headers=headers).status_code == 422


def test_agents_open_no_stream(http):
    for method in ("GET", "DELETE"):
        answer = http.request(method, "/gradio_api/mcp/", headers={"Accept": "text/event-stream"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
