"""The price of a video on OpenRouter before it is rendered, from its list of models.

In the web process the list is fetched on a thread of its own: nobody waits for it, and who asks gets what is there. It
needs no key.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import httpx
import orjson

from videogen.engines.remote.answers import read_body

logger = logging.getLogger(__name__)

Row = Mapping[str, Any]
_KEPT_SECONDS: Final = 3600.0
_AGAIN_SECONDS: Final = 60.0
"""After a fetch that failed."""
_TIMEOUT: Final = 10.0
_MAX_BYTES: Final = 8 << 20
_CENTS: Final = 0.01
# Names of prices for one second of video, with their unit in USD; what is special comes first.
_PER_SECOND: Final = (
    ("{mode}_duration_seconds", 1.0),
    ("duration_seconds", 1.0),
    ("per-video-second", 1.0),
    ("cents_per_video_output_second", _CENTS),
    ("cents_per_second_output", _CENTS),
)


class ModelList:
    """The list of models at one address, kept for an hour. Thread-safe."""

    def __init__(self, base_url: str, fetch: Callable[[str], list[Row]] | None = None) -> None:
        """
        Args:
            base_url: address of the API.
            fetch: fetches the list of such an address; may raise. None: over HTTP.
        """
        self._base_url, self._fetch = base_url, fetch or fetch_models
        self._lock = threading.Lock()
        self._rows: dict[str, Row] = {}
        self._due = -1.0
        self._is_missing = False
        self._thread: threading.Thread

    def find(self, model: str, *, wait: bool = False) -> Row | None:
        """The row of a model; None if the list does not have it, or is not here.

        Args:
            model: its name.
            wait: wait for a list that is fetched just now, for some seconds; else the next call has it.
        """
        with self._lock:
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + _AGAIN_SECONDS
                self._thread = threading.Thread(target=self._update, daemon=True, name="openrouter-models")
                self._thread.start()
            fetching = self._thread
        if wait:
            fetching.join(_TIMEOUT)
        return self._rows.get(model)

    def _update(self) -> None:
        try:
            rows = {str(row["id"]): row for row in self._fetch(self._base_url)}
        except Exception as problem:  # an answer may have any form
            # Once, and not each minute.
            level = logging.DEBUG if self._is_missing else logging.WARNING
            logger.log(level, "The list of models at %s is not available: %s", self._base_url, type(problem).__name__)
            self._is_missing = True
            return
        with self._lock:
            self._rows, self._due, self._is_missing = rows, time.monotonic() + _KEPT_SECONDS, False


def fetch_models(base_url: str) -> list[Row]:
    """Fetch the list. It is bounded in size and time, and no redirect is followed."""
    headers = {"Accept-Encoding": "identity"}
    with (
        httpx.Client(timeout=_TIMEOUT, headers=headers) as client,
        client.stream("GET", f"{base_url}/videos/models") as response,
    ):
        response.raise_for_status()
        body = read_body(response, _TIMEOUT, _MAX_BYTES)
    rows: list[Row] = orjson.loads(body)["data"]
    return rows


def estimate(row: Row, inputs: Mapping[str, Any]) -> float | None:
    """The price in USD of a job; None where the model is priced in another way than by the second.

    Args:
        row: of the model, from the list.
        inputs: what is sent: duration in seconds, resolution or size, generate_audio, and frames where there are some.
    """
    named = ((str(name).lower(), _amount(text)) for name, text in (row.get("pricing_skus") or {}).items())
    skus = {name: amount for name, amount in named if amount is not None}
    seconds = _amount(inputs.get("duration"))
    rate = next((skus[name] * unit for name, unit in _names(row, inputs) if name in skus), None)
    if seconds is None or rate is None:
        return None
    pictures = sum(name in inputs for name in ("first_frame", "last_frame"))
    price = rate * seconds + pictures * skus.get("cents_per_image_input", 0.0) * _CENTS
    return round(max(price, skus.get("minimum_cents_per_generation", 0.0) * _CENTS), 6)


def _names(row: Row, inputs: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The names that the price of a second may have, and their units, from the most special one to the plainest."""
    sides = re.findall(r"\d+", str(inputs.get("size", "")))
    resolution = str(inputs.get("resolution") or (f"{min(map(int, sides))}p" if sides else "")).lower()
    audio = inputs.get("generate_audio", row.get("generate_audio"))
    sound = "_with_audio" if audio else "_without_audio"
    mode = "image_to_video" if "first_frame" in inputs else "text_to_video"
    for stem, unit in _PER_SECOND:
        name = stem.format(mode=mode)
        for ending in (f"{sound}_{resolution}", f"_{resolution}{sound}", sound, f"_{resolution}", f"-{resolution}", ""):
            yield name + ending, unit


def _amount(value: Any) -> float | None:
    try:
        amount = float(value)
    except (TypeError, ValueError):
        return None
    return amount if 0 <= amount < float("inf") else None
