"""What the guard passes on to Gradio, and as what."""

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from videogen.core.errors import CrossSiteError, NotFoundError
from videogen.ui.gradio_guard import GradioGuard

OWN = ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://page"}, {"Referer": "http://page/?generation=1"})
FOREIGN = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Referer": "http://page/"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://page"},
    {"Origin": "http://elsewhere"},
    {"Origin": "http://page:81"},
    {"Origin": "http://page.elsewhere"},
    {"Origin": "null"},
    {"Origin": "null", "Referer": "http://page/"},
    {"Referer": "http://elsewhere/http://page/"},
)
CALLS = (
    *(("POST", "/gradio_api/run/predict"), ("POST", "/gradio_api/queue/join"), ("GET", "/gradio_api/queue/data")),
    *(("GET", "/gradio_api/app_id"), ("GET", "/config")),
)
TOOLS = (("POST", "/gradio_api/mcp/"), ("POST", "/gradio_api/mcp"), ("GET", "/gradio_api/mcp/schema"))
FILES = ("/", "/assets/index.js", "/static/img/logo.svg", "/theme.css", "/favicon.ico")


class Gradio:
    """Gradio's place: it keeps the headers of what came, and answers as Gradio does."""

    def __init__(self):
        self.came = []

    async def __call__(self, scope, _receive, send):
        self.came.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def gradio():
    return Gradio()


def browser(gradio, *, agents=True, **scope):
    client = TestClient(GradioGuard(gradio, agents=agents), base_url="http://page", **scope)
    client.headers["Cookie"] = "videogen_session=mine"
    return client


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("headers", OWN, ids=str)
def test_the_page_itself_calls_with_its_cookie(gradio, method, path, headers):
    browser(gradio).request(method, path, headers=headers)
    (came,) = gradio.came
    assert came["cookie"] == "videogen_session=mine"


@pytest.mark.parametrize(("method", "path"), [*CALLS, *TOOLS])
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_origin_calls_nothing(gradio, method, path, headers):
    with pytest.raises(CrossSiteError):
        browser(gradio).request(method, path, headers=headers)
    assert gradio.came == []


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_call_that_nobody_vouches_for_comes_without_its_cookie(gradio, method, path):
    browser(gradio).request(method, path, headers={"Authorization": "Bearer mine"})
    (came,) = gradio.came
    assert "cookie" not in came
    assert came["authorization"] == "Bearer mine"


def test_what_a_person_opens_by_its_address_is_read_only(gradio):
    typed = {"Sec-Fetch-Site": "none"}
    browser(gradio).get("/gradio_api/app_id", headers=typed)
    with pytest.raises(CrossSiteError):
        browser(gradio).post("/gradio_api/queue/join", headers=typed)


@pytest.mark.parametrize(("method", "path"), TOOLS)
@pytest.mark.parametrize("headers", [{}, *OWN], ids=str)
def test_a_cookie_never_counts_for_the_tools(gradio, method, path, headers):
    browser(gradio).request(method, path, headers=headers)
    assert "cookie" not in gradio.came[0]


def test_tools_that_are_not_installed_do_not_exist(gradio):
    with pytest.raises(NotFoundError):
        browser(gradio, agents=False).post("/gradio_api/mcp/")


@pytest.mark.parametrize("path", FILES)
def test_the_document_and_its_files_are_for_everybody_but_gradio_learns_no_origin(gradio, path):
    browser(gradio).get(path, headers={"Origin": "http://elsewhere", "Sec-Fetch-Site": "cross-site"})
    assert "origin" not in gradio.came[0]


@pytest.mark.parametrize("path", [*FILES, *(path for _, path in [*CALLS, *TOOLS])])
@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "PATCH"])
def test_no_preflight_and_no_other_method_comes_through(gradio, method, path):
    headers = {"Origin": "http://elsewhere", "Access-Control-Request-Method": "POST"}
    with pytest.raises(NotFoundError, match="There is nothing at"):
        browser(gradio).request(method, path, headers=headers)


@pytest.mark.parametrize(
    "path",
    [
        *("/gradio_api/queue/join/", "/gradio_api//queue/join", "//gradio_api/queue/join", "/GRADIO_API/queue/join"),
        *("/gradio_api/run/a/b", "/gradio_api/run/", "/gradio_api/run/..", "/gradio_api/queue/join\n", "/x/config"),
        *("/gradio_api/queue/../reset", "/gradio_api/mcp/sse", "/gradio_api/mcp/messages/", "/gradio_api/call/x"),
        *("/gradio_api/proxy=http://127.0.0.1/", "/gradio_api/heartbeat/x", "/gradio_api/upload", "/monitoring"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_other_spelling_opens_a_route(gradio, method, path):
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    with pytest.raises(NotFoundError):
        await GradioGuard(gradio, agents=True)(scope, None, None)


async def test_the_path_of_a_proxy_does_not_count(gradio):
    scope = {"type": "http", "method": "GET", "root_path": "/tools", "headers": []}
    with pytest.raises(NotFoundError):
        await GradioGuard(gradio, agents=True)({**scope, "path": "/tools/monitoring"}, None, None)
    client = browser(gradio, root_path="/tools")
    client.get("/tools/theme.css")
    assert len(gradio.came) == 1


def test_there_is_no_websocket(gradio):
    with pytest.raises(WebSocketDisconnect), browser(gradio).websocket_connect("/gradio_api/queue/join"):
        pass
    assert gradio.came == []
