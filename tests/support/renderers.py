"""Waiting for messages of renderers and for the end of processes."""

import os
import select


def until(messages, kind):
    """Read up to the first message of a kind."""
    return next(message for message in messages if message.t == kind)


def await_death(pid, meanwhile=lambda: None):
    """Wait until a process, which need not be a child of ours, has ended; call `meanwhile` again and again."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for _ in range(40):
            meanwhile()
            if select.select([descriptor], [], [], 0.5)[0]:
                return
        raise AssertionError(f"process {pid} is still alive")
    finally:
        os.close(descriptor)
