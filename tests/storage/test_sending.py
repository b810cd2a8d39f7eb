"""How a stored file is sent over HTTP: the same from a disk and from a bucket (RFC 9110)."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from videogen.core.errors import FileMissingError, StorageAwayError
from videogen.services.media import open_stored
from videogen.storage import DiskStorage
from videogen.storage.object_storage import open_storage
from videogen.web.file_response import StoredFileResponse, stored_response

KEY = "gen_a/a1-video.mp4"
VIDEO = bytes(range(256)) * 2000


@pytest.fixture(params=["disk", "bucket"])
def storage(request, tmp_path):
    if request.param == "bucket":
        return open_storage(request.getfixturevalue("bucket"), tmp_path / "cache")
    return DiskStorage(tmp_path / "files")


@pytest.fixture
def ask(storage):
    """GET the video, with these headers."""
    storage.put(VIDEO, KEY)

    async def app(scope, receive, send):
        file = await asyncio.to_thread(open_stored, storage, KEY, "video/mp4", "calm lake.mp4")
        await stored_response(Request(scope), file)(scope, receive, send)

    client = TestClient(app)
    return lambda method="GET", **headers: client.request(
        method, "/", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def test_the_whole_file(ask):
    whole = ask()
    assert (whole.status_code, whole.content) == (200, VIDEO)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["content-length"] == str(len(VIDEO))
    assert whole.headers["content-disposition"].startswith("inline; filename=")
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["last-modified"]


def test_head_has_the_headers_and_no_body(ask):
    whole, head = ask(), ask("HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(whole.headers)


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("0-0", (0, 1)),
        ("0-99", (0, 100)),
        ("100000-300000", (100_000, 300_001)),
        ("511000-", (511_000, 512_000)),
        ("-50", (511_950, 512_000)),
        ("511990-9999999", (511_990, 512_000)),
    ],
)
def test_a_range(ask, wanted, part):
    answer = ask(Range=f"bytes={wanted}")
    assert (answer.status_code, answer.content) == (206, VIDEO[slice(*part)])
    assert answer.headers["content-range"] == f"bytes {part[0]}-{part[1] - 1}/{len(VIDEO)}"
    assert answer.headers["content-length"] == str(part[1] - part[0])
    assert ask("HEAD", Range=f"bytes={wanted}").status_code == 206


def test_several_ranges(ask):
    answer = ask(Range="bytes=0-9,100000-100009,-5")
    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges; boundary=")
    boundary = answer.headers["content-type"].rpartition("=")[2].encode()
    bodies = [part.partition(b"\r\n\r\n")[2][:-2] for part in answer.content.split(b"--" + boundary)[1:-1]]
    assert bodies == [VIDEO[:10], VIDEO[100_000:100_010], VIDEO[-5:]]


def test_a_range_beyond_the_end_is_416_with_the_length(ask):
    answer = ask(Range=f"bytes={len(VIDEO)}-")
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(VIDEO)}")


@pytest.mark.parametrize("wanted", ["bytes=9-2", "bytes=x", "items=0-1", ""])
def test_a_range_that_is_none_is_ignored(ask, wanted):
    assert ask(Range=wanted).status_code == 200


def test_a_range_holds_for_the_same_bytes_only(ask):
    whole = ask()
    for same in (whole.headers["etag"], whole.headers["last-modified"]):
        assert ask(Range="bytes=0-9", If_Range=same).status_code == 206
    for other in ('"another"', f"W/{whole.headers['etag']}", "Mon, 01 Jan 2001 00:00:00 GMT"):
        answer = ask(Range="bytes=0-9", If_Range=other)
        assert (answer.status_code, answer.content) == (200, VIDEO)


def test_who_has_the_bytes_gets_304(ask, storage):
    etag = ask().headers["etag"]
    for known in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        for method in ("GET", "HEAD"):
            answer = ask(method, If_None_Match=known)
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    storage.put(VIDEO[::-1], KEY)
    changed = ask(If_None_Match=etag)
    assert (changed.status_code, changed.content) == (200, VIDEO[::-1])


def send(file, headers=()):
    """What the server gets to send."""
    messages = []

    async def sent(message):
        messages.append(message)

    scope = {"type": "http", "method": "GET", "headers": [*headers], "asgi": {"spec_version": "2.4"}}
    asyncio.run(StoredFileResponse(file)(scope, None, sent))
    return messages


def opening(storage, open_it):
    """The stored file, which opens like this."""
    storage.put(VIDEO, KEY)
    file = open_stored(storage, KEY, "video/mp4")
    return replace(file, version=replace(file.version, open=open_it))


@pytest.mark.parametrize(
    "problem", [(StorageAwayError(), StorageAwayError), (FileNotFoundError(KEY), FileMissingError)]
)
@pytest.mark.parametrize("headers", [[], [(b"range", b"bytes=5-9")]])
def test_a_file_that_cannot_be_opened_is_an_error_before_anything_is_sent(storage, problem, headers):
    def fail(start, end):
        raise problem[0]

    with pytest.raises(problem[1]):
        send(opening(storage, fail), headers)


@pytest.mark.parametrize("problem", [OSError("cut"), StorageAwayError()])
def test_a_file_that_cannot_be_read_to_its_end_never_looks_complete(storage, problem, caplog):
    def broken(start, end):
        pieces = iter([VIDEO[:65536], VIDEO[65536:131072], problem])

        def read(count):
            piece = next(pieces)
            if isinstance(piece, Exception):
                raise piece
            return piece

        return SimpleNamespace(read=read, close=lambda: None)

    messages = send(opening(storage, broken))
    assert dict(messages[0]["headers"])[b"content-length"] == str(len(VIDEO)).encode()
    # The server closes a connection whose answer has no end.
    assert [message["more_body"] for message in messages[1:]] == [True, True]
    assert "could not be sent to its end" in caplog.text
