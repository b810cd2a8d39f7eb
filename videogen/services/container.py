"""All services of one running app, in one typed object."""

from __future__ import annotations

from videogen.services.accounts import AccountService
from videogen.services.admin import AdminService, Bans
from videogen.services.explanations import ExplanationService
from videogen.services.exports import ExportService
from videogen.services.file_settings import FileSettingsService
from videogen.services.generations import GenerationService
from videogen.services.imports import ImportService
from videogen.services.media import MediaService
from videogen.services.metrics import MetricsService
from videogen.services.moderation import ModerationService
from videogen.services.parts import Parts
from videogen.services.quotas import QuotaService
from videogen.services.remakes import RemakeService
from videogen.services.result_exports import ResultExportService
from videogen.services.retention import RetentionService
from videogen.services.session_links import SessionLinks
from videogen.services.sessions import SessionService
from videogen.services.shares import ShareService
from videogen.services.storage_limits import StorageLimits
from videogen.services.system import SystemService
from videogen.services.trash import TrashService
from videogen.services.uploads import UploadService
from videogen.services.visitor_limits import RateLimits, import_limits, stream_limits, zip_limits
from videogen.services.webhooks import WebhookService


class Services:
    """The use cases: all that the HTTP edges may call."""

    def __init__(self, parts: Parts) -> None:
        config, store, storage = parts.config, parts.store, parts.storage
        max_import_bytes = round(config.max_import_mb * 1_000_000)
        self.quotas = QuotaService(parts)
        common = store.database if config.uses_postgresql else None
        self.rates = RateLimits(config, common, self.quotas.address_hash)
        self.admin, self.bans = AdminService(parts), Bans(parts)
        self.storage_limits = StorageLimits(store, config, parts.make_room)
        self.streams = stream_limits(config)
        self.in_use = parts.in_use
        self.running_imports = import_limits()
        self.running_zips = zip_limits()
        self.exports = ExportService(store, storage, parts.in_use)
        importing = (store, storage, parts.data_folder, max_import_bytes, self.storage_limits)
        self.imports = ImportService(*importing, parts.moderator)
        self.media = MediaService(parts)
        self.metrics = MetricsService(parts)
        self.counters = parts.metrics
        self.session_links = SessionLinks(parts.signer, store.clock)
        self.sessions = SessionService(store, parts.signer, parts.hub, self.rates)
        self.accounts = AccountService(parts, self.sessions)
        self.shares = ShareService(store, parts.hub, storage, parts.in_use)
        self.system = SystemService(parts, self.admin.state_in_memory)
        self.trash = TrashService(parts)
        self.uploads = UploadService(store, storage, parts.serializer)
        self.file_settings = FileSettingsService(parts, self.uploads)
        self.explanations = ExplanationService(parts, self.uploads, self.rates)
        self.webhooks = WebhookService(parts, self.rates)
        self.moderation = ModerationService(parts, self.rates)
        self.generations = GenerationService(parts, self.uploads, self.rates, self.storage_limits)
        self.remakes = RemakeService(parts, self.generations, self.storage_limits)
        self.result_exports = ResultExportService(parts, self.rates, self.storage_limits)
        self.retention = RetentionService(parts, self.generations.views)
