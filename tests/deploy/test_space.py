"""`videogen deploy space`: the folder is a complete Space, and the Hub takes it."""

import hashlib
import re
import subprocess
import zipfile
from base64 import urlsafe_b64encode
from importlib.metadata import PackagePath
from pathlib import Path
from shutil import copy
from types import SimpleNamespace

import pytest
from huggingface_hub import SpaceCard
from huggingface_hub.repocard import metadata_load

from tests.support.app import ROOT
from tests.support.hub import Hub, front_matter_errors
from tests.support.stand_in import serve
from videogen.__main__ import main
from videogen.core.config import AppConfig
from videogen.core.version import __version__
from videogen.deploy import wheel as wheels
from videogen.deploy.settings import SECRETS, VARIABLES

SDKS = ("docker", "gradio")
ENGINE = "videogen.engine('plasma')(lambda recipe: [])\n"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel of this checkout; it takes seconds to build, so all folders here get the same one."""
    return wheels.build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def deploy(built, tmp_path, capsys, monkeypatch):
    """Runs the command; returns its exit code, what it has printed, and the folder."""
    monkeypatch.setattr(wheels, "build_wheel", lambda folder: Path(copy(built, folder)))

    def run(*arguments, space="anna/videogen", out=tmp_path / "space"):
        code = main(["deploy", "space", space, "--out", str(out), *arguments])
        printed = capsys.readouterr()
        return code, printed.out + printed.err, out

    return run


@pytest.fixture
def hub(monkeypatch):
    hub = Hub()
    with serve(hub.app) as served:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", served.url)
        # Large files go by git LFS: the newer way, Xet, has no server that could be started here.
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", hub.token)
        yield hub


# The folder


@pytest.mark.parametrize("sdk", SDKS)
def test_the_front_matter_is_as_the_hub_wants_it(deploy, sdk):
    _, _, folder = deploy("--sdk", sdk)
    assert front_matter_errors((folder / "README.md").read_text()) == []
    card = metadata_load(folder / "README.md")
    assert card == SpaceCard.load(folder / "README.md").data.to_dict()
    wanted = {"title", "emoji", "colorFrom", "colorTo", "sdk", "pinned", "license", "hf_oauth", "hf_oauth_scopes"}
    assert card.keys() > wanted | {"short_description", "tags", "thumbnail", "startup_duration_timeout"}
    assert (card["sdk"], card["hf_oauth"], card["pinned"]) == (sdk, True, False)
    assert card["thumbnail"].endswith("/anna/videogen/resolve/main/thumbnail.webp")
    assert (folder / "thumbnail.webp").read_bytes()[:4] == b"RIFF"


def test_the_hub_of_the_tests_refuses_a_wrong_front_matter(deploy):
    _, _, folder = deploy()
    text = (folder / "README.md").read_text()
    for right, wrong in (("sdk: docker", "sdk: podman"), ("app_port: 7860", "port: 1"), ("work is", "work is " * 9)):
        assert front_matter_errors(text.replace(right, wrong)) != []


def test_the_docker_folder_builds_as_user_1000_from_the_lock_and_the_wheel(deploy):
    _, _, folder = deploy()
    recipe = (folder / "Dockerfile").read_text()
    assert metadata_load(folder / "README.md")["app_port"] == int(re.search(r"VIDEOGEN_PORT=(\d+)", recipe)[1])
    assert "--require-hashes -r" in recipe
    assert "\nUSER 1000:1000\n" in recipe
    assert (folder / "requirements.lock").read_bytes() == (ROOT / "requirements.lock").read_bytes()
    for source in re.findall(r"^COPY (?:--\S+ )?(\S+) ", recipe, re.M):
        assert (folder / source).exists(), source


def test_the_gradio_folder_asks_for_what_the_hub_installs_beside_it(deploy):
    _, _, folder = deploy("--sdk", "gradio")
    compile((folder / "app.py").read_text(), "app.py", "exec")
    wanted = (folder / "requirements.txt").read_text().splitlines()
    assert f"gradio=={metadata_load(folder / 'README.md')['sdk_version']}" in wanted
    # `gradio[mcp]` wants an older one than the lock file has, and hashes of some would ask for the hashes of all.
    assert not [line for line in wanted if line.startswith("pydantic") or "hash" in line or "/" in line]


@pytest.mark.parametrize("sdk", SDKS)
def test_the_folder_lists_what_to_set(deploy, sdk):
    _, _, folder = deploy("--sdk", sdk)
    text = (folder / "README.md").read_text()
    for name in (*VARIABLES, *SECRETS):
        assert f"| `{name}` |" in text


def test_a_file_of_an_engine_is_in_the_folder(deploy, tmp_path):
    (tmp_path / "plasma.py").write_text(ENGINE)
    _, _, folder = deploy("--engines", f"procedural,{tmp_path}/plasma.py:plasma")
    assert 'VIDEOGEN_ENGINES="procedural,engines/plasma.py:plasma"' in (folder / "Dockerfile").read_text()
    assert (folder / "engines" / "plasma.py").read_text() == ENGINE


def test_models_bring_the_extra_that_runs_them(deploy):
    _, _, folder = deploy("--engines", "diffusers:Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
    assert '.whl[diffusers]"' in (folder / "Dockerfile").read_text()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"space": "videogen"}, "OWNER/NAME"),
        ({"space": "anna/video gen"}, "OWNER/NAME"),
        ({"space": "a/b/c"}, "OWNER/NAME"),
        ({"given": ("--sdk", "static")}, "--sdk: expected docker or gradio"),
        ({"given": ("--engines", "gone.py:plasma")}, "--engines: expected a file that exists, got 'gone.py'"),
        ({"given": ("--sdk", "gradio", "--engines", "diffusers:a/b")}, "use --sdk docker"),
        ({"out": ROOT}, "--out: expected a folder that is new or empty"),
        ({"out": ROOT / "README.md"}, "--out: expected a folder that is new or empty"),
    ],
)
def test_a_wrong_value_is_one_line(deploy, arguments, named):
    code, printed, _ = deploy(*arguments.pop("given", ()), **arguments)
    assert code == 2
    assert named in printed
    assert printed.count("\n") == 1


# The wheel


def test_the_wheel_of_a_checkout_has_all_that_the_app_needs(built):
    with zipfile.ZipFile(built) as wheel:
        names = set(wheel.namelist())
        assert wheel.read("videogen/deploy/requirements.lock") == (ROOT / "requirements.lock").read_bytes()
    tracked = subprocess.run(["git", "ls-files", "videogen"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert set(tracked or ["videogen/__init__.py"]) <= names


def test_an_installed_videogen_is_packed_into_the_same_wheel(built, tmp_path, monkeypatch):
    with zipfile.ZipFile(built) as wheel:
        wheel.extractall(tmp_path / "site")
        files = wheel.namelist()
    made_by_pip = ["videogen/__pycache__/x.pyc", "../../bin/videogen", f"videogen-{__version__}.dist-info/INSTALLER"]

    installed = SimpleNamespace(files=[PackagePath(name) for name in (*files, *made_by_pip)])
    for file in installed.files:
        file.dist = SimpleNamespace(locate_file=lambda name: tmp_path / "site" / str(name))
    monkeypatch.setattr(wheels, "distribution", lambda _name: installed)
    with zipfile.ZipFile(wheels.repack_wheel(tmp_path)) as packed:
        assert sorted(packed.namelist()) == sorted(files)
        record = packed.read(f"videogen-{__version__}.dist-info/RECORD").decode()
        for line in record.splitlines()[:-1]:
            name, digest, size = line.split(",")
            data = packed.read(name)
            hashed = urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={hashed}", str(len(data)))
    (tmp_path / "site" / "videogen" / "__main__.py").unlink()
    with pytest.raises(wheels.WheelError, match=r"__main__\.py: it is missing"):
        wheels.repack_wheel(tmp_path)


# The Hub


@pytest.mark.parametrize("again", [False, True], ids=["new", "there already"])
def test_push_creates_the_space_sets_its_variables_and_uploads_every_file(deploy, hub, tmp_path, again):
    if again:
        deploy("--push", out=tmp_path / "first")
    code, printed, folder = deploy("--push", "--engines", "procedural")
    assert (code, "anna/videogen: pushed" in printed) == (0, True), printed
    space = hub.spaces["anna/videogen"]
    assert (space["sdk"], space["variables"]) == ("docker", {"VIDEOGEN_ENGINES": "procedural"})
    assert space["files"] == {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("token", "space", "named"),
    [("", "anna/videogen", "Set HF_TOKEN"), ("hf_wrong", "anna/videogen", "401"), ("hf_right", "ben/videogen", "403")],
)
def test_a_push_that_is_refused_is_one_line_with_the_reason(deploy, hub, monkeypatch, tmp_path, token, space, named):
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    code, printed, folder = deploy("--push", space=space)
    assert (code, named in printed.splitlines()[-1]) == (2, True), printed
    assert (folder / "README.md").exists(), "the folder is there, to push it by hand"


def test_a_hub_that_cannot_be_reached_is_one_line(deploy, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    code, printed, _ = deploy("--push")
    assert (code, "the Hub cannot be used" in printed.splitlines()[-1]) == (2, True), printed


# On the Space


def test_only_a_space_without_snapshots_keeps_nothing(monkeypatch):
    assert AppConfig().keeps_data
    monkeypatch.setenv("SPACE_ID", "anna/videogen")
    assert not AppConfig().keeps_data
