"""Sends a message to the address of a webhook: to no private one, and with bounds on all that the receiver does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from ssl import SSLContext
from typing import Final

import httpx

from videogen.core.addresses import is_public, resolve
from videogen.core.errors import InvalidRequestError
from videogen.engines.remote.answers import retry_after
from videogen.schemas.webhooks import MAX_URL
from videogen.store import Attempt

SECONDS: Final = 15.0
"""How long one attempt may take in all."""
MAX_TEXT: Final = 200
"""How much of an answer is kept."""
_SOON: Final = (429, 503)
"""The HTTP statuses with which a receiver may say when it can be asked again."""
_READ_BYTES: Final = 4 * MAX_TEXT
_HTTPS: Final = 443
_UNPRIVILEGED: Final = 1024
_LAST_PORT: Final = 65_535
_NOT_SHOWN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")
_NO_ADDRESS: Final = "an address whose host is found on the public internet"


class WebhookHosts:
    """Which addresses webhooks may have. Those that the operator names may be private, use http, and have any port."""

    def __init__(self, named: Iterable[str]) -> None:
        """`named`: `hooks.example.com`, `*.example.com` for all below it, `10.0.0.5`, or `*` for any host."""
        self._named = [pattern.lower() for pattern in named]

    def check(self, text: str) -> None:
        """Check the address of a new webhook; this looks its host up.

        Raises:
            InvalidRequestError: it is not allowed.
        """
        url, expected = self._parse(text)
        if url is None or not self.addresses(url):
            raise InvalidRequestError("url", expected or _NO_ADDRESS, text)

    def url(self, text: str) -> httpx.URL | None:
        """The address of a webhook; None where it is not allowed, or not any more."""
        return self._parse(text)[0]

    def addresses(self, url: httpx.URL) -> list[str]:
        """The addresses of a host, all of which may be asked; none where one of them is private."""
        found = resolve(url.host)
        return found if self._is_named(url.host) or all(map(is_public, found)) else []

    def _is_named(self, host: str) -> bool:
        return any(fnmatchcase(host.lower(), pattern) for pattern in self._named)

    def _parse(self, text: str) -> tuple[httpx.URL | None, str]:
        """The address, or None and what is expected instead."""
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL:
            return None, "an https address"
        if url.scheme not in ("http", "https") or not url.host or len(text) > MAX_URL:
            return None, "an https address"
        if url.userinfo or url.fragment:
            return None, "an address without a user name, a password and a #"
        if not self._is_named(url.host):
            if url.scheme != "https":
                return None, "an https address"
            if (port := url.port) is not None and port != _HTTPS and not _UNPRIVILEGED <= port <= _LAST_PORT:
                return None, f"an address with port {_HTTPS}, or one from {_UNPRIVILEGED} on"
        return url, ""


@dataclass(frozen=True, slots=True)
class Message:
    """A signed message."""

    body: bytes
    headers: Mapping[str, str]


async def send(text: str, message: Message, hosts: WebhookHosts) -> Attempt:
    """Send a message once. This never raises: what went wrong is in the result.

    The host is looked up once, and the connection goes to the address that was found and checked. Redirects and proxies
    are not used.
    """
    if (url := hosts.url(text)) is None:
        return Attempt(None, "Its address is not allowed here any more.")
    try:
        async with asyncio.timeout(SECONDS):
            addresses = await asyncio.to_thread(hosts.addresses, url)
            if not addresses:
                return Attempt(None, "Its host was not found, or has a private address.")
            return await _post(url, addresses[0], message)
    except TimeoutError:
        return Attempt(None, f"There was no complete answer within {SECONDS:.0f} seconds.")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
        return Attempt(None, _shown(f"There was no answer: {str(problem) or type(problem).__name__}"))


async def _post(url: httpx.URL, address: str, message: Message) -> Attempt:
    headers = {"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity", **message.headers}
    # The name is for the certificate alone: it is not looked up again.
    options = {"sni_hostname": url.host}
    limits = httpx.Limits(max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(verify=_certificates(), trust_env=False, timeout=SECONDS, limits=limits) as client,
        client.stream(
            "POST", url.copy_with(host=address), content=message.body, headers=headers, extensions=options
        ) as response,
    ):
        if response.is_redirect:
            return Attempt(response.status_code, "The answer is a redirect, which is not followed.")
        data = b""
        async for part in response.aiter_raw():
            data += part
            if len(data) >= _READ_BYTES:
                break
        wait = retry_after(response.headers) if response.status_code in _SOON else None
        return Attempt(response.status_code, _shown(data[:_READ_BYTES].decode(errors="replace")), wait or 0.0)


def _shown(text: str) -> str:
    return _NOT_SHOWN.sub(" ", text).strip()[:MAX_TEXT]


@cache
def _certificates() -> SSLContext:
    # Loading them takes long.
    return httpx.create_ssl_context()
