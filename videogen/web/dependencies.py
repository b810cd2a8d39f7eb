"""What routes ask for: the services of the app, and its public address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends
from starlette.requests import HTTPConnection

from videogen.core.config import AppConfig
from videogen.services.container import Services
from videogen.web.public_url import PublicUrl


@dataclass(frozen=True, slots=True)
class AppState:
    """All that `app.state` holds, as `app.state.videogen`; there from the start of the lifespan."""

    config: AppConfig
    public_url: PublicUrl
    services: Services
    image_decoders: CapacityLimiter
    """Limits how many uploaded images are decoded at once."""
    importers: CapacityLimiter
    """Limits how many imports run at once, on threads of their own."""
    visitor_key: str
    """Signs the header with which the page names its visitor; see `web.visitor`."""
    admin_key: str = ""
    """Signs the cookie of the operator's page; see `web.admin_access`."""


def app_state(connection: HTTPConnection) -> AppState:
    """The state of the app that serves this request."""
    state: AppState = connection.app.state.videogen
    return state


def public_url(connection: HTTPConnection) -> str:
    """The public address of the app for this request; no slash at the end."""
    return app_state(connection).public_url.of(connection)


def services(connection: HTTPConnection) -> Services:
    """The services of the app that serves this request."""
    return app_state(connection).services


AppStateDep = Annotated[AppState, Depends(app_state)]
PublicUrlDep = Annotated[str, Depends(public_url)]
ServicesDep = Annotated[Services, Depends(services)]
