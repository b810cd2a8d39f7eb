"""Accounts: who has signed in, and how a page signs in."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from videogen.schemas.base import Model


class Account(Model):
    """The account that a session belongs to."""

    name: str = Field(description="As the person wrote it.")
    username: str = Field(description="The name at the provider.")
    picture: str | None = Field(description="The address of a picture at the provider; null where there is none.")
    provider: str = Field(description="Where the person signed in, such as `Hugging Face`.")
    can_render: bool = Field(
        default=False, description="Whether engines that render on the visitor's own account can do so now."
    )


class LoginLink(Model):
    """A link that signs this session in, in any tab of a browser. For one use; whoever has it can use it."""

    url: str
    expires_at: datetime
