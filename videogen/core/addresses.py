"""Client addresses: how a proxy writes them, and what stands for one visitor in all limits."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

UNKNOWN: Final = "unknown"
"""The name of every client without an IP address: a Unix socket, or a proxy's nonsense."""
_IPV6_PREFIX: Final = 64
"""One customer has all the addresses of such a network."""


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in an entry of `X-Forwarded-For`: with or without port, brackets and zone. None: there is none.

    An IPv4 address in IPv6 form is returned as IPv4.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def visitor_name(client: str) -> str:
    """What stands for a client address in all limits: the IPv4 address, the IPv6 network (/64), or `UNKNOWN`."""
    address = parse_address(client)
    if address is None:
        return UNKNOWN
    if address.version == 4:
        return str(address)
    return str(ip_network((address, _IPV6_PREFIX), strict=False))
