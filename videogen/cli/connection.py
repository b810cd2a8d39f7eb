"""The app that a command uses: the given one, one that runs on this machine, or one started for the command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from videogen.cli.exit_codes import UsageError
from videogen.client import ApiError, Client, ProtocolError, Unreachable, VersionMismatch, connect
from videogen.client.connect import DEFAULT_URL, ENV_URL, default_url


@dataclass(frozen=True, slots=True)
class Connection:
    """A client with a session, and where its app runs."""

    client: Client
    url: str
    local_data: str | None = None
    """The data folder, if the app runs for this command only."""

    def resume_hint(self, generation_id: str) -> str:
        """How to follow a generation again, for a user who interrupts the command."""
        if self.local_data is not None:
            return (
                f"{generation_id} is stored in {self.local_data}. Continue with: videogen watch {generation_id}\n"
                "(or with `videogen serve` on that folder)"
            )
        option = "" if self.url == default_url() else f" --url {self.url}"
        return f"{generation_id} goes on at {self.url}. Follow it again with: videogen watch {generation_id}{option}"


def check_url(given: str | None) -> None:
    """Raise UsageError for a text that is no address of an app."""
    if given is not None and not given.startswith(("http://", "https://")):
        raise UsageError(f"--url: expected an address such as {DEFAULT_URL}, got {given!r}.")


@contextmanager
def open_connection(url: str | None, token: str | None) -> Iterator[Connection]:
    """Connect to the app, or start one.

    Raises:
        Unreachable: the app at the given address does not answer.
        UsageError: the address is wrong, or no app runs and none can be started.
    """
    given = url or os.environ.get(ENV_URL)
    check_url(given)
    if given is not None or _runs_at(DEFAULT_URL):
        address = (given or DEFAULT_URL).rstrip("/")
        with connect(address, token) as client:
            yield Connection(client, address)
        return
    from videogen.cli.local_server import LocalServer, data_folder

    with LocalServer(data_folder()) as app, connect(app.url, token) as client:
        yield Connection(client, app.url, local_data=str(app.data_dir))


def _runs_at(url: str) -> bool:
    """Whether videogen runs at an address. Raises Unreachable if something is there and does not answer in time."""
    with Client(url) as client:
        try:
            return client.health().name == "videogen"
        except Unreachable as problem:
            if "no answer in time" in problem.detail:
                raise
            return False
        except (ApiError, ProtocolError, VersionMismatch):
            return False  # another program uses this port
