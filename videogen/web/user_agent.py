"""The name of a device, from the User-Agent of its requests."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import HTTPConnection

MAX_NAME: Final = 60
# In this order: most browsers name others too, for compatibility.
_BROWSERS: Final = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS: Final = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}
_PROGRAM: Final = re.compile(r"[A-Za-z][\w.-]*")


def device_name(connection: HTTPConnection) -> str:
    """A short name such as "Firefox on Linux" or "curl"; empty where the request does not say."""
    agent = connection.headers.get("user-agent", "")
    if not agent.startswith("Mozilla/"):
        program = _PROGRAM.match(agent)
        return program[0][:MAX_NAME] if program else ""
    browser, system = (
        next((name for mark, name in names.items() if mark in agent), "") for names in (_BROWSERS, _SYSTEMS)
    )
    return f"{browser} on {system}" if browser and system else browser or system
