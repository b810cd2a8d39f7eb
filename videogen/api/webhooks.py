"""`/api/v1/webhooks`: addresses that the events of a session are sent to."""

from __future__ import annotations

from fastapi import APIRouter, Response

from videogen.core.errors import InvalidRequestError, LimitExceededError, NotFoundError
from videogen.schemas.webhooks import WebhookCreate, WebhookCreated, WebhookList, WebhookResult
from videogen.web.dependencies import PublicUrlDep, ServicesDep
from videogen.web.problems import documented
from videogen.web.sessions import READS, WRITES, SessionDep, StoredSessionDep
from videogen.web.visitor import VisitorDep

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])


@router.post("", status_code=201, responses=WRITES | documented(InvalidRequestError, LimitExceededError))
def create_webhook(
    services: ServicesDep,
    base: PublicUrlDep,
    session_id: StoredSessionDep,
    visitor: VisitorDep,
    create: WebhookCreate,
    response: Response,
) -> WebhookCreated:
    """Send the session's events to an address, signed after the Standard Webhooks specification.

    The `secret` is returned only here. A message has the headers `webhook-id`, `webhook-timestamp` and
    `webhook-signature`; it is sent until the answer is a status of 200 to 299, 8 times within 32 hours, and may come
    twice, with the same id.
    """
    response.headers["Cache-Control"] = "no-store"
    return services.webhooks.create(session_id, create, base, visitor)


@router.get("", responses=READS)
def list_webhooks(services: ServicesDep, session_id: SessionDep) -> WebhookList:
    """The session's webhooks, oldest first, with what came of the newest attempt."""
    return services.webhooks.list(session_id)


@router.delete("/{webhook_id}", status_code=204, responses=WRITES | documented(NotFoundError))
def delete_webhook(services: ServicesDep, session_id: SessionDep, webhook_id: str) -> Response:
    """Remove a webhook, with what was not sent yet."""
    services.webhooks.delete(session_id, webhook_id)
    return Response(status_code=204)


@router.post("/{webhook_id}/test", responses=WRITES | documented(NotFoundError, LimitExceededError))
def test_webhook(services: ServicesDep, session_id: SessionDep, webhook_id: str, visitor: VisitorDep) -> WebhookResult:
    """Send a message of type `webhook.test` now, and return what came of it. If it got through, a webhook that was
    disabled is in use again."""
    return services.webhooks.test(session_id, webhook_id, visitor)
