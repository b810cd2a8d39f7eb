"""What routes ask for: the services of the app, and its public address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from anyio import CapacityLimiter
from fastapi import Depends
from starlette.requests import HTTPConnection

from videogen.core.config import AppConfig
from videogen.services.archives import ArchiveService
from videogen.services.container import Services
from videogen.services.device_transfer import TransferService
from videogen.services.exports import ExportService
from videogen.services.generations import GenerationService
from videogen.services.imports import ImportService
from videogen.services.media import MediaService
from videogen.services.sessions import SessionService
from videogen.services.shares import ShareService
from videogen.services.system import SystemService
from videogen.services.trash import TrashService
from videogen.services.uploads import UploadService
from videogen.web.public_url import PublicUrl


@dataclass(frozen=True, slots=True)
class AppState:
    """All that `app.state` holds, as `app.state.videogen`; there from the start of the lifespan."""

    config: AppConfig
    public_url: PublicUrl
    services: Services
    image_decoders: CapacityLimiter
    """Limits how many uploaded images are decoded at once."""


def app_state(connection: HTTPConnection) -> AppState:
    """The state of the app that serves this request."""
    state: AppState = connection.app.state.videogen
    return state


def public_url(connection: HTTPConnection) -> str:
    """The public address of the app for this request; no slash at the end."""
    return app_state(connection).public_url.of(connection)


def _service(select: Callable[[Services], Any]) -> Any:
    def dependency(connection: HTTPConnection) -> Any:
        return select(app_state(connection).services)

    return Depends(dependency)


AppStateDep = Annotated[AppState, Depends(app_state)]
PublicUrlDep = Annotated[str, Depends(public_url)]
ArchivesDep = Annotated[ArchiveService, _service(lambda services: services.archives)]
ExportsDep = Annotated[ExportService, _service(lambda services: services.exports)]
GenerationsDep = Annotated[GenerationService, _service(lambda services: services.generations)]
ImportsDep = Annotated[ImportService, _service(lambda services: services.imports)]
MediaDep = Annotated[MediaService, _service(lambda services: services.media)]
SessionsDep = Annotated[SessionService, _service(lambda services: services.sessions)]
SharesDep = Annotated[ShareService, _service(lambda services: services.shares)]
SystemDep = Annotated[SystemService, _service(lambda services: services.system)]
TransfersDep = Annotated[TransferService, _service(lambda services: services.transfers)]
TrashDep = Annotated[TrashService, _service(lambda services: services.trash)]
UploadsDep = Annotated[UploadService, _service(lambda services: services.uploads)]
