"""A PostgreSQL server of its own, which a test may restart, kill and take connections from."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import suppress

import psutil

from tests.support.postgresql import SETTINGS, Server, launch, new_folder

# What was committed outlives the death of the server's processes, as it does for an operator; the disk is not asked.
_SETTINGS = SETTINGS | {"synchronous_commit": "on"}


class OwnServer(Server):
    """Started by `start`; `close` removes it and its data."""

    def __init__(self, **settings: object) -> None:
        """`settings` of PostgreSQL."""
        super().__init__(new_folder())
        self._settings = _SETTINGS | settings

    def start(self) -> None:
        """Start it, again or for the first time."""
        launch(self.folder, os.getpid(), self._settings, keep=True)

    def stop(self) -> None:
        """As `systemctl stop` does it: connections are closed, and everything is written down."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL for all its processes: the next start recovers from the log of writes."""
        server = self._process()
        processes = [server, *server.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._wait(processes)

    def drop_connections(self, database: str) -> None:
        """End every connection to a database; new ones work."""
        with self.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (database,)
            )

    def close(self) -> None:
        """End it, if it runs, and remove everything."""
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text()

    def _process(self) -> psutil.Process:
        return psutil.Process(int((self.folder / "data" / "postmaster.pid").read_text().split()[0]))

    def _end(self, number: signal.Signals) -> None:
        server = self._process()
        server.send_signal(number)
        self._wait([server])

    @staticmethod
    def _wait(processes: list[psutil.Process]) -> None:
        _, alive = psutil.wait_procs(processes, 20)
        assert not alive, f"PostgreSQL did not end: {alive}"
