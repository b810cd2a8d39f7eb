"""A real PostgreSQL server for the tests: one for all processes of a run, on a socket in a folder of its own.

It is Debian's package, run as an ordinary user: PostgreSQL refuses root, in whose place `nobody` runs it. It forgets
everything with the power, and ends with the process that began the run, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlmodel import SQLModel

from videogen.db.migrate import migrate

USER = "videogen"
FOLDERS = "/usr/lib/postgresql/*/bin"
NEEDED = (
    "These tests need PostgreSQL 15 or newer, and none was found. Do one of these, then run the tests again: "
    "sudo apt-get install postgresql; VIDEOGEN_TEST_POSTGRESQL=/path/to/its/bin; or leave these tests out: "
    "make test DISTRIBUTED=no (pytest -m 'not postgresql')."
)
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "max_connections": 300,
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "track_commit_timestamp": "on",
    "log_min_messages": "fatal",
}
# The server, and whoever waits for the end of the process that began the run.
_KEEPER = """
import os, select, shutil, signal, subprocess, sys
owner, user, folder, *command = sys.argv[1:]
owner = os.pidfd_open(int(owner))
as_user = {"user": user, "extra_groups": []} if user else {}
server = subprocess.Popen(command, stdin=subprocess.DEVNULL, **as_user)
select.select([owner, os.pidfd_open(server.pid)], [], [])
server.send_signal(signal.SIGQUIT)
server.wait()
folder and shutil.rmtree(folder, ignore_errors=True)
"""


def programs() -> Path:
    """The folder of the server's programs, of the newest version."""
    given = os.environ.get("VIDEOGEN_TEST_POSTGRESQL")
    found = [Path(given)] if given else sorted(Path("/").glob(FOLDERS[1:]), key=lambda path: int(path.parent.name))
    if path := shutil.which("postgres"):
        found.insert(0, Path(path).parent)
    assert found, NEEDED
    return found[-1]


class Server:
    """One server that runs. Its databases are made from a migrated one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, database: str) -> str:
        """What VIDEOGEN_DATABASE_URL takes."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def connect(self, url: str = "") -> psycopg.Connection[Any]:
        """A connection that commits each statement."""
        return psycopg.connect(url or self.url("postgres"), autocommit=True)

    @contextmanager
    def database(self, template: str = "migrated") -> Iterator[str]:
        """The URL of a database that nobody else uses; the template `template0` gives one without tables."""
        name = f"test_{os.getpid()}_{time.monotonic_ns()}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        yield self.url(name)
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def empty(url: str) -> None:
    """Delete all rows; their numbers begin at 1 again. Much faster than a new database, or TRUNCATE."""
    tables = reversed(SQLModel.metadata.sorted_tables)
    numbered = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
    statements = [*(f"DELETE FROM {table.name}" for table in tables), "DELETE FROM procrastinate_jobs", numbered]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("; ".join(statements))


_ALONE: dict[str, Any] = {"cwd": "/", "start_new_session": True}
_keepers: list[subprocess.Popen[bytes]] = []
"""They end by themselves."""


def server_of_run(root: Path) -> Server:
    """The server of this run of the tests, which all its processes share; `root` is a folder that they have."""
    known = root / "postgresql.txt"
    with (root / "postgresql.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists():
            known.write_text(str(_start(_owner())))
        return Server(Path(known.read_text()))


def _owner() -> int:
    """The process that began the run: a worker of pytest-xdist is a child of it."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


def _start(owner: int) -> Path:
    folder = new_folder()
    launch(folder, owner, SETTINGS, keep=False)
    server = Server(folder)
    with server.connect() as connection:
        connection.execute("CREATE DATABASE migrated TEMPLATE template0")
    migrate(server.url("migrated"))
    return folder


def _as_user() -> dict[str, Any]:
    return {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}


def new_folder() -> Path:
    """A folder with an empty database cluster in it."""
    # A path of a socket has 107 bytes at most, and a folder of pytest belongs to its user alone.
    folder = Path(tempfile.mkdtemp(prefix="videogen-pg-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    as_user = _as_user()
    if as_user:
        folder.chmod(0o755)
        shutil.chown(folder, as_user["user"])
    command = [programs() / "initdb", "-D", folder / "data", "-U", USER, "--auth=trust", "--encoding=UTF8"]
    # Text in the order of people, not of bytes: a query that counts on the order of bytes fails here.
    command += ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en", "--no-sync", "--no-instructions"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", **as_user)
    assert done.returncode == 0, f"initdb failed:\n{done.stdout}{done.stderr}"
    return folder


def launch(folder: Path, owner: int, settings: Mapping[str, object], *, keep: bool) -> None:
    """Start a server on the folder, and wait until it answers.

    Args:
        folder: what `new_folder` gave.
        owner: the process with which the server ends.
        settings: the settings of PostgreSQL.
        keep: whether the folder stays when the server has ended.
    """
    given = {**settings, "unix_socket_directories": folder}
    options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
    keeper = [sys.executable, "-I", "-S", "-c", _KEEPER, str(owner), _as_user().get("user", "")]
    keeper.append("" if keep else str(folder))
    command = [*keeper, str(programs() / "postgres"), "-D", str(folder / "data"), *map(str, options)]
    with (folder / "log").open("a") as log:
        keeper = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_ALONE)
        keeper.returncode = 0  # it outlives this process: no warning that it still runs
        _keepers.append(keeper)
    _wait(Server(folder), folder / "log")


def _wait(server: Server, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, f"PostgreSQL did not start:\n{log.read_text()}"
            time.sleep(0.05)
