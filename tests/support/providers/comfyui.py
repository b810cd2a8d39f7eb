"""A stand-in of a ComfyUI server: its HTTP routes, its websocket and its queue, as ComfyUI 0.38.1 has them.

Read in `server.py`, `execution.py`, `main.py`, `comfy_execution/jobs.py` and `comfy_execution/progress.py` of that
version. `has_jobs_api=False` is a server as old as 0.3.64, which has no `/api/jobs`.

    comfy = ComfyUI()
    with serve(comfy.app) as server:
        comfy.fails = "a traceback's last line"
"""

from __future__ import annotations

import asyncio
import json
import struct
import threading
import time
import uuid
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.support.providers import comfyui_nodes as nodes

PREVIEW_IMAGE, PREVIEW_IMAGE_WITH_METADATA = 1, 4
JPEG = 1
MODELS = ("wan2.1_t2v_1.3B_fp16.safetensors", "umt5_xxl_fp8.safetensors", "wan_2.1_vae.safetensors")
_TICK = 0.002


@dataclass(frozen=True)
class _Item:
    """One entry of the queue."""

    number: float
    id: str
    prompt: nodes.Prompt
    extra: dict[str, Any]

    def row(self) -> list[Any]:
        """As `/queue` and the history have it."""
        return [self.number, self.id, self.prompt, self.extra, []]


class _Interrupted(Exception):
    """Somebody interrupted the workflow that runs."""


@dataclass
class ComfyUI:
    """The server. A test changes its switches at any time; each holds from then on."""

    has_jobs_api: bool = True
    models: set[str] = field(default_factory=lambda: set(MODELS))
    missing: set[str] = field(default_factory=set)
    """Node types that are not installed."""
    pace: float = 0.0
    """Seconds that a step takes."""
    hold_at: int | None = None
    """The step of a sampler at which it stands still until `release`."""
    fails: str = ""
    """The message of an exception in the sampler."""
    sockets: str = "open"
    """"refused": no websocket is accepted. "breaks": it is closed after the first step."""
    status: int = 200
    """Of each answer of the API; 503 is a server that is down behind a proxy."""
    view_misses: int = 0
    """How often a file is not found before it is."""
    results: str = "whole"
    """"truncated", "html" or "empty": what is saved instead of a whole file."""
    loses_answer: bool = False
    """Whether the connection ends before a POST of a workflow is answered; the workflow is queued."""

    def __post_init__(self) -> None:
        self.released = threading.Event()
        self.holds = threading.Event()
        """Set while a sampler stands still."""
        self.files: dict[tuple[str, str, str], bytes] = {}
        self.app: ASGIApp = Starlette(routes=self._routes())
        self._number = 0
        self.restart()

    def reset(self) -> None:
        """Switch all faults off, and forget queue, history and files."""
        for one in fields(self):
            setattr(self, one.name, one.default if one.default_factory is MISSING else one.default_factory())
        self.released.clear()
        self.holds.clear()
        self.files.clear()
        self.restart()

    def restart(self) -> None:
        """Forget queue and history, as a restart of the server does. Saved files stay."""
        self.queue: list[_Item] = []
        self.running: _Item | None = None
        self.history: dict[str, dict[str, Any]] = {}
        self._interrupts = False
        self._open: dict[str, tuple[WebSocket, bool]] = {}
        self._worker: asyncio.Task[None] | None = None

    def release(self) -> None:
        """Let a sampler go on that stands still."""
        self.hold_at = None
        self.released.set()

    # Routes

    def _routes(self) -> list[Route | WebSocketRoute]:
        plain = [
            ("/prompt", self._post_prompt, "POST"),
            ("/queue", self._get_queue, "GET"),
            ("/queue", self._post_queue, "POST"),
            ("/interrupt", self._interrupt, "POST"),
            ("/history/{id}", self._get_history, "GET"),
            ("/upload/image", self._upload, "POST"),
            ("/view", self._view, "GET"),
            ("/system_stats", self._stats, "GET"),
        ]
        jobs = [
            ("/api/jobs", self._get_jobs, "GET"),
            ("/api/jobs/{id}", self._get_job, "GET"),
            ("/api/jobs/{id}/cancel", self._cancel, "POST"),
        ]
        routes = [
            Route(prefix + path, self._answered(call, is_jobs=False), methods=[method])
            for prefix in ("", "/api")
            for path, call, method in plain
        ]
        routes += [Route(path, self._answered(call, is_jobs=True), methods=[method]) for path, call, method in jobs]
        return [*routes, WebSocketRoute("/ws", self._socket)]

    def _answered(self, call: Any, *, is_jobs: bool) -> Any:
        async def answer(request: Request) -> Response:
            if self.status != 200:
                return HTMLResponse("<h1>Bad gateway</h1>", self.status)
            if is_jobs and not self.has_jobs_api:
                # The old server looks for such a path among the files of its page.
                code = 404 if request.method == "GET" else 405
                return PlainTextResponse("404: Not Found" if code == 404 else "405: Method Not Allowed", code)
            response: Response = await call(request)
            return response

        return answer

    async def _post_prompt(self, request: Request) -> Response:
        body = await request.json()
        prompt_id = body.get("prompt_id") or str(uuid.uuid4())
        if self.has_jobs_api and not _is_canonical(prompt_id):
            error = {"type": "invalid_prompt_id", "message": "prompt_id must be a valid UUID", "extra_info": {}}
            details = "prompt_id must be a UUID string in canonical lowercase hyphenated form"
            return JSONResponse({"error": error | {"details": details}, "node_errors": {}}, 400)
        if "prompt" not in body:
            error = {"type": "no_prompt", "message": "No prompt provided", "details": "No prompt provided"}
            return JSONResponse({"error": error | {"extra_info": {}}, "node_errors": {}}, 400)
        uploaded = {f"{folder}/{name}" if folder else name for place, folder, name in self.files if place == "input"}
        error, node_errors = nodes.check(body["prompt"], self.models | uploaded, self.missing)
        if error is not None:
            return JSONResponse({"error": error, "node_errors": node_errors}, 400)
        extra = {**body.get("extra_data", {}), "create_time": int(time.time() * 1000)}
        if "client_id" in body:
            extra["client_id"] = body["client_id"]
        item = _Item(self._number, prompt_id, body["prompt"], extra)
        self._number += 1
        self.queue.append(item)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        if self.loses_answer:
            return _Broken()
        return JSONResponse({"prompt_id": prompt_id, "number": item.number, "node_errors": node_errors})

    async def _get_queue(self, request: Request) -> Response:
        running = [self.running.row()] if self.running else []
        return JSONResponse({"queue_running": running, "queue_pending": [item.row() for item in self.queue]})

    async def _post_queue(self, request: Request) -> Response:
        gone = (await request.json()).get("delete", [])
        self.queue = [item for item in self.queue if item.id not in gone]
        return Response()

    async def _interrupt(self, request: Request) -> Response:
        wanted = (await request.json()).get("prompt_id") if await request.body() else None
        if self.running and wanted in (None, self.running.id):
            self._interrupts = True
        return Response()

    async def _get_history(self, request: Request) -> Response:
        found = self.history.get(request.path_params["id"])
        return JSONResponse({request.path_params["id"]: found} if found else {})

    async def _get_jobs(self, request: Request) -> Response:
        wanted = request.query_params.get("status")
        waiting = [_queued(item, "pending") for item in self.queue]
        running = [_queued(self.running, "in_progress")] if self.running else []
        ended = [_ended(prompt_id, entry) for prompt_id, entry in self.history.items()]
        jobs = [job for job in (*running, *waiting, *ended) if wanted is None or job["status"] in wanted.split(",")]
        pages = {"offset": 0, "limit": None, "total": len(jobs), "has_more": False}
        return JSONResponse({"jobs": jobs, "pagination": pages})

    async def _get_job(self, request: Request) -> Response:
        wanted = request.path_params["id"]
        if entry := self.history.get(wanted):
            more = {"outputs": entry["outputs"], "execution_status": entry["status"]}
            return JSONResponse(_ended(wanted, entry) | more)
        for item, status in [(self.running, "in_progress"), *((item, "pending") for item in self.queue)]:
            if item and item.id == wanted:
                return JSONResponse(_queued(item, status) | {"workflow": {"prompt": item.prompt}})
        return JSONResponse({"error": "Job not found"}, 404)

    async def _cancel(self, request: Request) -> Response:
        wanted = request.path_params["id"]
        if self.running and self.running.id == wanted:
            self._interrupts = True
            return JSONResponse({"cancelled": True})
        left = [item for item in self.queue if item.id != wanted]
        was_queued, self.queue = len(left) < len(self.queue), left
        return JSONResponse({"cancelled": was_queued})

    async def _upload(self, request: Request) -> Response:
        async with request.form() as form:
            upload, folder = form["image"], str(form.get("subfolder", ""))
            assert not isinstance(upload, str)
            name = str(upload.filename)
            self.files["input", folder, name] = await upload.read()
        return JSONResponse({"name": name, "subfolder": folder, "type": "input"})

    async def _view(self, request: Request) -> Response:
        query = request.query_params
        key = query.get("type", "output"), query.get("subfolder", ""), query["filename"]
        if self.view_misses > 0:
            self.view_misses -= 1
            return Response(status_code=404)
        data = self.files.get(key)
        if data is None:
            return Response(status_code=404)
        if self.results == "html":
            return HTMLResponse("<html><body>Please sign in</body></html>")
        sent = {"truncated": data[: len(data) // 2], "empty": b""}.get(self.results, data)
        return Response(sent, media_type="video/mp4")

    async def _stats(self, request: Request) -> Response:
        return JSONResponse({"system": {"os": "linux", "comfyui_version": "0.38.1"}, "devices": []})

    # The websocket

    async def _socket(self, socket: WebSocket) -> None:
        if self.sockets == "refused":
            await socket.close()
            return
        await socket.accept()
        client = socket.query_params.get("clientId") or uuid.uuid4().hex
        self._open[client] = socket, False
        left = len(self.queue) + bool(self.running)
        await self._send(client, "status", {"status": {"exec_info": {"queue_remaining": left}}, "sid": client})
        try:
            while True:
                message = json.loads(await socket.receive_text())
                if message.get("type") == "feature_flags":
                    flags = message["data"]
                    self._open[client] = socket, bool(flags.get("supports_preview_metadata"))
                    await self._send(client, "feature_flags", {"supports_preview_metadata": True})
        except WebSocketDisconnect:
            pass
        finally:
            if self._open.get(client, (None,))[0] is socket:
                del self._open[client]

    async def _send(self, client: str, kind: str, data: dict[str, Any]) -> None:
        if found := self._open.get(client):
            try:
                await found[0].send_json({"type": kind, "data": data})
            except (RuntimeError, WebSocketDisconnect):
                self._open.pop(client, None)

    async def _send_preview(self, item: _Item, node_id: str, step: int) -> None:
        client = item.extra.get("client_id", "")
        if not (found := self._open.get(client)):
            return
        socket, has_metadata = found
        if has_metadata:
            about = json.dumps({"node_id": node_id, "prompt_id": item.id, "image_type": "image/jpeg"}).encode()
            head = struct.pack(">II", PREVIEW_IMAGE_WITH_METADATA, len(about)) + about
        else:
            head = struct.pack(">II", PREVIEW_IMAGE, JPEG)
        try:
            await socket.send_bytes(head + nodes.preview(step))
        except (RuntimeError, WebSocketDisconnect):
            self._open.pop(client, None)

    # The worker

    async def _work(self) -> None:
        me = asyncio.current_task()
        while self.queue and self._worker is me:
            item = self.running = self.queue.pop(0)
            messages: list[Any] = []
            outputs: dict[str, Any] = {}
            client = item.extra.get("client_id", "")

            async def note(kind: str, to: str = client, into: list[Any] = messages, **data: Any) -> None:
                into.append([kind, data | {"timestamp": int(time.time() * 1000)}])
                await self._send(to, *into[-1])

            is_done = await self._run(item, note, outputs)
            if self._worker is not me:  # the server was restarted
                return
            status = {"status_str": "success" if is_done else "error", "completed": is_done, "messages": messages}
            self.history[item.id] = {"prompt": item.row(), "outputs": outputs, "status": status}
            self.running = None
            await self._send(client, "executing", {"node": None, "prompt_id": item.id})

    async def _run(self, item: _Item, note: Any, outputs: dict[str, Any]) -> bool:
        self._interrupts = False
        executed: list[str] = []
        client, node_id = item.extra.get("client_id", ""), ""
        await note("execution_start", prompt_id=item.id)
        await note("execution_cached", nodes=[], prompt_id=item.id)
        try:
            for node_id in nodes.order(item.prompt):
                await self._send(client, "executing", {"node": node_id, "display_node": node_id, "prompt_id": item.id})
                await self._send_states(item, executed, {node_id: (0, 1)})
                if item.prompt[node_id]["class_type"] == "KSampler":
                    await self._sample(item, node_id, executed)
                elif item.prompt[node_id]["class_type"] in nodes.OUTPUT_NODES:
                    pictures = {f"{key[1]}/{key[2]}" if key[1] else key[2]: data for key, data in self.files.items()}
                    saved = nodes.save(item.prompt, node_id, len(self.files) + 1, pictures)
                    self.files |= saved.files
                    outputs[node_id] = saved.outputs
                    about = {"node": node_id, "display_node": node_id, "output": saved.outputs, "prompt_id": item.id}
                    await self._send(client, "executed", about)
                executed.append(node_id)
        except _Interrupted:
            kind = item.prompt[node_id]["class_type"]
            await note("execution_interrupted", prompt_id=item.id, node_id=node_id, node_type=kind, executed=executed)
            return False
        except RuntimeError as problem:
            kind = item.prompt[node_id]["class_type"]
            where = {"prompt_id": item.id, "node_id": node_id, "node_type": kind, "executed": executed}
            what = {"exception_message": f"{problem}\n", "exception_type": "RuntimeError", "current_inputs": {}}
            lines = ['  File "/comfy/execution.py", line 525, in execute\n', '  File "/comfy/nodes.py", line 1, in x\n']
            await note("execution_error", **where, **what, traceback=lines)
            return False
        await note("execution_success", prompt_id=item.id)
        return True

    async def _sample(self, item: _Item, node_id: str, executed: list[str]) -> None:
        client, steps = item.extra.get("client_id", ""), int(item.prompt[node_id]["inputs"]["steps"])
        me = asyncio.current_task()
        for step in range(1, steps + 1):
            await asyncio.sleep(self.pace)
            # One of before a restart holds nothing, also if the next test asks for that.
            while self.hold_at == step and not (self.released.is_set() or self._interrupts or self._worker is not me):
                self.holds.set()
                await asyncio.sleep(_TICK)
            if self._interrupts or self._worker is not me:
                raise _Interrupted
            self.holds.clear()
            if self.fails:
                raise RuntimeError(self.fails)
            await self._send_states(item, executed, {node_id: (step, steps)})
            about = {"value": step, "max": steps, "prompt_id": item.id, "node": node_id}
            await self._send(client, "progress", about)
            await self._send_preview(item, node_id, step)
            if self.sockets == "breaks" and (found := self._open.pop(client, None)):
                await found[0].close()

    async def _send_states(self, item: _Item, executed: list[str], running: dict[str, tuple[int, int]]) -> None:
        """The state of every node that has begun."""
        states = {node_id: {"value": 1, "max": 1, "state": "finished"} for node_id in executed}
        states |= {node: {"value": value, "max": most, "state": "running"} for node, (value, most) in running.items()}
        about = {node: state | {"node_id": node, "display_node_id": node} for node, state in states.items()}
        await self._send(item.extra.get("client_id", ""), "progress_state", {"prompt_id": item.id, "nodes": about})


class _Broken(Response):
    """Ends the connection without an answer."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise ConnectionResetError("the connection was lost")


def _is_canonical(prompt_id: object) -> bool:
    try:
        return isinstance(prompt_id, str) and str(uuid.UUID(prompt_id)) == prompt_id
    except ValueError:
        return False


def _queued(item: _Item, status: str) -> dict[str, Any]:
    times = {"create_time": item.extra["create_time"], "outputs_count": 0, "previewable_outputs_count": 0}
    return {"id": item.id, "status": status, "priority": item.number, **times}


def _ended(prompt_id: str, entry: dict[str, Any]) -> dict[str, Any]:
    messages = dict(entry["status"]["messages"])
    if entry["status"]["status_str"] == "success":
        status = "completed"
    else:
        status = "cancelled" if "execution_interrupted" in messages else "failed"
    job = {"id": prompt_id, "status": status, "priority": entry["prompt"][0], "outputs_count": len(entry["outputs"])}
    error = messages.get("execution_error")
    return job | ({"execution_error": error} if error else {})
