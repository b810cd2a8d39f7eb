"""Which app a command talks to: the one that was named, one that runs here, or one of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from videogen.cli.exit_codes import UsageError
from videogen.client import ApiError, Client, ProtocolError, Unreachable, VersionMismatch
from videogen.client.blocking.connect import DEFAULT_URL, ENV_URL, given_token, sign_in

KEYS: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Connection:
    """A client with a session, and what to say about coming back."""

    client: Client
    url: str
    own: str | None = None
    """The data folder of an app that runs for this command alone."""

    def how_to_come_back(self, generation_id: str) -> str:
        """What to tell somebody who leaves before the end."""
        if self.own is not None:
            return (
                f"{generation_id} is kept in {self.own}. It goes on with: videogen watch {generation_id}\n"
                "(or with the next `videogen serve` on that folder)"
            )
        return f"{generation_id} goes on at {self.url}. Come back with: videogen watch {generation_id}{self._at()}"

    def _at(self) -> str:
        return "" if self.url == (os.environ.get(ENV_URL) or DEFAULT_URL) else f" --url {self.url}"


@contextmanager
def open_place(url: str | None, token: str | None) -> Iterator[Connection]:
    """Connect to the app.

    Raises:
        Unreachable: an address was given, and nothing answers there.
        UsageError: there is no app, and none of its own can be started.
    """
    named = url or os.environ.get(ENV_URL)
    if named is not None and not named.startswith(KEYS):
        raise UsageError(f"--url: expected an address such as {DEFAULT_URL}, got {named!r}.")
    if named is not None or _is_ours(DEFAULT_URL):
        address = (named or DEFAULT_URL).rstrip("/")
        with _signed_in(address, token) as client:
            yield Connection(client, address)
        return
    from videogen.cli.local_server import Embedded, data_folder

    with Embedded(data_folder(os.environ)) as app, _signed_in(app.url, token) as client:
        yield Connection(client, app.url, own=str(app.data_dir))


@contextmanager
def _signed_in(url: str, token: str | None) -> Iterator[Client]:
    with Client(url) as client:
        yield client.as_session(given_token(token) or sign_in(client, url))


def _is_ours(url: str) -> bool:
    """Whether a videogen serves there. One that is there but too slow to say so is told as such."""
    with Client(url) as client:
        try:
            return client.health().name == "videogen"
        except Unreachable as problem:
            if "no answer in time" in problem.detail:
                raise
            return False
        except (ApiError, ProtocolError, VersionMismatch):
            return False  # another program has that port
