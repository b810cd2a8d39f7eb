"""Webhooks: where to a session's events are sent, and what is sent there."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, get_args

from pydantic import Field

from videogen.schemas.base import Model, Text
from videogen.schemas.generations import Generation

WebhookEvent = Literal[
    "generation.completed", "generation.failed", "generation.cancelled", "generation.needs_attention"
]
EVENTS: Final[tuple[WebhookEvent, ...]] = get_args(WebhookEvent)
TEST_EVENT: Final = "webhook.test"
MAX_URL: Final = 2000


class WebhookCreate(Model):
    """What `POST /webhooks` takes."""

    url: Text = Field(
        min_length=1, max_length=MAX_URL, description="An https address.", examples=["https://example.org/hooks/video"]
    )
    events: list[WebhookEvent] = Field(
        default=list(EVENTS), min_length=1, max_length=len(EVENTS), description="What is sent; default: all of them."
    )


class WebhookResult(Model):
    """What came of sending one message."""

    at: datetime
    ok: bool = Field(description="Whether the receiver answered with a status of 200 to 299.")
    status: int | None = Field(description="The HTTP status; null without an answer.")
    text: str = Field(description="The beginning of the answer, or why there was none; at most 200 characters.")


class Webhook(Model):
    """One address that a session's events are sent to."""

    id: str
    url: str
    events: list[WebhookEvent]
    created_at: datetime
    disabled: str | None = Field(description="Why nothing is sent any more; null while it is in use.")
    pending: int = Field(ge=0, description="Messages that wait to be sent, or to be sent again.")
    last: WebhookResult | None = Field(description="The newest attempt; null before the first one.")


class WebhookCreated(Webhook):
    """A new webhook, with what verifies its signatures."""

    secret: str | None = Field(
        description="`whsec_` and the key in base64, returned only here; null where the operator's own key signs."
    )


class WebhookList(Model):
    """The webhooks of a session, oldest first."""

    items: list[Webhook]


class WebhookMessage(Model):
    """The body of a message, as in the Standard Webhooks specification."""

    type: str = Field(description="One of the events, or `webhook.test`.")
    timestamp: datetime = Field(description="When it happened.")
    data: Generation | None = Field(description="The generation as it was then, with fresh links; null in a test.")
