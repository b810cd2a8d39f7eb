"""Transfer of a session to another device, and import of an export."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from videogen.schemas.base import Model, Text


class Transfer(Model):
    """A one-time code that opens this session on another device."""

    code: str = Field(description="To be typed; hyphens and case are ignored.", examples=["K7QF-2M9X"])
    url: str = Field(description="The page's address with a one-time secret, for a link or a QR code.")
    expires_at: datetime


class TransferClaim(Model):
    """What `POST /sessions/claim` takes: a code, or the secret of a link."""

    code: Text = Field(min_length=1, max_length=200)


class ExportLink(Model):
    """A link to a zip of everything, for a browser, which downloads by following it."""

    url: str = Field(description="Needs no token; valid for ten minutes.")
    expires_at: datetime


class ImportLink(ExportLink):
    """Where a browser sends a zip to import, as the body of a POST."""

    max_bytes: int = Field(description="How large the zip may be.")


class Imported(Model):
    """The result of an import."""

    imported: int = Field(
        description="Generations that are new here, came out of the trash, or got their missing file back."
    )
    known: int = Field(description="Generations that were here already and are not changed.")
    generation_ids: list[str] = Field(description="The imported generations, oldest first.")
