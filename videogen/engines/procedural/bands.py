"""Rows of a picture shared out over threads, always cut the same way."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeAlias, TypeVar

# About what fits, with its temporaries, into the second-level cache of one core.
_BAND_PIXELS = 49_152

T = TypeVar("T")
Span: TypeAlias = tuple[int, int]


def cut(start: int, stop: int, width: int) -> list[Span]:
    """Spans [first, last) over rows start..stop, of an even number of rows except the last.

    Depends on the picture alone, never on the number of threads: that keeps every byte the same."""
    step = max(8, _BAND_PIXELS // max(width, 1)) // 2 * 2
    return [(row, min(row + step, stop)) for row in range(start, stop, step)]


class Bands:
    """Runs work over spans on a fixed number of threads; one thread means none of its own."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "bands") if threads > 1 else None

    def rows(self, span: Span, width: int, work: Callable[[Span], None]) -> None:
        """Call work((first, last)) for each band of rows in `span` and wait for all of them."""
        self.each(cut(span[0], span[1], width), work)

    def each(self, items: Sequence[T], work: Callable[[T], None]) -> None:
        """Call work(item) for every item and wait; the first failure is raised."""
        if self._pool is None:
            for item in items:
                work(item)
        else:
            for _ in self._pool.map(work, items):
                pass

    def close(self) -> None:
        """Let the threads go. Safe to call twice."""
        if self._pool is not None:
            self._pool.shutdown()

    def __enter__(self) -> "Bands":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
