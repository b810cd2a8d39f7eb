"""Both folders are built in a bare Debian with the registries; then each runs as user 1000 without a network."""

import os
import shlex
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support.bare_root import BareRoot
from videogen.__main__ import main
from videogen.media.probe import probe

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]
APP = "/home/user/app"

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


@pytest.fixture
def folder(tmp_path, request):
    assert main(["deploy", "space", "anna/videogen", "--sdk", request.param, "--out", str(tmp_path / "space")]) == 0
    return tmp_path / "space"


def made(root):
    return probe(root.path / "tmp" / "ocean.mp4").num_frames


@pytest.mark.parametrize("folder", ["docker"], indirect=True)
def test_the_docker_folder_serves_and_renders(debian, folder):
    root = debian.copy(debian.path.parent / "docker")
    command = root.build((folder / "Dockerfile").read_text(), folder)
    printed = root.run(
        USE.format(command=command, videogen="videogen", python="python"),
        network=False,
        SPACE_ID="anna/videogen",
        SPACE_HOST="anna-videogen.hf.space",
    )
    assert made(root) > 0
    assert '"keepsData":false' in printed


@pytest.mark.parametrize("folder", ["gradio"], indirect=True)
def test_the_gradio_folder_serves_and_renders_also_where_zerogpu_waits_for_its_start(debian, folder):
    root = debian.copy(debian.path.parent / "gradio")
    root.run("useradd --create-home --uid 1000 user")
    # The Hub installs the requirements before it copies the other files.
    root.put(folder / "requirements.txt", "/tmp/requirements.txt")
    version = next(line for line in (folder / "README.md").read_text().splitlines() if line.startswith("sdk_version"))
    also = [f"gradio[oauth,mcp]=={version.split()[1]}", "uvicorn>=0.14.0", "websockets>=10.4", "spaces"]
    root.run(f"pip install --no-cache-dir -r /tmp/requirements.txt {shlex.join(also)}")
    root.put(folder, APP, "1000:1000")
    root.user, root.folder = "1000:1000", APP
    use = USE.format(
        command="python app.py",
        videogen=f"PYTHONPATH=$(echo {APP}/packages/videogen-*) python -m videogen",
        python="python",
    )
    printed = root.run(use, network=False, SPACE_ID="anna/videogen")
    assert made(root) > 0
    assert '"keepsData":false' in printed

    (root.path / "tmp" / "api.py").write_text(DEVICE_API)
    zero = {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:9000"}
    printed = root.run(f"python /tmp/api.py 2>/dev/null & {use}", network=False, SPACE_ID="anna/videogen", **zero)
    assert (root.path / "tmp" / "reported").read_text() == "/startup-report\n"
    assert printed.count("Ready on") == 1
