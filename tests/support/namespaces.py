"""Hosts as network namespaces: each has a loopback of its own and one cable to each network that it needs. Needs root.

A cable that is pulled is silent: nobody is told, and nothing is answered.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.support.links import Link

NETWORKS = ("front", "database", "storage")
_numbers = itertools.count(1)
# Two runs of the tests at once have other addresses.
_NET = f"10.{50 + os.getpid() % 150}"


def why_not() -> str:
    """Why namespaces cannot be used here; empty where they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need `ip` (apt-get install iproute2)"
    name = f"vg-probe-{os.getpid()}"
    probe = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "delete", name], capture_output=True)
    return f"`ip netns add` failed: {probe.stderr.strip()}" if probe.returncode else ""


class Namespace:
    """One host. `prefix` stands before the command of a process that is to run on it."""

    def __init__(self) -> None:
        self._number = next(_numbers)
        self.name = f"vg{os.getpid()}-{self._number}"
        self.prefix: Sequence[str] = ("ip", "netns", "exec", self.name)

    def __enter__(self) -> Self:
        _ip("netns", "add", self.name)
        try:
            self._in_it("link", "set", "lo", "up")
            for network in NETWORKS:
                near, far = self.cable(network), self.cable(network) + "h"
                _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self.name)
                _ip("address", "add", f"{self.near(network)}/30", "dev", near)
                self._in_it("address", "add", f"{self.far(network)}/30", "dev", far)
                self._in_it("link", "set", far, "up")
                _ip("link", "set", near, "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "delete", self.name)  # its cables go with it

    def cable(self, network: str) -> str:
        """The name of the cable's end on this machine; at most 14 characters."""
        return f"vg{os.getpid() % 100_000}{network[0]}{self._number}"

    def near(self, network: str) -> str:
        """The address of this machine, as the host sees it."""
        return f"{_NET}.{self._number}.{4 * NETWORKS.index(network) + 1}"

    def far(self, network: str) -> str:
        """The address of the host, as this machine sees it."""
        return f"{_NET}.{self._number}.{4 * NETWORKS.index(network) + 2}"

    def link(self, network: str, target: str | Path) -> Link:
        """A link on that network, for this host alone."""
        return _Cable(target, self.near(network), self.cable(network))

    def _in_it(self, *arguments: str) -> None:
        _ip("-netns", self.name, *arguments)


class _Cable(Link):
    """A link that is cut off by pulling the cable."""

    def __init__(self, target: str | Path, address: str, cable: str) -> None:
        super().__init__(target, address)
        self._cable = cable
        self._is_pulled = False

    def isolate(self) -> None:
        _ip("link", "set", self._cable, "down")
        self._is_pulled = True

    def heal(self) -> None:
        if self._is_pulled:
            _ip("link", "set", self._cable, "up")
            self._is_pulled = False
        super().heal()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
