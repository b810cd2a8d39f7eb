"""Texts about the state of a generation."""

from __future__ import annotations

from videogen.schemas.events import RenderError, RenderProgress, RenderResult


def progress_text(event: RenderProgress) -> str:
    """The state of a generation that is queued or running."""
    if event.status == "queued":
        return queued_text(event)
    steps = f" {event.step}/{event.total_steps}" if event.total_steps else ""
    eta = f", {event.eta_seconds:.0f} s left" if event.eta_seconds is not None else ""
    return f"{event.progress:.0f} % {event.stage}{steps}{eta}"


def queued_text(event: RenderProgress) -> str:
    """The queue position, and the expected start and end where they are known."""
    position = f", place {event.queue_position}" if event.queue_position else ""
    wait = f", starts in {event.expected_wait_seconds:.0f} s" if event.expected_wait_seconds is not None else ""
    end = f", done in {event.eta_seconds:.0f} s" if event.eta_seconds is not None else ""
    return f"queued{position}{wait}{end}"


def end_text(event: RenderResult | RenderError) -> str:
    """The result of a generation that has ended."""
    if isinstance(event, RenderError):
        return f"{event.status}: {event.message}"
    return f"completed, {event.width}x{event.height}"
