"""All services of one running app, in one typed object."""

from __future__ import annotations

from dataclasses import dataclass

from videogen.services.archives import ArchiveService
from videogen.services.device_transfer import TransferService
from videogen.services.exports import ExportService
from videogen.services.generations import GenerationService
from videogen.services.imports import ImportService
from videogen.services.media import MediaService
from videogen.services.parts import Parts
from videogen.services.sessions import SessionService
from videogen.services.shares import ShareService
from videogen.services.system import SystemService
from videogen.services.trash import TrashService
from videogen.services.uploads import UploadService


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases: all that the HTTP edges may call."""

    archives: ArchiveService
    exports: ExportService
    generations: GenerationService
    imports: ImportService
    media: MediaService
    sessions: SessionService
    shares: ShareService
    system: SystemService
    transfers: TransferService
    trash: TrashService
    uploads: UploadService


def build_services(parts: Parts) -> Services:
    """Make the services of these parts."""
    config, store, storage = parts.config, parts.store, parts.storage
    exports, uploads = ExportService(store, storage), UploadService(store, storage, parts.serializer)
    return Services(
        archives=ArchiveService(store, exports),
        exports=exports,
        generations=GenerationService(parts, uploads),
        imports=ImportService(store, storage, config.data_dir / "imports", round(config.max_import_mb * 1_000_000)),
        media=MediaService(parts),
        sessions=SessionService(store),
        shares=ShareService(store, parts.hub, storage),
        system=SystemService(parts),
        transfers=TransferService(store, parts.signer),
        trash=TrashService(store, config.trash_minutes * 60, parts.workers.check_trash),
        uploads=uploads,
    )
