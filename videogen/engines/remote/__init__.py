"""Engines that let another machine render: one life of a job for all, and one module for each provider.

What the author of a provider needs is here: see docs/engines/remote.md.
"""

from videogen.engines.remote.engine import create_for
from videogen.engines.remote.options import InputRow, RemoteOptions
from videogen.engines.remote.provider import (
    Answer,
    Provider,
    RemoteFault,
    RemoteJob,
    ResultFile,
    State,
    Submitted,
    Update,
)

__all__ = (
    "Answer",
    "InputRow",
    "Provider",
    "RemoteFault",
    "RemoteJob",
    "RemoteOptions",
    "ResultFile",
    "State",
    "Submitted",
    "Update",
    "create_for",
)
