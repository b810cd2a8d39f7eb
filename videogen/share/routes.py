"""`/s/{slug}`, its parts, and `/oembed`. Each request looks its link up again, so that a revoke works at once."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from io import BytesIO
from typing import Annotated, Any, Final
from urllib.parse import quote, unquote, urlsplit

import anyio.to_thread
import segno
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from pydantic import ValidationError
from starlette.background import BackgroundTask

from videogen.core.errors import DeletedError, NotFoundError, StorageError, UnsupportedFormatError
from videogen.core.i18n import COOKIE as LANGUAGE_COOKIE
from videogen.core.i18n import PARAMETER, VARY, Catalog, negotiate
from videogen.core.text import file_name
from videogen.core.validation import invalid_request
from videogen.schemas.sharing import Report
from videogen.schemas.system import SESSION_COOKIE
from videogen.services.public_view import POSTER, PREVIEW, RESULTS
from videogen.services.shares import PATH, SharedView, ShareService
from videogen.share import pages
from videogen.share.pages import Links
from videogen.web.dependencies import app_state
from videogen.web.file_response import in_media_thread, not_modified, stored_response
from videogen.web.problems import documented
from videogen.web.sse import stream_response
from videogen.web.visitor import VisitorDep, visitor

logger = logging.getLogger(__name__)
router = APIRouter()
_MEDIA: Final = (*RESULTS.values(), POSTER, PREVIEW)
# User agents of programs that fetch a page to show a preview or to index it: these are not views.
_PROGRAMS: Final = re.compile(
    r"bot\b|bots?/|crawl|spider|slurp|preview|unfurl|facebookexternalhit|embedly|whatsapp|telegram|skypeuri|curl/|wget/"
    r"|python-|headlesslink|lighthouse|pingdom|uptime|iframely|quora link|vkshare|w3c_validator",
    re.IGNORECASE,
)
_YEAR: Final = 365 * 86_400
REPORTED: Final = "reported"
"""The parameter of the page that a visitor sees after a report."""
_NO_STORE: Final = {"Cache-Control": "no-store"}
_SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Links are made to be embedded in other sites, also in frames without an origin.
    "Cross-Origin-Resource-Policy": "cross-origin",
}


async def until_sent() -> AsyncIterator[ExitStack]:
    """What is entered here is left when the response has ended in any way."""
    with ExitStack() as stack:
        yield stack


UntilSentDep = Annotated[ExitStack, Depends(until_sent)]


@router.api_route("/s/{rest:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def get_shared(request: Request, rest: str, until_sent: UntilSentDep) -> Response:
    """Every path below `/s/`, in one route, so that all invalid links get the same response in the same time."""
    slug, _, part = rest.partition("/")
    links = _links(request)
    if (slug, part) == ("-", "share.js"):
        return _script(request)
    try:
        if part == "events":
            return await _events(request, slug, until_sent)
        respond = partial(_respond, request, slug, part)
        return await (in_media_thread(respond) if part in _MEDIA else anyio.to_thread.run_sync(respond))
    except DeletedError:
        return _page(request, pages.gone_page(True, links.root, _texts(request).tag), 410, _texts(request))
    except NotFoundError:
        return _page(request, pages.gone_page(False, links.root, _texts(request).tag), 404, _texts(request))


@router.post("/s/{slug}/report", include_in_schema=False)
async def report(request: Request, slug: str, address: VisitorDep) -> Response:
    """*Report* on the page of a link: a form, so that it needs no script."""
    given = str((await request.form(max_files=0, max_fields=4)).get("reason", ""))
    texts, links = _texts(request), _links(request)
    try:
        body = Report.model_validate({"slug": slug, "reason": given.strip()})
        await anyio.to_thread.run_sync(app_state(request).services.moderation.report, body, address)
    except NotFoundError:
        return _page(request, pages.gone_page(False, links.root, texts.tag), 404, texts)
    except ValidationError as problem:
        raise invalid_request(problem.errors(include_url=False)) from None
    return RedirectResponse(f"{links.root}{PATH}{quote(slug, safe='')}?{REPORTED}", 303, _NO_STORE)


def _respond(request: Request, slug: str, part: str) -> Response:
    view = _shares(request).find(slug)
    headers = {} if view.share.indexable else {"X-Robots-Tag": "noindex, nofollow"}
    if part in _MEDIA:
        response = _media(request, view, part)
    elif (respond := _PARTS.get(part)) is not None:
        response = respond(request, view)
    else:
        raise NotFoundError
    response.headers.update(headers | _SECURITY)
    return response


def _share_page(request: Request, view: SharedView) -> Response:
    texts = _texts(request)
    shown, links = _shares(request).without_missing_files(view), _links(request)
    html = pages.page("share", shown, links, texts, reported=REPORTED in request.query_params)
    response = _page(request, html, 200, texts)
    if PARAMETER in request.query_params:
        path = f"{app_state(request).public_url.root}/"
        response.set_cookie(LANGUAGE_COOKIE, texts.tag, max_age=_YEAR, path=path, samesite="lax")
    if _is_view(request):
        # Counted after the response, which must not wait for it, or fail on a full disk.
        response.background = BackgroundTask(_count, request, view)
    return response


def _embed_page(request: Request, view: SharedView) -> Response:
    texts = _texts(request)
    html = pages.page("embed", _shares(request).without_missing_files(view), _links(request), texts)
    response = _page(request, html, 200, texts)
    response.headers["Content-Security-Policy"] += "; frame-ancestors *"
    return response


def _recipe(_request: Request, view: SharedView) -> Response:
    """The values for the form of the main page, which make the same again. The seed is text: it may exceed 2^53."""
    shown = view.shown
    recipe = {name: getattr(shown, name) for name in ("type", "prompt", "width", "height", "fps", "engine", "settings")}
    recipe |= {"negative": shown.negative_prompt, "seconds": shown.duration_seconds, "seed": str(shown.seed)}
    return JSONResponse(recipe, headers=_NO_STORE)


def _qr(request: Request, view: SharedView) -> Response:
    """The link as a QR code, dark on light with a quiet zone, on any background."""
    code = segno.make(f"{_links(request).base}{PATH}{view.share.slug}", error="m", micro=False)
    picture = BytesIO()
    code.save(picture, kind="svg", scale=8, border=3, dark="#1d1a16", light="#fffdf9", xmldecl=False)
    return Response(picture.getvalue(), media_type="image/svg+xml", headers=_NO_STORE)


_PARTS: Final[Mapping[str, Callable[[Request, SharedView], Response]]] = {
    "": _share_page,
    "embed": _embed_page,
    "recipe.json": _recipe,
    "qr.svg": _qr,
}


def _media(request: Request, view: SharedView, part: str) -> Response:
    """The response with a file. Where browsers reach the bucket, a link to it ends minutes after a revoke."""
    file = _shares(request).open_file(view, part)
    if part in RESULTS.values():
        name = file_name(view.shown.title, part.rpartition(".")[2])
        file = replace(file, name=name, attached="download" in request.query_params)
    response = stored_response(request, file)
    # Browsers may cache the bytes, but must check that the link is still valid before they show them again.
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


async def _events(request: Request, slug: str, until_sent: ExitStack) -> Response:
    text = request.headers.get("last-event-id", "")
    # A malformed id is not from one of our streams: begin with the current state.
    after = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    if request.method == "HEAD":
        await anyio.to_thread.run_sync(_shares(request).find, slug)
        return Response(headers=_NO_STORE)
    until_sent.enter_context(app_state(request).services.streams.slot(visitor(request)))
    response = stream_response(await _shares(request).stream(slug, after))
    response.headers.update(_SECURITY)
    return response


def _script(request: Request) -> Response:
    headers = {
        "ETag": f'"{pages.script_version()}"',
        "Cache-Control": f"public, max-age={_YEAR}, immutable",
        **_SECURITY,
    }
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(pages.script(), media_type="text/javascript", headers=headers)


@router.get("/oembed", tags=["shares"], responses=documented(NotFoundError, UnsupportedFormatError))
def oembed(
    request: Request,
    url: str,
    maxwidth: Annotated[int | None, Query(ge=1, le=100_000)] = None,
    maxheight: Annotated[int | None, Query(ge=1, le=100_000)] = None,
    output: Annotated[str, Query(alias="format")] = "json",
) -> Response:
    """How to embed a link in another site (oEmbed 1.0, JSON).

    Raises:
        NotFoundError: the address is not a valid link of this app.
        UnsupportedFormatError: another format is asked for.
    """
    if output != "json":
        raise UnsupportedFormatError
    links, shares = _links(request), _shares(request)
    view = shares.without_missing_files(shares.find(_slug_of(url, links)))
    size = _fit((view.shown.width, view.shown.height), maxwidth, maxheight)
    # Scripts of other sites may read it: everything in it is public.
    headers = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*", **_SECURITY}
    return JSONResponse(_oembed(view, links, size), headers=headers)


def _oembed(view: SharedView, links: Links, size: tuple[int, int]) -> dict[str, Any]:
    shown, url = view.shown, f"{links.base}{PATH}{view.share.slug}"
    card: dict[str, Any] = {"version": "1.0", "title": shown.title, "provider_name": "videogen"}
    card |= {"provider_url": f"{links.base}/", "width": size[0], "height": size[1]}
    if shown.type == "image" and shown.result_url:
        card |= {"type": "photo", "url": f"{url}/{shown.result_url}"}
    else:
        card |= {"type": "video", "html": pages.embed_markup(view, links, *size)}
    if shown.poster_url:
        thumbnail = {"thumbnail_url": f"{url}/{shown.poster_url}"}
        card |= thumbnail | {"thumbnail_width": shown.width, "thumbnail_height": shown.height}
    return card


def _slug_of(url: str, links: Links) -> str:
    """The slug in an address of this app; the scheme may differ, since proxies change it."""
    try:
        base, given = urlsplit(f"{links.base}{PATH}"), urlsplit(url.strip()[:4096])
    except ValueError:  # a malformed IPv6 address
        raise NotFoundError from None
    same = given.scheme in ("http", "https") and given.netloc.lower() == base.netloc.lower()
    if not (same and given.path.startswith(base.path)):
        raise NotFoundError
    return unquote(given.path.removeprefix(base.path)).removesuffix("/")


def _fit(size: tuple[int, int], width: int | None, height: int | None) -> tuple[int, int]:
    """The size in pixels, scaled down to these limits in the same aspect ratio."""
    shrink = min(1.0, (width or size[0]) / size[0], (height or size[1]) / size[1])
    return max(1, int(size[0] * shrink)), max(1, int(size[1] * shrink))


def _texts(request: Request) -> Catalog:
    """The texts in the visitor's language."""
    return negotiate(request.query_params, request.cookies, request.headers)


def _page(request: Request, html: str, status: int, texts: Catalog) -> HTMLResponse:
    policy = pages.policy(app_state(request).config.files_origin)
    headers = {"Content-Security-Policy": policy, **_SECURITY, **_NO_STORE}
    headers |= {"Content-Language": texts.tag, "Vary": VARY}
    if status != 200:
        headers["X-Robots-Tag"] = "noindex, nofollow"
    return HTMLResponse(html, status, headers)


def _is_view(request: Request) -> bool:
    """Whether a person opened the page: not a program, a prefetch or the page's own refresh."""
    headers = request.headers
    purpose = " ".join(headers.get(name, "") for name in ("sec-purpose", "purpose", "x-moz")).lower()
    agent = headers.get("user-agent", "")
    is_program = not agent or _PROGRAMS.search(agent) is not None
    is_refresh = bool({"again", REPORTED, PARAMETER} & request.query_params.keys())
    return request.method == "GET" and "prefetch" not in purpose and not is_program and not is_refresh


def _count(request: Request, view: SharedView) -> None:
    services = app_state(request).services
    token = request.cookies.get(SESSION_COOKIE, "")
    try:
        owner = services.sessions.find(token) if token else None
        services.shares.count_view(view, owner.session_id if owner else None)
    except StorageError as problem:
        logger.warning("A view was not counted. %s", problem.detail)


def _shares(request: Request) -> ShareService:
    return app_state(request).services.shares


def _links(request: Request) -> Links:
    public_url = app_state(request).public_url
    return Links(public_url.of(request), public_url.root)
