"""What the command line says of a generation, in words."""

from __future__ import annotations

from videogen.schemas.events import RenderError, RenderProgress, RenderResult


def progress_text(event: RenderProgress) -> str:
    """Where a generation is, in words."""
    if event.status == "queued":
        return queued_text(event)
    steps = f" {event.step}/{event.total_steps}" if event.total_steps else ""
    eta = f", {event.eta_seconds:.0f} s left" if event.eta_seconds is not None else ""
    return f"{event.progress:.0f} % {event.stage}{steps}{eta}"


def queued_text(event: RenderProgress) -> str:
    """Where it stands in line, and when it should begin and end, where that is known."""
    place = f", place {event.queue_position}" if event.queue_position else ""
    wait = f", starts in {event.expected_wait_seconds:.0f} s" if event.expected_wait_seconds is not None else ""
    end = f", done in {event.eta_seconds:.0f} s" if event.eta_seconds is not None else ""
    return f"queued{place}{wait}{end}"


def end_text(event: RenderResult | RenderError) -> str:
    """How it ended, in words."""
    if isinstance(event, RenderError):
        return f"{event.status}: {event.message}"
    return f"completed, {event.width}x{event.height}"
