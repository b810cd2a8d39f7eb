"""The service of the example in docs/engines/remote.md. It does not exist.

`POST /renders {model, input, reference}`, `GET /renders?reference=`, `GET` and `DELETE /renders/{id}`, and files.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.providers.clips import clip


@dataclass
class AcmeStandIn:
    """`app` is the server; the rest is for the test."""

    key: str = "acme-key-42"
    held: threading.Event = field(default_factory=threading.Event)
    """While it is set, no render gets to its end."""
    silent: threading.Event = field(default_factory=threading.Event)
    """While it is set, a POST makes a render and is not answered."""
    renders: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = Starlette(
            routes=[
                Route("/renders", self._submit, methods=["POST"]),
                Route("/renders", self._find),
                Route("/renders/{id}", self._stop, methods=["DELETE"]),
                Route("/renders/{id}", self._state),
                Route("/files/{id}.mp4", self._file),
            ]
        )

    async def _submit(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return JSONResponse({"error": "This key is not known."}, 401)
        made = {"id": f"render-{len(self.renders) + 1}", "looks": 0, "status": "queued", **await request.json()}
        self.renders[made["id"]] = made
        while self.silent.is_set():
            await asyncio.sleep(0.01)
        return JSONResponse(made, 201)

    async def _find(self, request: Request) -> Response:
        wanted = request.query_params.get("reference")
        return JSONResponse({"renders": [one for one in self.renders.values() if one["reference"] == wanted]})

    async def _state(self, request: Request) -> Response:
        render = self.renders[request.path_params["id"]]
        render["looks"] += 1
        if render["status"] != "stopped" and render["looks"] > 1:
            render["status"] = "rendering" if self.held.is_set() or render["looks"] < 4 else "done"
        files = [f"{request.base_url}files/{render['id']}.mp4"] if render["status"] == "done" else []
        percent = min(25 * int(render["looks"]), 99)
        return JSONResponse({"status": render["status"], "percent": percent, "files": files, "error": None})

    async def _stop(self, request: Request) -> Response:
        self.renders[request.path_params["id"]]["status"] = "stopped"
        return JSONResponse({"status": "stopped"})

    async def _file(self, request: Request) -> Response:
        given = self.renders[request.path_params["id"]]["input"]
        width, height = map(int, given["size"].split("x"))
        return Response(clip(width, height, 24, round(24 * given["seconds"])), media_type="video/mp4")
