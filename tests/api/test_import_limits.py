"""Imports run on few threads of their own, so that they do not stop the other routes."""

import threading
from types import SimpleNamespace

import anyio
from anyio import CapacityLimiter
from starlette.requests import Request

from videogen.api.portability import import_zip
from videogen.core.config import AppConfig
from videogen.core.in_use import InUse
from videogen.server.lifespan import IMPORTERS
from videogen.services.imports import ImportService
from videogen.services.storage_limits import StorageLimits
from videogen.services.visitor_limits import RateLimits, import_limits


async def _body():
    return {"type": "http.request", "body": b"zip", "more_body": False}


async def test_imports_of_many_visitors_run_on_threads_of_their_own(store, storage, data_folder, monkeypatch):
    imports = ImportService(store, storage, data_folder, 1000, StorageLimits(store, AppConfig()))
    running, full, end = [], threading.Semaphore(0), threading.Event()

    def run(session_id, folder):
        running.append(session_id)
        full.release()
        end.wait(30)

    monkeypatch.setattr(imports, "import_zip", run)
    rates = RateLimits(AppConfig())
    services = SimpleNamespace(
        imports=imports,
        rates=rates,
        running_imports=import_limits(),
        in_use=InUse(),
        bans=SimpleNamespace(check=lambda *_: None),
    )
    state = SimpleNamespace(services=services, importers=CapacityLimiter(IMPORTERS))
    async with anyio.create_task_group() as tasks:
        for number in range(6):
            request = Request({"type": "http", "method": "POST", "headers": []}, _body)
            tasks.start_soon(import_zip, request, f"ses_{number}", state, f"192.0.2.{number}")
        for _ in range(IMPORTERS):
            await anyio.to_thread.run_sync(full.acquire)
        while state.importers.statistics().tasks_waiting < 6 - IMPORTERS:
            await anyio.sleep(0.01)
        assert len(running) == IMPORTERS
        assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
        end.set()
    assert len(running) == 6
    assert services.running_imports.open_count == 0
