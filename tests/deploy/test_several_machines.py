"""What docs/scaling.md has people install: compose.yaml, the units of systemd, the proxy, the locked packages.

Nothing here needs Docker or a running systemd: the files are held to what reads them.
"""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.app import ROOT
from tests.support.cluster import nginx_config
from tests.support.nginx import free_port, nginx_path
from videogen.__main__ import _parser
from videogen.core.config import AppConfig

UNITS = ROOT / "deploy" / "systemd"
FILLED_IN = {"POSTGRES_PASSWORD": "p", "S3_SECRET_KEY": "s", "VIDEOGEN_SECRET_KEY": "a key of thirty-two characters !!"}
APP = ("web1", "web2", "worker1", "worker2", "migrate")


# Until both are there, the files are ahead of the app.


def variables(text):
    """The NAME=VALUE lines of a file of variables."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


EXAMPLE = variables((ROOT / ".env.example").read_text())


def filled_in(text, given):
    """The text as Compose reads it: ${NAME:?message} and ${NAME:-default} are replaced."""

    def value(match):
        name, sign, rest = match.groups()
        assert name in EXAMPLE, f"{name} is not in .env.example"
        return given.get(name) or (rest if sign == ":-" else pytest.fail(f"{name}: {rest}"))

    return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", value, text)


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load(filled_in((ROOT / "compose.yaml").read_text(), FILLED_IN))["services"]


def config_of(environment):
    """What the app makes of these variables; an unknown one is an error."""
    given = {
        name: "" if value is None else str(value) for name, value in environment.items() if name.startswith("VIDEOGEN_")
    }
    fields = {f"VIDEOGEN_{name.upper()}" for name in AppConfig.model_fields}
    assert given.keys() <= fields, f"no such settings: {given.keys() - fields}"
    return AppConfig.from_env(given)


@pytest.mark.parametrize("name", APP)
def test_each_process_of_the_compose_file_starts_with_its_settings_and_its_command(services, name):
    service = services[name]
    config = config_of(service["environment"])
    assert config.uses_postgresql
    assert config.storage_url == "s3://videogen/files?endpoint=http://s3:8333"
    assert config.secret_key == FILLED_IN["VIDEOGEN_SECRET_KEY"]
    assert service["environment"]["AWS_SECRET_ACCESS_KEY"] == FILLED_IN["S3_SECRET_KEY"]
    program, *arguments = service.get("command", ["videogen", "serve"])
    assert program == "videogen"
    args = _parser().parse_args(arguments)
    assert args.command == {"we": "serve", "wo": "worker", "mi": "migrate"}[name[:2]]
    if args.command == "worker":
        assert names(args.engines) <= set(config.engines)
        assert args.concurrency == 1
    assert config.workers == (0 if args.command == "serve" else AppConfig().workers)


def names(engines):
    """The engines of `--engines`."""
    return set(engines.split(",") if isinstance(engines, str) else engines)


def test_all_processes_reach_the_same_database_and_bucket(services):
    database, s3 = services["postgresql"]["environment"], services["s3"]
    url = (
        f"postgresql://{database['POSTGRES_USER']}:{database['POSTGRES_PASSWORD']}@postgresql/{database['POSTGRES_DB']}"
    )
    for name in APP:
        assert services[name]["environment"]["VIDEOGEN_DATABASE_URL"] == url
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            assert services[name]["environment"][key] == s3["environment"][key]
    assert "-bucket=videogen" in s3["command"]


def test_nothing_starts_before_what_it_needs(services):
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services, f"{name} needs {needed}, which is not there"
            if how["condition"] == "service_healthy":
                has_check = "healthcheck" in services[needed] or needed.startswith("web")  # theirs is in the Dockerfile
                assert has_check, f"{name} waits for {needed}, which nobody asks for its health"
    assert {"migrate", "s3"} <= services["web1"]["depends_on"].keys() & services["worker1"]["depends_on"].keys()


def test_what_lasts_is_in_volumes_and_secrets_are_in_no_file(services):
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    kept = {volume.partition(":")[0] for name in ("postgresql", "s3") for volume in services[name]["volumes"]}
    assert kept == set(compose["volumes"])
    secrets = ("POSTGRES_PASSWORD", "S3_SECRET_KEY", "VIDEOGEN_SECRET_KEY")
    assert all(EXAMPLE[name] == "" for name in secrets)
    for name in secrets:
        with pytest.raises(pytest.fail.Exception, match=f"{name}: fill in .env"):
            filled_in((ROOT / "compose.yaml").read_text(), FILLED_IN | {name: ""})
    assert ".env" in (ROOT / ".gitignore").read_text().split()


def test_the_image_has_what_several_machines_need(services):
    lock = services["web1"]["build"]["args"]["LOCK"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "ARG LOCK=requirements.lock\n" in dockerfile
    assert "COPY ${LOCK} ./\n" in dockerfile
    assert "pip install --require-hashes -r ${LOCK}\n" in dockerfile
    assert f"!{lock}" in (ROOT / ".dockerignore").read_text().split()
    locked, plain = (packages(ROOT / name) for name in (lock, "requirements.lock"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[<>=]", line)[0] for line in project["optional-dependencies"]["distributed"]}
    assert wanted <= locked.keys()
    assert {"psycopg-binary", "psycopg-pool"} <= locked.keys()
    assert plain.items() <= locked.items(), "both images run the same versions"
    tested = packages(ROOT / "requirements-dev.lock")
    assert {name: tested[name] for name in locked if name in tested} == {n: v for n, v in locked.items() if n in tested}
    assert wanted <= tested.keys()


def packages(lock):
    """Name to version; each with a hash."""
    entries = re.split(r"^(?=\w)", lock.read_text(), flags=re.MULTILINE)
    found = {}
    for entry in entries:
        if match := re.match(r"([\w.-]+)==(\S+)", entry):
            assert "--hash=sha256:" in entry, f"{match[1]} has no hash"
            found[match[1]] = match[2]
    assert len(found) > 40
    return found


def unit(path):
    """The settings of a unit: name to all values."""
    found = {}
    for line in path.read_text().splitlines():
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("kind", ["web", "worker"])
def test_a_unit_of_systemd_starts_with_its_settings_and_its_command(kind):
    settings = unit(UNITS / f"videogen-{kind}@.service")
    own = dict(pair.split("=", 1) for pair in shlex.split(settings["Environment"][0].replace("%i", "7861")))
    shared = variables((UNITS / "videogen.env.example").read_text())
    assert shared["VIDEOGEN_SECRET_KEY"] == shared["AWS_SECRET_ACCESS_KEY"] == ""
    config = config_of(shared | own | {"VIDEOGEN_SECRET_KEY": FILLED_IN["VIDEOGEN_SECRET_KEY"]})
    assert config.uses_postgresql
    assert config.storage_url.startswith("s3://")
    (folder,) = settings["StateDirectory"]
    assert config.data_dir == Path("/var/lib") / folder.replace("%i", "7861")
    program, *arguments = shlex.split(re.sub(r"\$\{(\w+)\}", lambda match: own[match[1]], settings["ExecStart"][0]))
    assert program == "/opt/videogen/bin/videogen"
    args = _parser().parse_args(arguments)
    if kind == "web":
        assert (args.command, config.workers, config.port) == ("serve", 0, 7861)
    else:
        assert (args.command, names(args.engines) <= set(config.engines), args.concurrency) == ("worker", True, 1)


@pytest.mark.parametrize("kind", ["web", "worker"])
def test_a_stop_of_a_unit_lets_the_process_end_by_itself(kind):
    settings = unit(UNITS / f"videogen-{kind}@.service")
    assert settings["KillMode"] == ["mixed"], "renderers must not get the signal that drains their worker"
    assert "KillSignal" not in settings, "SIGTERM is what drains"
    assert int(settings["TimeoutStopSec"][0]) >= 30
    assert settings["Restart"] == ["always"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("kind", ["web", "worker"])
def test_systemd_knows_every_setting_of_the_units(kind, tmp_path):
    text = (UNITS / f"videogen-{kind}@.service").read_text()
    assert "/opt/videogen/bin/videogen" in text
    path = tmp_path / f"videogen-{kind}@1.service"
    path.write_text(text.replace("/opt/videogen/bin/videogen", "/bin/true").replace("User=videogen", "User=root"))
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True)
    assert f"videogen-{kind}@1.service" not in done.stderr, done.stderr


@pytest.mark.browser  # which says that there is an nginx
def test_nginx_takes_the_configuration(tmp_path):
    config = tmp_path / "nginx.conf"
    config.write_text(nginx_config(tmp_path, free_port(), ["127.0.0.1:7861", "10.0.0.2:7861"]))
    command = [nginx_path(), "-t", "-e", tmp_path / "error.log", "-c", config]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_proxy_knows_the_web_processes_of_the_compose_file(services):
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    named = re.findall(r"server (\w+):7860", text)
    assert named == [name for name in services if name.startswith("web")]
    assert "listen 8080;" in text
    assert services["proxy"]["ports"][0].endswith(":8080")
