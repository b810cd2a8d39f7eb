"""All queries of the app. Each query of an owner is limited to the session; see `store.base`."""

from videogen.store.accounts import AccountStore, Contents, Person
from videogen.store.attention import LOOK, AttentionStore
from videogen.store.counts import CountStore
from videogen.store.estimates import EstimateStore
from videogen.store.events import START_OVER, EventStore, Opening, Scope
from videogen.store.export_jobs import ExportJob, ExportJobStore
from videogen.store.exports import ExportStore, StoredExport
from videogen.store.generations import Filter, GenerationStore
from videogen.store.holds import HoldStore
from videogen.store.limits import Limits
from videogen.store.operator_state import OperatorState, OperatorStore
from videogen.store.overview import OverviewStore
from videogen.store.portability import PortabilityStore
from videogen.store.progress import Failure, Fence, Outcome, Progress, ProgressStore, Result, Unknown
from videogen.store.queue_order import QueueOrderStore
from videogen.store.quotas import QuotaStore, QuotaUse
from videogen.store.removals import RemovalStore
from videogen.store.reports import ReportStore
from videogen.store.restores import RestoreStore
from videogen.store.retention import RetentionRules, RetentionStore
from videogen.store.sessions import SessionStore
from videogen.store.shares import Shared, ShareStore
from videogen.store.tickets import TicketStore
from videogen.store.trash import InTrash, TrashStore
from videogen.store.unused import UnusedStore
from videogen.store.uploads import UploadStore
from videogen.store.visitor_tokens import VisitorTokenStore
from videogen.store.webhooks import Attempt, Claimed, WebhookStore
from videogen.store.workers import WorkerStore

__all__ = [
    "LOOK",
    "START_OVER",
    "Attempt",
    "Claimed",
    "Contents",
    "ExportJob",
    "Failure",
    "Fence",
    "Filter",
    "InTrash",
    "Limits",
    "Opening",
    "OperatorState",
    "Outcome",
    "Person",
    "Progress",
    "QuotaUse",
    "Result",
    "RetentionRules",
    "Scope",
    "Shared",
    "Store",
    "StoredExport",
    "Unknown",
]


class Store(
    AccountStore,
    AttentionStore,
    CountStore,
    EstimateStore,
    ExportStore,
    ExportJobStore,
    SessionStore,
    GenerationStore,
    HoldStore,
    OperatorStore,
    OverviewStore,
    PortabilityStore,
    QueueOrderStore,
    RemovalStore,
    RestoreStore,
    ReportStore,
    QuotaStore,
    RetentionStore,
    ShareStore,
    TicketStore,
    TrashStore,
    UnusedStore,
    UploadStore,
    VisitorTokenStore,
    WebhookStore,
    EventStore,
    ProgressStore,
    WorkerStore,
):
    """All queries over one database."""
