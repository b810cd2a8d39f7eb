"""Addresses: how a proxy writes those of clients, what stands for one visitor in all limits, and which are private."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

UNKNOWN: Final = "unknown"
"""The name of every client without an IP address: a Unix socket, or a proxy's nonsense."""
_IPV6_PREFIX: Final = 64
"""One customer has all the addresses of such a network."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""Its last 32 bits are an IPv4 address, to which a gateway translates."""
_LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")
_TRANSITION: Final = (IPv6Network("2002::/16"), IPv6Network("2001::/32"), IPv6Network("::/96"))
"""Old forms with an IPv4 address inside, which lead who knows where; no server of today has one."""


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


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet. One with an IPv4 address inside counts as that one."""
    address = parse_address(text)
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            address = IPv4Address(int(address) & 0xFFFF_FFFF)
        elif address.is_site_local or any(address in network for network in (_LOCAL_NAT64, *_TRANSITION)):
            return False
    return address is not None and address.is_global and not address.is_multicast


def resolve(host: str) -> list[str]:
    """The addresses of a host name, or of an address in any form that the system takes; none if there are none.

    It may wait for name servers.
    """
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []
