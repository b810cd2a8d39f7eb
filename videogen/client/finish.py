"""What the end of a generation means to whoever waited for it."""

from __future__ import annotations

from videogen.client.errors import GenerationCancelled, GenerationFailed
from videogen.schemas.generations import Generation
from videogen.schemas.status import Status


def result_of(generation: Generation) -> Generation:
    """A generation that has ended, if it has a result.

    Raises:
        GenerationFailed, GenerationCancelled: it has none; the error carries the generation.
    """
    if generation.status is Status.FAILED:
        raise GenerationFailed(generation)
    if generation.status is Status.CANCELLED:
        raise GenerationCancelled(generation)
    return generation
