"""The part of the Hub's API that `huggingface_hub` uses to create a Space and to upload its folder.

It checks the front matter as the Hub does when something is pushed, and keeps what it has got.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
KEYS = {
    *("title", "emoji", "colorFrom", "colorTo", "sdk", "python_version", "sdk_version", "suggested_hardware"),
    *("suggested_storage", "app_file", "app_port", "base_path", "fullWidth", "header", "short_description", "models"),
    *("datasets", "tags", "thumbnail", "pinned", "license", "hf_oauth", "hf_oauth_scopes"),
    *("hf_oauth_expiration_minutes", "disable_embedding", "startup_duration_timeout", "custom_headers"),
    "preload_from_hub",
}
"""Of https://huggingface.co/docs/hub/spaces-config-reference."""
SCOPES = {"email", "read-repos", "write-repos", "manage-repos", "inference-api", "read-mcp", "write-discussions"}
HEAD = "0" * 40


def front_matter_errors(readme: str) -> list[str]:
    """What the Hub would refuse in the front matter of a Space."""
    parts = re.match(r"---\n(.*?)\n---\n", readme, re.S)
    if parts is None:
        return ["no front matter"]
    card: dict[str, Any] = yaml.safe_load(parts[1])
    wrong = [f"{key}: not known" for key in card.keys() - KEYS]
    checks = {
        "title": isinstance(card.get("title"), str),
        "emoji": not str(card.get("emoji", "a")).isascii(),
        "colorFrom": card.get("colorFrom") in COLOURS,
        "colorTo": card.get("colorTo") in COLOURS,
        "sdk": card.get("sdk") in ("gradio", "docker", "static"),
        "short_description": len(card.get("short_description", "")) <= 60,
        "hf_oauth_scopes": set(card.get("hf_oauth_scopes", ())) <= SCOPES,
        "startup_duration_timeout": re.fullmatch(r"\d+(m|h)", card.get("startup_duration_timeout", "30m")) is not None,
        "python_version": re.fullmatch(r"3\.\d+(\.\d+)?", card.get("python_version", "3.13")) is not None,
    }
    if card.get("sdk") == "gradio":
        checks["app_file"] = str(card.get("app_file")).endswith(".py")
        checks["sdk_version"] = re.fullmatch(r"\d+\.\d+\.\d+", str(card.get("sdk_version"))) is not None
    if card.get("sdk") == "docker":
        checks["app_port"] = isinstance(card.get("app_port"), int)
    return wrong + [f"{key}: {card.get(key)!r}" for key, right in checks.items() if not right]


@dataclass
class Hub:
    """One Hub for one owner, whose token it knows."""

    token: str = "hf_right"
    spaces: dict[str, dict[str, Any]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    @property
    def app(self) -> Starlette:
        """The ASGI app to serve."""
        space = "/api/spaces/{owner}/{name}"
        return Starlette(
            routes=[
                Route("/api/repos/create", self._create, methods=["POST"]),
                Route("/api/validate-yaml", self._validate, methods=["POST"]),
                Route(f"{space}/variables", self._variable, methods=["POST"]),
                Route(f"{space}/preupload/main", self._preupload, methods=["POST"]),
                Route(f"{space}/commit/main", self._commit, methods=["POST"]),
                Route(f"{space}/revision/main", self._info),
                Route(space, self._info),
                Route("/spaces/{owner}/{name}.git/info/lfs/objects/batch", self._batch, methods=["POST"]),
                Route("/blob/{oid}", self._blob, methods=["PUT"]),
            ]
        )

    def _allowed(self, request: Request) -> Response | None:
        if request.headers.get("authorization") == f"Bearer {self.token}":
            return None
        return JSONResponse({"error": "Invalid username or password."}, 401)

    def _of(self, request: Request) -> dict[str, Any]:
        return self.spaces[f"{request.path_params['owner']}/{request.path_params['name']}"]

    async def _create(self, request: Request) -> Response:
        if refused := self._allowed(request):
            return refused
        asked = await request.json()
        space_id = f"{asked['organization']}/{asked['name']}"
        if asked["organization"] != "anna":
            return JSONResponse({"error": f"You don't have the rights to create a space under {space_id}"}, 403)
        exists = space_id in self.spaces
        self.spaces.setdefault(space_id, {"sdk": asked["sdk"], "variables": {}, "files": {}})
        return JSONResponse({"url": f"{request.base_url}spaces/{space_id}", "name": space_id}, 409 if exists else 200)

    async def _validate(self, request: Request) -> Response:
        asked = await request.json()
        errors = [{"message": message} for message in front_matter_errors(asked["content"])]
        return JSONResponse({"errors": errors, "warnings": []}, 400 if errors else 200)

    async def _variable(self, request: Request) -> Response:
        asked = await request.json()
        self._of(request)["variables"][asked["key"]] = asked["value"]
        return JSONResponse({asked["key"]: {"value": asked["value"], "updatedAt": "2026-11-01T00:00:00.000Z"}})

    async def _preupload(self, request: Request) -> Response:
        asked = await request.json()
        files = [
            {"path": one["path"], "uploadMode": _mode(one["path"]), "shouldIgnore": False} for one in asked["files"]
        ]
        return JSONResponse({"files": files, "commitOid": HEAD})

    async def _info(self, request: Request) -> Response:
        asked = f"{request.path_params['owner']}/{request.path_params['name']}"
        if asked not in self.spaces:
            return JSONResponse({"error": "Repository not found"}, 404)
        return JSONResponse({"id": asked, "sha": HEAD, "siblings": [], "private": False})

    async def _batch(self, request: Request) -> Response:
        asked = await request.json()
        objects = [
            {**one, "actions": {"upload": {"href": f"{request.base_url}blob/{one['oid']}"}}} for one in asked["objects"]
        ]
        return JSONResponse({"transfer": "basic", "objects": objects})

    async def _blob(self, request: Request) -> Response:
        data = await request.body()
        if sha256(data).hexdigest() != request.path_params["oid"]:
            return Response(status_code=400)
        self.blobs[request.path_params["oid"]] = data
        return Response()

    async def _commit(self, request: Request) -> Response:
        if refused := self._allowed(request):
            return refused
        files = self._of(request)["files"]
        for line in (await request.body()).splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.blobs[value["oid"]]
        url = f"{request.base_url}spaces/anna/videogen/commit/{HEAD}"
        return JSONResponse({"commitUrl": url, "commitOid": HEAD, "hookOutput": ""})


def _mode(path: str) -> str:
    return "lfs" if path.endswith((".whl", ".webp")) else "regular"
