"""The whole app behind a real nginx, under a sub-path: page, queue, media, streams, cookies, shared links."""

import re
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ENGINES, open_gate
from tests.support.api import TINY
from tests.support.app import App
from tests.support.nginx import Nginx
from tests.support.sse import Stream

PATH = "/tools/videogen"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with App(tmp_path_factory.mktemp("proxied"), ENGINES, workers=2, root_path=PATH) as app:
        yield app


@pytest.fixture(scope="module", params=[True, False], ids=["stripped", "passed-on"])
def nginx(app, request, tmp_path_factory):
    with Nginx(tmp_path_factory.mktemp("nginx"), app.base_url, PATH, strips=request.param) as nginx:
        yield nginx


@pytest.fixture
def http(nginx):
    """Somebody with a session, through nginx. Paths begin at the app's."""
    with httpx.Client(base_url=f"{nginx.url}/", trust_env=False, timeout=30) as client:
        token = client.post("api/v1/sessions").raise_for_status().json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def submit(http, engine, **settings):
    asked = {"prompt": "behind a proxy", "engine": engine, "settings": TINY | settings}
    return http.post("api/v1/generations", json=asked).raise_for_status().json()["generations"][0]


@pytest.fixture
def where():
    return "page"


def test_the_page_works_under_a_sub_path(app, nginx, person, where):
    me = person(where)
    failed, outside, complaints = [], [], []
    tab = me.tab(nginx.url)
    tab.page.on("response", lambda answer: failed.append((answer.status, answer.url)) if answer.status >= 400 else None)
    tab.page.on("request", lambda asked: outside.append(asked.url) if is_outside(asked.url, nginx) else None)
    tab.page.on("console", lambda said: complaints.append(said) if said.type == "error" else None)
    tab.open()
    tab.says("Live")
    generation = tab.generate("behind a proxy", "Gated")
    tab.gets_going(generation)
    tab.wait_for("() => document.querySelector('#job-preview').naturalWidth > 0")
    assert {cookie["path"] for cookie in me.context.cookies()} == {PATH}

    tab.find("#share").click()
    expect(tab.find("#public-link")).to_have_value(re.compile(rf"^{re.escape(nginx.url)}/s/[\w-]{{24}}$"))
    tab.wait_for("() => document.querySelector('#link-qr').naturalWidth > 0")
    url = tab.find("#public-link").input_value()

    tab.reload()
    tab.shows(generation, "processing")
    open_gate(app, generation)
    tab.shows(generation, "completed")
    tab.can_play()

    page = me.context.new_page()
    page.goto(url)
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")
    page.click("#remix")
    expect(page.locator("#prompt textarea")).to_have_value("behind a proxy")
    page.close()
    assert failed == []
    assert outside == []
    # Gradio says so when a reload takes its stream away.
    told = [
        f"{said.text} {said.location}" for said in complaints if urlsplit(said.location["url"]).path != "/favicon.ico"
    ]
    assert [said for said in told if "AbortError" not in said and "errored out" not in said] == []


def is_outside(url, nginx):
    """Whether an address is not below the app's path; what the browser asks by itself is not ours."""
    parts = urlsplit(url)
    if parts.scheme in ("data", "blob"):
        return False
    ours = f"{parts.scheme}://{parts.netloc}" == nginx.origin and f"{parts.path}/".startswith(f"{PATH}/")
    return not ours and parts.path != "/favicon.ico"


def test_links_tags_and_streams_say_where_the_proxy_is(app, http, nginx):
    generation = submit(http, "gated")
    made = http.post(f"api/v1/generations/{generation['id']}/share").raise_for_status().json()
    assert made["url"] == f"{nginx.url}/s/{made['slug']}"
    with httpx.stream("GET", f"{made['url']}/events", trust_env=False, timeout=30) as response:
        stream = Stream(response)
        # Events pass as they come, not all at the end: this one is read while the render waits at its gate.
        stream.until(lambda frame: frame.data.get("step"))
        open_gate(app, generation["id"])
        *_, last = stream
    assert last.event == "render_result"
    page = httpx.get(made["url"], trust_env=False)
    assert f'<meta property="og:video" content="{made["url"]}/video.mp4">' in page.text
    assert f'<link rel="canonical" href="{made["url"]}">' in page.text
    told = httpx.get(f"{nginx.url}/oembed", params={"url": made["url"]}, trust_env=False).json()
    assert f'src="{made["url"]}/embed"' in told["html"]
    part = httpx.get(f"{made['url']}/video.mp4", headers={"Range": "bytes=0-9"}, trust_env=False)
    assert (part.status_code, len(part.content)) == (206, 10)
    done = http.get(f"api/v1/generations/{generation['id']}").json()
    assert done["videoUrl"].startswith(f"{PATH}/media/")
    assert httpx.get(nginx.origin + done["videoUrl"], trust_env=False).status_code == 200
    assert httpx.get(f"{nginx.url}/s/{'x' * 24}", trust_env=False).status_code == 404


def test_what_a_visitor_says_for_the_proxy_changes_nothing(http, nginx):
    generation = submit(http, "paced")
    spoken = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/evil"}
    answer = http.post(f"api/v1/generations/{generation['id']}/share", headers=spoken).raise_for_status()
    assert answer.json()["url"].startswith(f"{nginx.url}/s/")
