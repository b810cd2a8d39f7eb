"""`/api/v1/queue`: the session's own part of the queue; pause it and let it go on."""

from __future__ import annotations

from fastapi import APIRouter

from videogen.core.errors import LimitExceededError
from videogen.schemas.generations import Queue
from videogen.web.dependencies import ServicesDep
from videogen.web.problems import documented
from videogen.web.sessions import READS, WRITES, SessionDep, StoredSessionDep

router = APIRouter(prefix="/api/v1/queue", tags=["generations"])


@router.get("", responses=READS)
def get_queue(services: ServicesDep, session_id: SessionDep) -> Queue:
    """What of the session runs and waits, in the order of service, and whether its queue is paused."""
    return services.generations.queue(session_id)


@router.post("/pause", responses=WRITES | documented(LimitExceededError))
def pause_queue(services: ServicesDep, session_id: StoredSessionDep) -> Queue:
    """Let nothing of this session begin until `POST /queue/resume`, also after a restart. Safe to repeat.

    What has begun goes on, also after its renderer was lost. What waits has the stage `paused`, and neither a
    position nor an expected time. Other sessions are served as before.
    """
    return services.generations.pause(session_id, paused=True)


@router.post("/resume", responses=WRITES)
def resume_queue(services: ServicesDep, session_id: SessionDep) -> Queue:
    """Let the session's queue go on. Safe to repeat."""
    return services.generations.pause(session_id, paused=False)
