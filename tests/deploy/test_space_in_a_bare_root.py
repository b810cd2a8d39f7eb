"""Both folders are built in a bare Debian with the registries; then each runs as user 1000 without a network.

Chromium, the site with the frame and the OpenID provider run in the same network, which is a loopback of its own.
"""

import os
import re
import shlex
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.api import Session
from tests.support.app import ROOT
from tests.support.bare_root import BareRoot
from tests.support.browser import Person, launch
from tests.support.networks import without_network
from tests.support.openid import provider
from tests.support.sites import EmbeddingSite
from videogen.__main__ import main
from videogen.jobs.snapshots import open_place
from videogen.media.probe import probe

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]
APP = "/home/user/app"
ARTIFACTS = ROOT / "test-results"

# Starts what serves, makes one video through the command line, and stops it; all in one network without an outside.
USE = """
{command} >/tmp/log 2>&1 & server=$!
trap 'cat /tmp/log' EXIT
for second in $(seq 120); do grep -q "^Ready on" /tmp/log && break; kill -0 $server; sleep 1; done
test "$(id -u)" = 1000
{videogen} --url http://127.0.0.1:7860 generate "ocean at sunset" --size 256x144 --seconds 1 -f -o /tmp/ocean.mp4
{python} -c "import urllib.request as r; print(r.urlopen('http://127.0.0.1:7860/healthz').read().decode())"
kill -TERM $server; wait $server || true
"""
# In the place of ZeroGPU's device API: it notes that the start was reported.
DEVICE_API = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Api(BaseHTTPRequestHandler):
    def do_POST(self):
        open("/tmp/reported", "a").write(self.path + "\\n")
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
HTTPServer(("127.0.0.1", 9000), Api).serve_forever()
"""


@pytest.fixture(scope="module")
def debian():
    """A Debian with Python. Not in memory: two copies of it are installed into."""
    missing = [name for name in ("debootstrap", "unshare", "ip") if shutil.which(name) is None]
    assert os.geteuid() == 0, "this test needs root: it installs a Debian into a folder"
    assert missing == [], "apt-get install debootstrap util-linux iproute2"
    folder = Path(tempfile.mkdtemp(prefix="videogen-debian-", dir="/var/tmp"))
    try:
        root = BareRoot(folder / "debian")
        root.install()
        yield root
    finally:
        shutil.rmtree(folder)


@dataclass
class Built:
    """A Space as the Hub has built it: how it is started, how its command line is called, and where its data is."""

    root: BareRoot
    command: str
    videogen: str
    data: Path


def docker(root, folder):
    command = root.build((folder / "Dockerfile").read_text(), folder)
    return Built(root, command, "videogen", root.path / "home/videogen/data")


def gradio(root, folder):
    root.run("useradd --create-home --uid 1000 user")
    # The Hub installs the requirements before it copies the other files.
    root.put(folder / "requirements.txt", "/tmp/requirements.txt")
    version = next(line for line in (folder / "README.md").read_text().splitlines() if line.startswith("sdk_version"))
    also = [f"gradio[oauth,mcp]=={version.split()[1]}", "uvicorn>=0.14.0", "websockets>=10.4", "spaces"]
    root.run(f"pip install --no-cache-dir -r /tmp/requirements.txt {shlex.join(also)}")
    root.put(folder, APP, "1000:1000")
    root.user, root.folder = "1000:1000", APP
    videogen = f"PYTHONPATH=$(echo {APP}/packages/videogen-*) python -m videogen"
    return Built(root, "python app.py", videogen, root.path / APP.lstrip("/") / "data")


@pytest.fixture(scope="module", params=["docker", "gradio"])
def space(debian, request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param) / "space"
    assert main(["deploy", "space", "anna/videogen", "--sdk", request.param, "--out", str(folder)]) == 0
    build = {"docker": docker, "gradio": gradio}[request.param]
    return build(debian.copy(debian.path.parent / request.param), folder)


def made(root):
    return probe(root.path / "tmp" / "ocean.mp4").num_frames


def test_it_serves_and_renders_also_where_zerogpu_waits_for_its_start(space):
    root = space.root
    use = USE.format(command=space.command, videogen=space.videogen, python="python")
    on_the_hub = {"SPACE_ID": "anna/videogen", "SPACE_HOST": "anna-videogen.hf.space"}
    printed = root.run(use, network=False, **on_the_hub)
    assert made(root) > 0
    assert '"keepsData":false' in printed
    if space.videogen == "videogen":  # SDK Docker: never on ZeroGPU
        return

    (root.path / "tmp" / "api.py").write_text(DEVICE_API)
    zero = {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:9000"}
    printed = root.run(f"python /tmp/api.py 2>/dev/null & {use}", network=False, **on_the_hub, **zero)
    assert (root.path / "tmp" / "reported").read_text() == "/startup-report\n"
    assert printed.count("Ready on") == 1


ADDRESS = "http://127.0.0.1:7860"
START_SECONDS = 180


class Hosted:
    """A built Space that runs and loses its disk whenever it sleeps."""

    def __init__(self, built, log):
        self.built, self.log, self.process = built, log, None
        self.place = built.root.path / "snapshots"
        self.place.mkdir()
        os.chown(self.place, 1000, 1000)

    def wake(self, **env):
        """Start it, with an empty disk."""
        shutil.rmtree(self.built.data, ignore_errors=True)
        self.log.write_bytes(b"")
        self.process = self.built.root.start(self.built.command, self.log, SPACE_ID="anna/videogen", **env)
        deadline = time.monotonic() + START_SECONDS
        while "Ready on" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def sleep(self):
        """As the Hub may do it: everything is killed."""
        if self.process is not None:
            self.built.root.kill(self.process)
            self.process = None

    def snapshot_after(self, moment):
        """Wait for a snapshot that is newer than a moment."""
        place = open_place(str(self.place))
        deadline = time.monotonic() + START_SECONDS
        while not any(entry.database and entry.at > moment for entry in place.entries()):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)


def session_of(tab):
    """The session of a tab, as a program has it that was given its one-time code."""
    tab.find("#devices-open").click()
    tab.find("#transfer").click()
    link = tab.find("#transfer-card [data-copy]").get_attribute("data-copy")
    tab.find("dialog [data-do=close-dialog]").click()
    session = Session(ADDRESS)
    claimed = session.post("/sessions/claim", json={"code": re.search(r"claim=([^&]+)", link)[1]})
    session.http.headers["Authorization"] = f"Bearer {claimed.raise_for_status().json()['token']}"
    return session


def sign_in(tab, session):
    """Sign in as a visitor of the frame does it: in a tab of its own, by a link of the session."""
    page = tab.page.context.new_page()
    page.goto(session.post("/account/link").raise_for_status().json()["url"])
    page.locator("input[name=sub]").fill("ada")
    page.locator("input[name=sub]").press("Enter")
    page.locator("#login-yes").click()
    expect(page.locator("h1")).to_have_text("You are signed in")
    page.close()


def picture(tab, hosted, name):
    ARTIFACTS.mkdir(exist_ok=True)
    tab.page.screenshot(path=ARTIFACTS / f"space-{hosted.built.root.path.name}-{name}.png")


def use_in_a_frame(space, log):
    """A duplicate without a setting, then one with snapshots and sign-in; both are killed, and lose their disk."""
    with ExitStack() as stack:
        site = stack.enter_context(EmbeddingSite())
        issuer = stack.enter_context(provider())
        browser = launch(stack.enter_context(sync_playwright()))
        stack.callback(browser.close)
        expect.set_options(timeout=START_SECONDS * 1000)
        hosted = Hosted(space, log)
        stack.callback(hosted.sleep)
        framed = {"VIDEOGEN_FRAME_ANCESTORS": f"'self' {site.url}"}
        use_a_duplicate(hosted, Person(browser, site, "iframe"), framed)
        kept = framed | {"VIDEOGEN_SNAPSHOT_URL": "/snapshots", "VIDEOGEN_SNAPSHOT_SECONDS": "2"}
        kept |= {"OAUTH_CLIENT_ID": "videogen", "OAUTH_CLIENT_SECRET": "secret", "OPENID_PROVIDER_URL": issuer}
        use_one_that_keeps_its_data(hosted, Person(browser, site, "iframe"), kept)


def use_a_duplicate(hosted, person, framed):
    """It works without a setting, and says that it keeps nothing."""
    hosted.wake(**framed)
    tab = person.tab(ADDRESS).open()
    expect(tab.find("#not-kept")).to_be_visible()
    lost = tab.generate("a forest that is lost")
    tab.shows(lost, "completed")
    tab.can_play()
    picture(tab, hosted, "duplicate")
    hosted.sleep()
    hosted.wake(**framed)
    tab.reload()
    expect(tab.find("#not-kept")).to_be_visible()
    expect(tab.history(lost)).to_have_count(0)
    person.context.close()
    hosted.sleep()


def use_one_that_keeps_its_data(hosted, person, kept):
    """With snapshots and sign-in: everything is there again."""
    hosted.wake(**kept)
    tab = person.tab(ADDRESS).open()
    expect(tab.find("#not-kept")).to_have_count(0)
    generation = tab.generate("ocean at sunset")
    tab.shows(generation, "completed")
    tab.can_play()
    session = session_of(tab)
    sign_in(tab, session)
    account = session.get("/account").json()
    assert account["username"] == "ada"
    made = session.get(f"/generations/{generation}").json()
    share = session.post(f"/generations/{generation}/share", json={}).json()
    picture(tab, hosted, "before")
    moment = datetime.now(UTC)
    session.patch(f"/generations/{generation}", json={"title": "After that moment"}).raise_for_status()
    hosted.snapshot_after(moment)
    hosted.sleep()
    hosted.wake(**kept)
    tab.reload()
    expect(tab.history(generation)).to_be_visible()
    tab.shows(generation, "completed")
    tab.can_play()
    expect(tab.find("#restored")).to_be_visible()
    picture(tab, hosted, "woken")
    assert session.get("/account").json() == account
    assert session.http.get(made["videoUrl"]).status_code == 200
    assert session.http.get(f"/s/{share['slug']}").status_code == 200
    session.http.close()
    person.context.close()


@pytest.mark.browser
def test_it_is_used_in_a_frame_killed_and_woken_with_history_links_and_sign_in_intact(space, tmp_path):
    without_network(lambda: use_in_a_frame(space, tmp_path / "log"))
