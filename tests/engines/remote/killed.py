"""The provider `studio` in a process that kills itself at one point of a job's life, once."""

import os
import signal
import sys
from pathlib import Path

from pydantic import Field

from tests.engines.remote import studio
from videogen.engines.process.context import ChildContext
from videogen.engines.process.protocol import MARK
from videogen.engines.remote.engine import create_for
from videogen.engines.remote.http import HttpClient
from videogen.engines.remote.job import JobLife
from videogen.engines.remote.options import RemoteOptions


class Options(RemoteOptions):
    die: str = Field(default="", description="the point")
    mark: Path = Field(default=Path(), description="a file that is there once it has died")
    provider: str = "Studio"


def wrap(owner, name, before, after, when=lambda *_, **__: True):
    """Let a function die before or after its work, if this is the point."""
    inner = getattr(owner, name)

    def wrapped(*arguments, **options):
        matters = when(*arguments, **options)
        if matters:
            die_at(before)
        made = inner(*arguments, **options)
        if matters:
            die_at(after)
        return made

    setattr(owner, name, wrapped)


chosen = Options()


def die_at(point):
    if chosen.die == point and not chosen.mark.exists():
        chosen.mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def is_intent(_ctx, checkpoint):
    return not checkpoint["job"]["sent"]


def is_sent(_ctx, checkpoint):
    return bool(checkpoint["job"]["sent"])


def is_poll(_http, url, **_):
    return "/jobs/" in url


def prepare():
    wrap(ChildContext, "save", "before the intent is stored", "after the intent is stored", is_intent)
    wrap(ChildContext, "save", "before the id is stored", "after the id is stored", is_sent)
    wrap(HttpClient, "post", "before the POST", "after the POST")
    wrap(HttpClient, "get", "before a poll", "after a poll", is_poll)
    wrap(JobLife, "_fetch", "before the download", "after the download")
    wrap(sys.modules["__main__"], "make_playable", "before the result is checked", "after the result is checked")


def create(spec):
    global chosen
    chosen = spec.parse(Options)
    if MARK in os.environ:  # a child; the test has this module too
        prepare()
    provider = getattr(studio, chosen.provider)
    return create_for(type(provider.__name__, (provider,), {"options": Options}))(spec)
