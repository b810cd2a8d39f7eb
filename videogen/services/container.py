"""All services of one running app, in one typed object."""

from __future__ import annotations

from dataclasses import dataclass

from videogen.services.archives import Zips
from videogen.services.device_transfer import Transfers
from videogen.services.exports import Exports
from videogen.services.generations import GenerationService
from videogen.services.imports import ImportService
from videogen.services.media import MediaService
from videogen.services.parts import Parts
from videogen.services.sessions import SessionService
from videogen.services.shares import Shares
from videogen.services.system import SystemService
from videogen.services.trash import Trash
from videogen.services.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases: all that the HTTP edges may call."""

    archives: Zips
    exports: Exports
    generations: GenerationService
    imports: ImportService
    media: MediaService
    sessions: SessionService
    shares: Shares
    system: SystemService
    transfers: Transfers
    trash: Trash
    uploads: Uploads


def build_services(parts: Parts) -> Services:
    """Make the services of these parts."""
    config, store, storage = parts.config, parts.store, parts.storage
    exports, uploads = Exports(store, storage), Uploads(store, storage, parts.serializer)
    return Services(
        archives=Zips(store, exports),
        exports=exports,
        generations=GenerationService(parts, uploads),
        imports=ImportService(store, storage, config.data_dir / "imports", round(config.max_import_mb * 1_000_000)),
        media=MediaService(parts),
        sessions=SessionService(store),
        shares=Shares(store, parts.hub, storage),
        system=SystemService(parts),
        transfers=Transfers(store, parts.signer),
        trash=Trash(store, config.trash_minutes * 60, parts.workers.check_trash),
        uploads=uploads,
    )
