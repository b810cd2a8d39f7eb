"""Checks the bucket of an installation on several machines, by an object of its own that is deleted again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final
from uuid import uuid4

from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError
from videogen.doctor.findings import Finding, fault, ok, warning
from videogen.storage.presigned import OPTION, links_of
from videogen.storage.s3 import OPTIONS, S3Objects, Stat, open_bucket

_CONTENT: Final = b"A probe of videogen doctor; it may be deleted."
_SETTING: Final = "VIDEOGEN_STORAGE_URL"
SKEW_SECONDS: Final = 60.0
"""A clock that differs more is a warning; signatures are refused from 15 minutes on."""


def bucket(config: AppConfig) -> Iterator[Finding]:
    """Check that the bucket can be written and read, stores an object only once where asked to, and has our time."""
    try:
        objects = open_bucket(config.storage_url, _SETTING, options=(*OPTIONS, OPTION))
        links = links_of(config.storage_url, _SETTING)
    except ConfigError as problem:
        yield fault("bucket", problem.detail.rstrip("."), f"Correct {_SETTING}; see docs/scaling.md.")
        return
    name = f"doctor/{uuid4().hex}"
    try:
        began = time.perf_counter()
        next(iter(objects.list_sizes("doctor")), None)
        milliseconds = (time.perf_counter() - began) * 1000
        try:
            objects.create(name, _CONTENT)
            yield from _probe(objects, name, milliseconds)
        finally:
            objects.delete(name)
    except OSError as problem:
        yield fault("bucket", f"{objects.name} cannot be used: {problem}", _ADVICE)
        return
    yield ok(
        "media", f"sent by {links.origin}, by links" if links else "sent by the app; the bucket needs no public address"
    )


_ADVICE: Final = (
    f"Look at the endpoint and the bucket in {_SETTING}, at AWS_ACCESS_KEY_ID, and at the rights of that key: "
    "list, read, write, delete."
)


def _probe(objects: S3Objects, name: str, milliseconds: float) -> Iterator[Finding]:
    if objects.read(name) != _CONTENT:
        yield fault("bucket", f"{objects.name} does not give back what was stored", "Look at the S3 server's own logs.")
        return
    yield ok("bucket", f"{objects.name} answers in {milliseconds:.1f} ms; written, read and deleted")
    if objects.create(name, _CONTENT):
        repair = "Use a newer version of the S3 server, or another one: a result must not be stored twice."
        yield fault("bucket", "it does not know `If-None-Match: *`: a second write replaced the first", repair)
    else:
        yield ok("bucket", "it refuses to store an object twice (`If-None-Match: *`)")
    yield _clock(objects.stat(name))


def _clock(stored: Stat) -> Finding:
    seconds = stored.changed_at - time.time()
    if abs(seconds) > SKEW_SECONDS:
        text = f"that of the bucket is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"
        return warning("clock", text, "Run a time service (NTP) on both: from 15 minutes on all requests are refused.")
    return ok("clock", f"at most {max(abs(seconds), 1):.0f} s from that of the bucket")
