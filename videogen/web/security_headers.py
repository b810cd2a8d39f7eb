"""Headers that tell browsers what an answer may do, and the answer for methods that nothing here takes."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.core.errors import MethodNotAllowedError
from videogen.web.problems import problem_response
from videogen.web.public_url import is_page

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NONCE: Final = "videogen.nonce"
"""The key of the ASGI scope under which the page finds the nonce for its inline scripts."""
_POLICY: Final = "Content-Security-Policy"
_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'"
# A file that is opened by itself stands in a document that the browser makes, with a style of its own. In a sandbox a
# picture has no origin, whatever an SVG holds; a video would not play there.
_MEDIA: Final = {
    "image": f"{_NOTHING}; img-src 'self'; style-src 'unsafe-inline'; sandbox",
    "video": f"{_NOTHING}; media-src 'self'; style-src 'unsafe-inline'",
}
# What the page needs. In every browser test a violation is a failure, so this is enough for all that they do.
_PAGE: Final = (
    "default-src 'none'; "
    # 'unsafe-eval': Gradio compiles the scripts of components and events (`js=`, `js_on_load=`) with `new Function`.
    # Inline scripts run only with the nonce of their own answer.
    "script-src 'self' 'unsafe-eval' 'nonce-{nonce}'; "
    # 'unsafe-inline': Svelte's components carry style attributes, and add style elements while they run.
    "style-src 'self' 'unsafe-inline'; "
    # data: the icons of the style sheets, the QR code, the progress in the tab's icon. blob: a picture just chosen.
    "img-src 'self' data: blob:{files}; "
    "media-src 'self'{files}; connect-src 'self'; base-uri 'self'; form-action 'none'"
)


def hash_source(inline: bytes) -> str:
    """What names one inline script or style element in a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline).digest()).decode()}'"


class SecurityHeaders:
    """ASGI middleware: adds to each answer the headers that it does not have yet, and refuses unusual methods.

    `frame_ancestors` completes each policy that does not say who may show the answer in a frame; `files_origin` is
    where the page gets videos and pictures beside us.
    """

    def __init__(self, app: ASGIApp, frame_ancestors: str, files_origin: str = "") -> None:
        self.app = app
        self._files = f" {files_origin}" if files_origin else ""
        self._framed_by = f"; frame-ancestors {frame_ancestors}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; 405 for methods that no route takes, TRACE among them."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = ""
        if is_page(scope):
            nonce = secrets.token_urlsafe(16)
            scope = {**scope, NONCE: nonce}

        async def with_headers(message: Message) -> None:
            # The headers of a 304 would replace those of the answer that the browser has kept.
            if message["type"] == "http.response.start" and message["status"] != 304:
                self._complete(MutableHeaders(scope=message), nonce)
            await send(message)

        if scope["method"] in METHODS:
            await self.app(scope, receive, with_headers)
        else:
            await problem_response(MethodNotAllowedError(METHODS))(scope, receive, with_headers)

    def _complete(self, headers: MutableHeaders, nonce: str) -> None:
        kind = headers.get("content-type", "").partition("/")[0]
        is_html = headers.get("content-type", "").startswith("text/html")
        headers.setdefault("X-Content-Type-Options", "nosniff")
        # Some addresses are secrets: shares, transfers, signed links. No other site gets to know any of ours.
        headers.setdefault("Referrer-Policy", "same-origin")
        policy = _MEDIA.get(kind, _NOTHING)
        if nonce and is_html:
            policy = _PAGE.format(nonce=nonce, files=self._files)
            # A site that opens the page in a window gets no hold of it. Windows that the page opens work.
            headers.setdefault("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
        if "frame-ancestors" not in headers.setdefault(_POLICY, policy):
            headers[_POLICY] += self._framed_by
        if not is_html:
            # Documents are shown in frames, for which `frame-ancestors` is the rule.
            headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        # What a browser cannot ask for again by ETag or date was made for this request alone, as was an event stream.
        if not {"etag", "last-modified", "cache-control"} & set(headers) or "set-cookie" in headers:
            headers["Cache-Control"] = "no-store"
