"""The public wire contract: what the API takes and gives, as frozen models. Imports nothing of ours but itself."""

from __future__ import annotations

from videogen.schemas.base import Model, Text
from videogen.schemas.engines import Capabilities, EngineInfo, EngineList, PresetInfo
from videogen.schemas.events import (
    BaseEvent,
    Event,
    EventType,
    RenderError,
    RenderProgress,
    RenderResult,
    decode,
    is_terminal,
)
from videogen.schemas.export_manifest import (
    MAX_BYTES,
    MAX_ENTRIES,
    Digest,
    ExportedFile,
    ExportedGeneration,
    Id,
    Manifest,
    Pixels,
)
from videogen.schemas.generations import (
    ErrorInfo,
    File,
    Generation,
    GenerationCreate,
    GenerationMove,
    GenerationPage,
    GenerationPatch,
    GenerationType,
    ListQuery,
    Project,
    Understanding,
    UnderstoodPhrase,
)
from videogen.schemas.history import MAX_IDS, Bundle, Chosen, IdsPage, IdsQuery, LeftOut, Restored, Trashed
from videogen.schemas.portability import Imported, Transfer, TransferClaim
from videogen.schemas.sharing import MAX_SHARE_SECONDS, Share, ShareCreate, ShareList
from videogen.schemas.status import TERMINAL, TRANSITIONS, Status, statuses_before
from videogen.schemas.system import Health, Problem, SessionCreated

__all__ = [
    "MAX_BYTES",
    "MAX_ENTRIES",
    "MAX_IDS",
    "MAX_SHARE_SECONDS",
    "TERMINAL",
    "TRANSITIONS",
    "BaseEvent",
    "Bundle",
    "Capabilities",
    "Chosen",
    "Digest",
    "EngineInfo",
    "EngineList",
    "ErrorInfo",
    "Event",
    "EventType",
    "ExportedFile",
    "ExportedGeneration",
    "File",
    "Generation",
    "GenerationCreate",
    "GenerationMove",
    "GenerationPage",
    "GenerationPatch",
    "GenerationType",
    "Health",
    "Id",
    "IdsPage",
    "IdsQuery",
    "Imported",
    "LeftOut",
    "ListQuery",
    "Manifest",
    "Model",
    "Pixels",
    "PresetInfo",
    "Problem",
    "Project",
    "RenderError",
    "RenderProgress",
    "RenderResult",
    "Restored",
    "SessionCreated",
    "Share",
    "ShareCreate",
    "ShareList",
    "Status",
    "Text",
    "Transfer",
    "TransferClaim",
    "Trashed",
    "Understanding",
    "UnderstoodPhrase",
    "decode",
    "is_terminal",
    "statuses_before",
]
