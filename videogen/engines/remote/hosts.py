"""Which addresses a remote engine may ask: those of its provider, and no private one that nobody has named."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterable
from fnmatch import fnmatchcase

import httpx

from videogen.core.addresses import is_public, resolve
from videogen.engines.remote.provider import RemoteFault


class AllowedHosts:
    """The hosts of one engine.

    The host of `base_url` and those that the operator names may be private. Others must match the provider's table,
    or a pattern of the operator, and be public.
    """

    def __init__(self, base_url: str, named: Iterable[str], table: Iterable[str]) -> None:
        """
        Args:
            base_url: address of the API.
            named: the operator's hosts: `media.example.com`, or `*.example.com` for all below it.
            table: the provider's, in the same form.
        """
        self._base = httpx.URL(base_url)
        self._named = {self._base.host, *(host.lower() for host in named if "*" not in host)}
        self._patterns = {host.lower() for host in (*named, *table)}

    def is_base(self, url: httpx.URL) -> bool:
        """Whether an address is on the server of `base_url`: the same scheme, host and port."""
        return _origin(url) == _origin(self._base)

    def matches(self, host: str) -> bool:
        """Whether a host is in the provider's table or named by the operator."""
        return any(fnmatchcase(host.lower(), pattern) for pattern in self._patterns)

    def check(self, url: httpx.URL) -> None:
        """Check an address before it is asked.

        Raises:
            RemoteFault: it is not allowed (`refused_host`).
        """
        host = url.host.lower()
        if url.scheme not in ("http", "https") or not host:
            raise RemoteFault("refused_host", f"Expected an http or https address, got {url.scheme or 'none'}.")
        if host in self._named:
            return
        if not self.matches(host):
            raise RemoteFault("refused_host", f"The host {host} is not one of this engine.")
        for address in resolve(host):
            _check_public(host, address)

    def check_peer(self, response: httpx.Response) -> None:
        """Check the machine that answered: a name may lead to another one since `check`.

        Raises:
            RemoteFault: it is private, and not named (`refused_host`).
        """
        host, stream = response.url.host.lower(), response.extensions.get("network_stream")
        if host in self._named or stream is None or is_proxied(host):
            return
        peer = stream.get_extra_info("server_addr")
        if isinstance(peer, tuple):
            _check_public(host, str(peer[0]))


def is_proxied(host: str) -> bool:
    """Whether requests to a host go through a proxy of the environment, which looks the name up itself."""
    return bool(urllib.request.getproxies()) and not urllib.request.proxy_bypass(host)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host.lower(), url.port or {"http": 80, "https": 443}.get(url.scheme)


def _check_public(host: str, address: str) -> None:
    if not is_public(address):
        text = f"The host {host} is {address}, which is private. Name it in `hosts` if this is right."
        raise RemoteFault("refused_host", text)
