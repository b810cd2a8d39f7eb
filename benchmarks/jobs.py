"""Single jobs through the real app: the time that it adds to a render, the time after a crash, the time of a cancel."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from benchmarks.table import Row, percentile
from tests.support.api import Session
from tests.support.app import ROOT, App
from tests.support.sse import Frame

ENGINE = "procedural"
PROMPT = "ocean at sunset with clouds, slow pan"
CLIP = {"width": 512, "height": 288, "durationSeconds": 4, "fps": 24}
LONG_CLIP = CLIP | {"durationSeconds": 20}
JOBS = 7
JOB_BOUND = 1.05
CRASHES = 12
CRASH_BOUND_S = 1.5
CANCELS = 24
CANCEL_BOUND_S = 0.5


def measure() -> list[Row]:
    """Measure with one app and one renderer at a time."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Long jobs are killed many times here.
        app = stack.enter_context(App(folder, [ENGINE], max_attempts=20))
        session = stack.enter_context(Session(app.base_url))
        return [_whole_job(app, session), _crash(app, session), _cancel(app, session)]


def _submit(session: Session, clip: dict[str, Any], seed: int) -> str:
    made = session.submit(ENGINE, prompt=PROMPT, settings=clip | {"seed": seed})
    return str(made["id"])


def _whole_job(app: App, session: Session) -> Row:
    """Measure both in turns, so that other load affects both. The first turn fills the disk caches; not counted."""
    ours, direct = [], []
    for turn in range(JOBS + 1):
        seconds, generation = _through_the_app(session, turn)
        without_app = _directly(_recipe(app, generation))
        if turn:
            ours.append(seconds)
            direct.append(without_app)
    ratio = median(ours) / median(direct)
    return Row(
        "whole job, 96 frames of 512x288: submit -> playable",
        f"{median(ours):.2f} s, {ratio:.3f} x (n={JOBS})",
        f"<= {JOB_BOUND} x",
        f"the engine called directly, in a warm process of its own: {median(direct):.2f} s",
        ratio <= JOB_BOUND,
    )


def _through_the_app(session: Session, seed: int) -> tuple[float, str]:
    _wait_for_idle_renderer()
    started = time.perf_counter()
    generation = _submit(session, CLIP, seed)
    end = session.follow(generation)[-1]
    video = session.http.get(end.data["videoUrl"], headers={"Range": "bytes=0-65535"})
    seconds = time.perf_counter() - started
    assert video.status_code == 206, video
    return seconds, generation


def _recipe(app: App, generation: str) -> bytes:
    """The stored recipe of a generation, as JSON."""
    database = sqlite3.connect(f"file:{app.data_dir / 'videogen.sqlite'}?mode=ro", uri=True)
    try:
        return str(
            database.execute("SELECT recipe FROM generations WHERE id = ?", (generation,)).fetchone()[0]
        ).encode()
    finally:
        database.close()


def _directly(recipe: bytes) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.direct", ENGINE, folder]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            _wait_for_idle_renderer()
            process.stdin.write(orjson.dumps(orjson.loads(recipe)) + b"\n")
            process.stdin.flush()
            return float(process.stdout.readline())


def _wait_for_idle_renderer() -> None:
    """Wait until the app has started a new idle renderer, so that nothing runs beside the next job."""
    time.sleep(2.0)


def _crash(app: App, session: Session) -> Row:
    """Seconds from a SIGKILL at a random moment of a long render to the first frame of the next attempt."""
    generator = random.Random(7)
    seconds: list[float] = []
    while len(seconds) < CRASHES:
        generation = _submit(session, LONG_CLIP, len(seconds))
        with session.stream(f"/generations/{generation}/events") as stream:
            for _ in range(6):
                frame = stream.until(_renders)
                moment = time.monotonic() + generator.uniform(1.0, 2.0)
                frame = stream.until(lambda frame, moment=moment: _renders(frame) and time.monotonic() >= moment)
                if frame.data["progress"] > 75 or len(seconds) == CRASHES:
                    break
                app.renderer(generation).kill()
                killed = time.monotonic()
                stream.until(_renders_in_attempt(frame.data["attempt"] + 1))
                seconds.append(time.monotonic() - killed)
            session.cancel(generation)
            stream.until(lambda frame: frame.terminal)
    return Row(
        "crash of a renderer -> the next attempt renders",
        f"p50 {median(seconds):.2f} s, max {max(seconds):.2f} s (n={len(seconds)})",
        f"p50 <= {CRASH_BOUND_S} s",
        "",
        median(seconds) <= CRASH_BOUND_S,
    )


def _renders(frame: Frame) -> bool:
    return bool(frame.data.get("stage") == "rendering" and frame.data["step"] > 0)


def _renders_in_attempt(attempt: int) -> Callable[[Frame], bool]:
    return lambda frame: _renders(frame) and frame.data["attempt"] == attempt


def _cancel(app: App, session: Session) -> Row:
    """Seconds from the request to the last event, which is sent when the renderer has stopped."""
    seconds = []
    for number in range(CANCELS):
        generation = _submit(session, LONG_CLIP, number)
        with session.stream(f"/generations/{generation}/events") as stream:
            stream.until(_renders)
            started = time.monotonic()
            session.cancel(generation)
            end = stream.until(lambda frame: frame.terminal)
            seconds.append(time.monotonic() - started)
            assert end.data["code"] == "cancelled", end
    p99 = percentile(seconds, 0.99)
    value = f"p50 {median(seconds) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms (n={CANCELS})"
    bound = f"p99 <= {CANCEL_BOUND_S * 1000:.0f} ms"
    return Row("cancel -> the renderer has stopped and the cancel is stored", value, bound, "", p99 <= CANCEL_BOUND_S)
