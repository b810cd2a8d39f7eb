"""Links in the API's JSON, made absolute: where the API has no public address, it sends their path alone."""

from __future__ import annotations

from typing import Any, Final

import httpx

_AS_IT_IS: Final = "settings"
"""What users and engines name."""


def absolute_links(value: Any, address: httpx.URL) -> Any:
    """The same JSON, with each link absolute.

    Args:
        value: decoded JSON. Links are in fields named `url` or `...Url`.
        address: where it came from.
    """
    if isinstance(value, list):
        return [absolute_links(item, address) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item if key == _AS_IT_IS else _absolute(item, address) if _is_link(key) else absolute_links(item, address)
        for key, item in value.items()
    }


def _is_link(key: str) -> bool:
    return key == "url" or key.endswith("Url")


def _absolute(link: Any, address: httpx.URL) -> Any:
    return str(address.join(link)) if isinstance(link, str) and link.startswith("/") else link
