"""Rows as the service stores them."""

from __future__ import annotations

import time

from videogen.core.security import new_id
from videogen.db.tables import GenerationRow, ProjectRow


def project(session_id: str) -> ProjectRow:
    """A submit of this session."""
    return ProjectRow(
        id=new_id("prj"), session_id=session_id, request_id=new_id("req"), body_hash="", created_at=time.time()
    )


def generation(parent: ProjectRow) -> GenerationRow:
    """The one generation of a submit."""
    return GenerationRow(
        id=new_id("gen"),
        session_id=parent.session_id,
        project_id=parent.id,
        request_id=parent.request_id,
        type="video",
        engine="bench",
        engine_version="1",
        prompt="a sailing boat off a rocky coast at sunset, slow pan",
        settings={},
        recipe={},
        recipe_hash="",
        seed=1,
        width=64,
        height=64,
        fps=24,
        duration_seconds=1.0,
        created_at=parent.created_at,
        updated_at=parent.created_at,
    )
