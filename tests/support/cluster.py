"""Several hosts on one machine: a PostgreSQL, an S3 server, a proxy, web processes and workers, all of them real.

async with Cluster(folder, webs=2, workers=[("paced",), ("paced",), ("bars",)]) as cluster:
    httpx.get(f"{cluster.url}/healthz")

Each host reaches the database and the storage by links of its own, so that it can be cut off from one of them.
"""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import psutil
import psycopg

from tests.support import processes
from tests.support.app import ROOT, App
from tests.support.links import Link
from tests.support.namespaces import Namespace
from tests.support.nginx import free_port, nginx_path
from tests.support.own_postgresql import OwnServer
from tests.support.s3_server import BUCKET, ENVIRONMENT, S3Server
from videogen.db.migrate import migrate

DATABASE = "videogen"
PREFIX = "cluster"
SECRET_KEY = "the key that all processes of a cluster share"
START_SECONDS = 120.0


class Worker(App):
    """`videogen worker` for some engines, in a process of its own."""

    def __init__(
        self, data_dir: Path, takes: Sequence[str], concurrency: int, engines: Sequence[str], **settings: object
    ) -> None:
        super().__init__(data_dir, engines, page=False, **settings)
        self._takes, self._concurrency = takes, concurrency

    def _command(self) -> list[str]:
        takes = ",".join(self._takes)
        return ["-m", "videogen", "worker", "--engines", takes, "--concurrency", str(self._concurrency)]

    def _serves(self, line: str) -> str | None:
        return "" if line.startswith("Ready") else None


class Host:
    """One process, with its renderers, on a host of its own."""

    def __init__(self, name: str, app: App, database: Link, storage: Link, address: str) -> None:
        self.name, self.app, self.database, self.storage, self._address = name, app, database, storage, address
        self._frozen: list[psutil.Process] = []

    @property
    def runs(self) -> bool:
        """Whether it was started and not ended."""
        return self.app.process is not None

    @property
    def address(self) -> str:
        """Where a web process listens, once it runs."""
        return f"{self._address}:{self.app.base_url.rpartition(':')[2]}"

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        await asyncio.to_thread(self.app.start, START_SECONDS)

    async def stop(self) -> None:
        """SIGTERM; wait until it has left."""
        await asyncio.to_thread(self.app.stop)

    async def kill(self) -> None:
        """The host is gone: the process and its renderers, by SIGKILL."""
        self.wake()
        await asyncio.to_thread(self.app.kill_all)

    def freeze(self) -> None:
        """The host stands still, and its connections stay open."""
        assert self.app.process is not None
        server = psutil.Process(self.app.pid)
        self._frozen = [server, *server.children(recursive=True)]
        self._send(signal.SIGSTOP)

    def wake(self) -> None:
        """It goes on, if it stood still."""
        self._send(signal.SIGCONT)
        self._frozen = []

    def heal(self) -> None:
        """It stands in a network that works."""
        self.wake()
        self.database.heal()
        self.storage.heal()

    def _send(self, number: signal.Signals) -> None:
        for process in self._frozen:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


class Proxy:
    """nginx with the configuration of deploy/nginx.conf in front of the web processes."""

    def __init__(self, folder: Path, webs: Iterable[str]) -> None:
        self._program = nginx_path()
        folder.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._config = folder / "nginx.conf"
        self._config.write_text(nginx_config(folder, self.port, webs))

    def __enter__(self) -> Self:
        command = [self._program, "-e", f"{self._folder}/error.log", "-c", str(self._config)]
        self._process = processes.start(command, stdin=subprocess.DEVNULL)
        while self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise RuntimeError("nginx did not start.")

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)


def nginx_config(folder: Path, port: int, webs: Iterable[str]) -> str:
    """The configuration of deploy/nginx.conf as an ordinary user can run it, for web processes at these addresses."""
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    servers = "".join(f"    server {web} max_fails=1 fail_timeout=1s;\n" for web in webs)
    site, places = re.subn(r"(?:^    server web\d.*\n)+", servers, site, flags=re.MULTILINE)
    site, listens = re.subn(r"listen \d+;", f"listen 127.0.0.1:{port};", site)
    assert (places, listens) == (1, 1), "deploy/nginx.conf has another form"
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; master_process off; pid {folder}/nginx.pid;\n"
        f"events {{ worker_connections 2048; }}\nhttp {{ access_log off; {paths}\n{site}\n}}\n"
    )


class _Links(NamedTuple):
    """How a host reaches the others."""

    database: Link
    storage: Link
    namespace: Namespace | None


class Cluster:
    """What it consists of: `postgresql`, `s3`, `webs`, `workers`, and the proxy at `url`."""

    def __init__(
        self,
        folder: Path,
        *,
        webs: int = 2,
        workers: Sequence[Sequence[str]] = (("paced",), ("paced",)),
        concurrency: int = 1,
        namespaces: bool = False,
        page: bool = False,
        ahead: Mapping[str, float] | None = None,
        **settings: object,
    ) -> None:
        """`workers`: the engines of each. With `namespaces` each host is one, else all share this machine's network.

        `page`: whether web processes serve it.
        `ahead`: by how many seconds the clocks of hosts are fast, by their names; not with `namespaces`.
        """
        self.folder = folder
        self.webs: list[Host] = []
        self.workers: list[Host] = []
        self.url = ""
        self._counts = webs, workers, concurrency
        self._engines = sorted({engine for takes in workers for engine in takes})
        self._settings, self._namespaces, self._page, self._ahead = settings, namespaces, page, ahead or {}
        self._open = AsyncExitStack()

    @property
    def hosts(self) -> list[Host]:
        """All web processes and workers."""
        return [*self.webs, *self.workers]

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def _start(self) -> None:
        self.postgresql, self.s3 = await asyncio.gather(asyncio.to_thread(self._server), asyncio.to_thread(S3Server))
        self._open.callback(self.postgresql.close)
        await asyncio.gather(asyncio.to_thread(self._start_database), asyncio.to_thread(self.s3.__enter__))
        self._open.callback(self.s3.__exit__)
        webs, workers, concurrency = self._counts
        for number in range(webs):
            await self.add_web(f"web{number + 1}")
        for number, takes in enumerate(workers):
            await self.add_worker(f"worker{number + 1}", takes, concurrency)
        # All of them, before one that failed ends the others.
        for failed in await asyncio.gather(*(host.start() for host in self.hosts), return_exceptions=True):
            if failed is not None:
                raise failed
        try:
            proxy = Proxy(self.folder / "proxy", [web.address for web in self.webs])
        except RuntimeError:  # there is no nginx: everybody goes to the first one, which keeps its port
            self.url = f"http://{self.webs[0].address}"
            return
        self._open.enter_context(proxy)
        self.url = proxy.url

    def _server(self) -> OwnServer:
        return OwnServer()

    def _start_database(self) -> None:
        self.postgresql.start()
        with self.postgresql.connect() as connection:
            connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
        migrate(self.postgresql.url(DATABASE))

    async def add_web(self, name: str) -> Host:
        """Another web process, not started."""
        links = await self._links()
        listens = {"workers": 0, "host": "0.0.0.0", "trusted_proxies": "*"} if links.namespace else {"workers": 0}
        app = App(self.folder / name, self._engines, page=self._page, **listens, **self._shared(links))
        self.webs.append(host := self._host(name, app, links))
        return host

    async def add_worker(self, name: str, takes: Sequence[str], concurrency: int = 1) -> Host:
        """Another worker, not started."""
        links = await self._links()
        app = Worker(self.folder / name, takes, concurrency, self._engines, **self._shared(links))
        self.workers.append(host := self._host(name, app, links))
        return host

    async def _links(self) -> _Links:
        socket, namespace = self.postgresql.folder / ".s.PGSQL.5432", None
        database, storage = Link(socket), Link(self.s3.url)
        if self._namespaces:
            namespace = self._open.enter_context(Namespace())
            database, storage = namespace.link("database", socket), namespace.link("storage", self.s3.url)
        for link in (database, storage):
            await self._open.enter_async_context(link)
        return _Links(database, storage, namespace)

    def _shared(self, links: _Links) -> dict[str, object]:
        where = f"{links.database.address}:{links.database.port}"
        return {
            "database_url": f"postgresql://videogen@{where}/{DATABASE}?sslmode=disable&connect_timeout=2",
            "storage_url": f"s3://{BUCKET}/{PREFIX}?endpoint={links.storage.url}",
            "secret_key": SECRET_KEY,
            **self._settings,
        }

    def _host(self, name: str, app: App, links: _Links) -> Host:
        app.variables = ENVIRONMENT | {"TEST_CLOCK_AHEAD": str(self._ahead.get(name, 0))}
        app.detached = True
        app.prefix = links.namespace.prefix if links.namespace else ()
        address = links.namespace.far("front") if links.namespace else "127.0.0.1"
        host = Host(name, app, links.database, links.storage, address)
        self._open.callback(self._close, host)
        return host

    @staticmethod
    def _close(host: Host) -> None:
        host.wake()
        if host.runs:
            host.app.kill_all()

    # What is kept

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database, past the app and the links."""
        with psycopg.connect(self.postgresql.url(DATABASE), autocommit=True) as connection:
            return connection.execute(query.replace("?", "%s").encode(), values).fetchall()

    def objects(self) -> dict[str, int]:
        """What the bucket holds below the prefix: the size of each."""
        pages = self.s3.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{PREFIX}/")
        found = [entry for page in pages for entry in page.get("Contents", [])]
        return {entry["Key"].removeprefix(f"{PREFIX}/"): entry["Size"] for entry in found}

    def read(self, key: str) -> bytes:
        """An object of the bucket."""
        content: bytes = self.s3.client().get_object(Bucket=BUCKET, Key=f"{PREFIX}/{key}")["Body"].read()
        return content

    def unfinished_uploads(self) -> list[str]:
        """The keys of multi-part uploads that were neither completed nor given up."""
        found = self.s3.client().list_multipart_uploads(Bucket=BUCKET)
        return [upload["Key"] for upload in found.get("Uploads", [])]
