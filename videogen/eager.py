"""Run a coroutine without a task, as far as it comes without waiting."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any


class Rest:
    """What is left of a coroutine that has begun and waits for something; await it once, in a task."""

    __slots__ = ("_waits_for", "_work")

    def __init__(self, work: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    answer = yield waits_for
                except BaseException as problem:
                    waits_for = self._work.throw(problem)
                else:
                    waits_for = self._work.send(answer)
        except StopIteration:
            return


def begin(work: Coroutine[Any, Any, None]) -> Rest | None:
    """Run a coroutine up to the first point where it must wait; None when it ran to its end.

    Where almost nothing ever waits, such as a write to a socket that has room, this saves a task and two turns of the
    event loop for each. Call it in the loop's thread. The coroutine begins outside of any task.
    """
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return Rest(work, waits_for)
