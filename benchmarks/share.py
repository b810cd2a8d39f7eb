"""The page of a public link: its bytes, its first paint in Chromium, and the delay of events for 1,000 visitors."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx

from benchmarks.page import ENGINE, LONG_FORM
from benchmarks.page import browser as chromium
from benchmarks.table import Row, percentile
from tests.support.app import ROOT, App

VISITORS = 1000
SECONDS = 15.0
PAGE_BYTES, PAINT_MS, LATE_MS = 30_000, 300.0, 200.0
VISITS = 15
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def measure() -> list[Row]:
    """Measure with one link to a generation that renders for a minute."""
    with tempfile.TemporaryDirectory() as folder, App(Path(folder), [ENGINE]) as app:
        slug = _share(app)
        return [_live(app, slug), _size(app, slug), _paint(app, slug)]


def _share(app: App) -> str:
    with httpx.Client(base_url=f"{app.base_url}/api/v1", trust_env=False) as http:
        token = http.post("/sessions").raise_for_status().json()["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        body = {"prompt": "A lighthouse in the fog, slow pan. " * 50, "settings": LONG_FORM}
        generation = http.post("/generations", json=body).raise_for_status().json()["generations"][0]["id"]
        return str(http.post(f"/generations/{generation}/share").raise_for_status().json()["slug"])


def _size(app: App, slug: str) -> Row:
    with httpx.Client(base_url=app.base_url, trust_env=False) as http:
        page = len(http.get(f"/s/{slug}").raise_for_status().content)
        script = len(http.get("/s/-/share.js").raise_for_status().content)
    value = f"{page + script} bytes ({page} page, {script} script; prompt of 1750 characters)"
    return Row("share page without video", value, f"<= {PAGE_BYTES} bytes", "", page + script <= PAGE_BYTES)


def _paint(app: App, slug: str) -> Row:
    """Open each page in a new browser context, without caches. Peer: a page of bare text on the same server."""
    ours: list[float] = []
    bare: list[float] = []
    with chromium() as browser:
        for turn in range(VISITS + 1):
            for path, times in ((f"/healthz?{turn}", bare), (f"/s/{slug}", ours)):
                context = browser.new_context()
                page = context.new_page()
                page.goto(app.base_url + path)
                page.wait_for_function(f"() => {PAINT} > 0")
                if turn:
                    times.append(float(page.evaluate(PAINT)))
                context.close()
    return Row(
        "share page, first contentful paint",
        f"p50 {median(ours):.0f} ms, max {max(ours):.0f} ms (n={len(ours)})",
        f"p50 <= {PAINT_MS:g} ms",
        f"bare text of the same server: {median(bare):.0f} ms",
        median(ours) <= PAINT_MS,
    )


def _live(app: App, slug: str) -> Row:
    host = urlsplit(app.base_url)
    command = [sys.executable, "-m", "benchmarks.visitors", str(host.port), slug, str(VISITORS), str(SECONDS)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=True)
    delays: dict[str, list[float]] = json.loads(result.stdout)
    late = [delay for times in delays.values() for delay in times]
    received = min(map(len, delays.values()))
    value = (
        f"p50 {median(late):.0f} ms, p99 {percentile(late, 0.99):.0f} ms, max {max(late):.0f} ms "
        f"from the write of the event ({len(delays)} events, each received by at least {received})"
    )
    within_bound = percentile(late, 0.99) <= LATE_MS and received == VISITORS
    return Row(f"live event, {VISITORS} visitors on one link", value, f"p99 <= {LATE_MS:g} ms", "", within_bound)
