"""The files of a link. They are sent without a signed link, which would stay valid after a revoke."""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response

from videogen.core.text import disposition, file_name
from videogen.services.public_view import RESULTS
from videogen.services.shares import SharedView, ShareService
from videogen.web.conditional import not_modified
from videogen.web.file_response import StoredFileResponse

# Browsers may cache the bytes, but must check that the link is still valid before they show them again.
_REVALIDATE: Final = "private, no-cache"


def media(request: Request, view: SharedView, shares: ShareService, part: str) -> Response:
    """The response with a file: `Range`, `ETag` and its type; 304 where the browser has it already.

    Raises:
        NotFoundError: there is no such file, or not yet.
    """
    file = shares.open_file(view, part)
    response = StoredFileResponse(file)
    response.headers["Cache-Control"] = _REVALIDATE
    # Links are made to be embedded in other sites.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if part in RESULTS.values():
        kind = "attachment" if "download" in request.query_params else "inline"
        name = file_name(view.shown.title, part.rpartition(".")[2])
        response.headers["Content-Disposition"] = disposition(kind, name)
    if not_modified(request, response.headers["etag"]):
        file.close()
        names = ("cache-control", "etag", "last-modified", "content-disposition")
        return Response(
            status_code=304, headers={name: response.headers[name] for name in names if name in response.headers}
        )
    return response
