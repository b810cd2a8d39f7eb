"""The wheel and the sdist of a release: what is in them, and that an empty environment with the wheel renders a video.

`make dist` runs this on the files in dist/ (VIDEOGEN_TEST_DIST); without that the tests build their own. `make test`
leaves out what downloads all packages, and takes those of its own environment instead.
"""

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import httpx
import pytest

from tests.support.app import ROOT, without_settings
from videogen.core.version import __version__
from videogen.media.probe import probe

pytestmark = pytest.mark.timeout(1500)
WHEEL, SDIST = f"videogen-{__version__}-py3-none-any.whl", f"videogen-{__version__}.tar.gz"


def run(*command, cwd=ROOT, env=None):
    env = env or without_settings(os.environ)
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def build(source, folder):
    run(sys.executable, "-m", "hatchling", "build", "--directory", folder, cwd=source)
    return folder


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    given = os.environ.get("VIDEOGEN_TEST_DIST")
    return Path(given).resolve() if given else build(ROOT, tmp_path_factory.mktemp("dist"))


def tracked(folder):
    return set(run("git", "ls-files", folder).split())


def test_the_wheel_has_every_file_of_the_package_and_says_who_may_use_it(dist):
    with zipfile.ZipFile(dist / WHEEL) as wheel:
        names = set(wheel.namelist())
        about = f"videogen-{__version__}.dist-info"
        metadata = message_from_bytes(wheel.read(f"{about}/METADATA"))
        assert wheel.read(f"{about}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert {name for name in names if not name.startswith(about)} == tracked("videogen") | {
        "videogen/deploy/requirements.lock"
    }
    assert (metadata["Name"], metadata["Version"]) == ("videogen", __version__)
    assert (metadata["License-Expression"], metadata["License-File"]) == ("Apache-2.0", "LICENSE")
    assert {"mcp", "s3", "distributed", "diffusers"} == set(metadata.get_all("Provides-Extra"))


def test_the_sdist_builds_the_same_wheel(dist, tmp_path):
    with tarfile.open(dist / SDIST) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / SDIST.removesuffix(".tar.gz")
    assert (source / "requirements.lock").read_bytes() == (ROOT / "requirements.lock").read_bytes()
    build(source, tmp_path / "again")
    assert (tmp_path / "again" / WHEEL).read_bytes() == (dist / WHEEL).read_bytes()


def serve_and_render(videogen, folder):
    """Start what is installed, look at its page, and render a video with it."""
    env = without_settings(os.environ) | {"XDG_CONFIG_HOME": str(folder), "VIDEOGEN_DATA_DIR": str(folder / "data")}
    assert run(videogen, "--version", cwd=folder) == f"videogen {__version__}\n"
    server = subprocess.Popen(
        [videogen, "serve"],
        cwd=folder,
        env=env | {"VIDEOGEN_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        address = next(line.split()[-1] for line in server.stdout if line.startswith("Ready on"))
        assert "gradio-app" in httpx.get(address, trust_env=False, timeout=60).raise_for_status().text
        asked = ("generate", "ocean at sunset", "--size", "256x144", "--seconds", "1", "-o", folder / "ocean.mp4")
        run(videogen, "--url", address, *asked, cwd=folder, env=env)
    finally:
        server.terminate()
        server.communicate(timeout=60)
    assert probe(folder / "ocean.mp4").num_frames > 0


def test_the_wheel_alone_serves_its_page_and_renders_a_video(dist, tmp_path):
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--no-deps", "--no-index", dist / WHEEL, cwd=tmp_path)
    (own,) = (tmp_path / "env").glob("lib/python*/site-packages")
    # Its packages come after those of the environment itself.
    (own / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    assert run(python, "-c", "import videogen; print(videogen.__file__)", cwd=tmp_path).startswith(str(own))
    serve_and_render(tmp_path / "env" / "bin" / "videogen", tmp_path)


@pytest.mark.long
def test_an_empty_environment_with_the_wheel_renders_a_video_and_writes_a_space(dist, tmp_path):
    python = tmp_path / "env" / "bin" / "python"
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=tmp_path)
    run(*pip, "--no-deps", dist / WHEEL, cwd=tmp_path)
    run(python, "-m", "pip", "check", cwd=tmp_path)
    videogen = tmp_path / "env" / "bin" / "videogen"
    serve_and_render(videogen, tmp_path)

    # There is no checkout and nothing to build with: the wheel in the Space is packed from what is installed.
    run(videogen, "deploy", "space", "anna/videogen", "--out", tmp_path / "space", cwd=tmp_path)
    with zipfile.ZipFile(tmp_path / "space" / WHEEL) as packed, zipfile.ZipFile(dist / WHEEL) as wheel:
        assert sorted(packed.namelist()) == sorted(wheel.namelist())
