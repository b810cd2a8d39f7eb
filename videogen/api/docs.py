"""`/docs`: Swagger's page for the OpenAPI description. Its files come with a package; no other host is asked."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

from videogen.core.errors import UnknownRouteError
from videogen.web.security_headers import hash_source

router = APIRouter(include_in_schema=False)
FILES: Final = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")
# React sets style attributes, which scripts may do anyway; the icons in the style sheet are data:.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' {script}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)


@router.api_route("/docs", methods=["GET", "HEAD"])
async def get_docs(request: Request) -> HTMLResponse:
    """The page."""
    return _page(request.scope.get("root_path", ""), request.app.title, request.app.openapi_url)


@router.api_route("/docs/{name}", methods=["GET", "HEAD"])
async def get_docs_file(name: str) -> FileResponse:
    """One of its files.

    Raises:
        UnknownRouteError: it has no such file.
    """
    if name not in FILES:
        raise UnknownRouteError(f"/docs/{name}")
    return FileResponse(Path(str(files("fastapi_swagger.resources") / name)))


@cache
def _page(root: str, title: str, description: str) -> HTMLResponse:
    script, style, icon = (f"{root}/docs/{name}" for name in FILES)
    page = get_swagger_ui_html(
        openapi_url=root + description,
        title=f"{title}: API",
        swagger_js_url=script,
        swagger_css_url=style,
        swagger_favicon_url=icon,
        # Swagger would send the description to a validator at another host.
        swagger_ui_parameters={"validatorUrl": None},
    )
    (inline,) = re.findall(rb"<script>(.*?)</script>", bytes(page.body), re.DOTALL)
    page.headers["Content-Security-Policy"] = _POLICY.format(script=hash_source(inline))
    return page
