"""`/s/{slug}`, its parts, and `/oembed`. Each request looks its link up again, so that a revoke works at once."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Annotated, Any, Final
from urllib.parse import unquote, urlsplit

import anyio.to_thread
import segno
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.background import BackgroundTask

from videogen.core.errors import DeletedError, NotFoundError, StorageError
from videogen.core.i18n import COOKIE as LANGUAGE_COOKIE
from videogen.core.i18n import PARAMETER, VARY, Catalog, negotiate
from videogen.schemas.system import SESSION_COOKIE
from videogen.services.public_view import POSTER, PREVIEW, RESULTS
from videogen.services.shares import PATH, SharedView
from videogen.share import pages
from videogen.share.media import media
from videogen.share.pages import Links
from videogen.web.conditional import not_modified
from videogen.web.dependencies import app_state
from videogen.web.sse import stream_response

logger = logging.getLogger(__name__)
router = APIRouter()
_MEDIA: Final = (*RESULTS.values(), POSTER, PREVIEW)
# Whoever fetches a page in order to show a preview of it, or before anybody has asked for it, is no viewer.
_MACHINES: Final = re.compile(
    r"bot\b|bots?/|crawl|spider|slurp|preview|unfurl|facebookexternalhit|embedly|whatsapp|telegram|skypeuri|curl/|wget/"
    r"|python-|headlesslink|lighthouse|pingdom|uptime|iframely|quora link|vkshare|w3c_validator",
    re.IGNORECASE,
)
_YEAR: Final = 365 * 86_400
_NO_STORE: Final = {"Cache-Control": "no-store"}
_PLAIN: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@router.api_route("/s/{rest:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def shared(request: Request, rest: str) -> Response:
    """Whatever is asked for below `/s/`: one way for all, so that links that do not work look and take the same."""
    slug, _, part = rest.partition("/")
    address = _links(request)
    if (slug, part) == ("-", "share.js"):
        return _script(request)
    try:
        if part == "events":
            return await _events(request, slug)
        return await anyio.to_thread.run_sync(_answer, request, slug, part)
    except DeletedError:
        return _page(pages.gone_page(True, address.root, _words(request).tag), 410, _words(request))
    except NotFoundError:
        return _page(pages.gone_page(False, address.root, _words(request).tag), 404, _words(request))


def _answer(request: Request, slug: str, part: str) -> Response:
    visit = app_state(request).services.shares.find(slug)
    headers = {} if visit.indexable else {"X-Robots-Tag": "noindex, nofollow"}
    if part in _MEDIA:
        response = media(request, visit, app_state(request).services.shares, part)
    elif (answer := _PARTS.get(part)) is not None:
        response = answer(request, visit)
    else:
        raise NotFoundError
    response.headers.update(headers | _PLAIN)
    return response


def _share_page(request: Request, visit: SharedView) -> Response:
    texts = _words(request)
    response = _page(
        pages.share_page(app_state(request).services.shares.without_missing_files(visit), _links(request), texts),
        200,
        texts,
    )
    if PARAMETER in request.query_params:
        path = f"{app_state(request).public_url.root}/"
        response.set_cookie(LANGUAGE_COOKIE, texts.tag, max_age=_YEAR, path=path, samesite="lax")
    if _is_view(request):
        # After the answer: nobody waits for the count, and a full disk takes nothing but the count.
        response.background = BackgroundTask(_count, request, visit)
    return response


def _embed_page(request: Request, visit: SharedView) -> Response:
    texts = _words(request)
    return _page(
        pages.embed_page(app_state(request).services.shares.without_missing_files(visit), _links(request), texts),
        200,
        texts,
        framed_by="*",
    )


def _recipe(_request: Request, visit: SharedView) -> Response:
    """What the form of the main page needs in order to ask for this again; the seed as text, since it may be long."""
    seen = visit.shown
    recipe = {
        "type": seen.type,
        "prompt": seen.prompt,
        "negative": seen.negative_prompt,
        "width": seen.width,
        "height": seen.height,
        "seconds": seen.duration_seconds,
        "fps": seen.fps,
        "seed": str(seen.seed),
        "engine": seen.engine,
        "settings": seen.settings,
    }
    return JSONResponse(recipe, headers=_NO_STORE)


def _qr(request: Request, visit: SharedView) -> Response:
    """The link as a QR code, dark on light with a quiet zone, whatever lies around it."""
    code = segno.make(f"{_links(request).base}{PATH}{visit.slug}", error="m", micro=False)
    picture = BytesIO()
    code.save(picture, kind="svg", scale=8, border=3, dark="#1d1a16", light="#fffdf9", xmldecl=False)
    return Response(picture.getvalue(), media_type="image/svg+xml", headers=_NO_STORE)


_PARTS: Final[Mapping[str, Callable[[Request, SharedView], Response]]] = {
    "": _share_page,
    "embed": _embed_page,
    "recipe.json": _recipe,
    "qr.svg": _qr,
}


async def _events(request: Request, slug: str) -> Response:
    told = request.headers.get("last-event-id", "")
    # What is no number of ours comes from no stream of ours: begin with the state of the moment.
    after = int(told) if told.isascii() and told.isdigit() and len(told) < 19 else None
    if request.method == "HEAD":
        await anyio.to_thread.run_sync(app_state(request).services.shares.find, slug)
        return Response(headers=_NO_STORE)
    stream = await app_state(request).services.shares.stream(slug, after)
    response = stream_response(stream)
    response.headers.update(_PLAIN)
    return response


def _script(request: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{pages.script_version()}"', **_PLAIN}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(pages.script(), media_type="text/javascript", headers=headers)


@router.get("/oembed", tags=["shares"])
def oembed(
    request: Request,
    url: str,
    maxwidth: Annotated[int | None, Query(ge=1, le=100_000)] = None,
    maxheight: Annotated[int | None, Query(ge=1, le=100_000)] = None,
    output: Annotated[str, Query(alias="format")] = "json",
) -> Response:
    """How to show a link inside another site (oEmbed 1.0, JSON).

    Raises:
        NotFoundError: the address is no link of this app that holds.
    """
    if output != "json":
        return JSONResponse({"detail": "Only format=json is served."}, 501)
    address = _links(request)
    shares = app_state(request).services.shares
    visit = shares.without_missing_files(shares.find(_slug_of(url, address)))
    size = _fit((visit.shown.width, visit.shown.height), maxwidth, maxheight)
    # Other sites' scripts may read it: what it tells is public.
    headers = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*", **_PLAIN}
    return JSONResponse(_oembed(visit, address, size), headers=headers)


def _oembed(visit: SharedView, address: Links, size: tuple[int, int]) -> dict[str, Any]:
    seen, url = visit.shown, f"{address.base}{PATH}{visit.slug}"
    told: dict[str, Any] = {"version": "1.0", "title": seen.title, "provider_name": "videogen"}
    told |= {"provider_url": f"{address.base}/", "width": size[0], "height": size[1]}
    if seen.type == "image" and seen.result_url:
        told |= {"type": "photo", "url": f"{url}/{seen.result_url}"}
    else:
        told |= {"type": "video", "html": pages.frame(visit, address, *size)}
    if seen.poster_url:
        thumbnail = {"thumbnail_url": f"{url}/{seen.poster_url}"}
        told |= thumbnail | {"thumbnail_width": seen.width, "thumbnail_height": seen.height}
    return told


def _slug_of(url: str, address: Links) -> str:
    """The slug in an address of ours; the scheme may be another, since proxies change it."""
    try:
        ours, asked = urlsplit(f"{address.base}{PATH}"), urlsplit(url.strip()[:4096])
    except ValueError:  # brackets that are no IPv6 address
        raise NotFoundError from None
    same = asked.scheme in ("http", "https") and asked.netloc.lower() == ours.netloc.lower()
    if not (same and asked.path.startswith(ours.path)):
        raise NotFoundError
    return unquote(asked.path.removeprefix(ours.path)).removesuffix("/")


def _fit(size: tuple[int, int], width: int | None, height: int | None) -> tuple[int, int]:
    """The size in pixels within these bounds, with its shape kept."""
    shrink = min(1.0, (width or size[0]) / size[0], (height or size[1]) / size[1])
    return max(1, int(size[0] * shrink)), max(1, int(size[1] * shrink))


def _words(request: Request) -> Catalog:
    """The visitor's language."""
    return negotiate(request.query_params, request.cookies, request.headers)


def _page(html: str, status: int, texts: Catalog, framed_by: str = "'self'") -> HTMLResponse:
    headers = {"Content-Security-Policy": pages.policy(framed_by), **_PLAIN, **_NO_STORE}
    headers |= {"Content-Language": texts.tag, "Vary": VARY}
    if status != 200:
        headers["X-Robots-Tag"] = "noindex, nofollow"
    return HTMLResponse(html, status, headers)


def _is_view(request: Request) -> bool:
    """Whether a person has opened the page: not a machine, not a prefetch, not the page's own refresh."""
    told = request.headers
    early = "prefetch" in f"{told.get('sec-purpose', '')} {told.get('purpose', '')} {told.get('x-moz', '')}".lower()
    agent = told.get("user-agent", "")
    machine = not agent or _MACHINES.search(agent) is not None
    again = {"again", PARAMETER} & request.query_params.keys()
    return request.method == "GET" and not early and not machine and not again


def _count(request: Request, visit: SharedView) -> None:
    services = app_state(request).services
    token = request.cookies.get(SESSION_COOKIE, "")
    try:
        services.shares.count_view(visit, services.sessions.find(token) if token else None)
    except StorageError as problem:
        logger.warning("A view was not counted. %s", problem.detail)


def _links(request: Request) -> Links:
    public_url = app_state(request).public_url
    return Links(public_url.of(request), public_url.root)
