"""A response of a stored file closes the file in every case."""

import asyncio
from dataclasses import replace

import pytest

from videogen.services.media import open_stored
from videogen.web.file_response import StoredFileResponse

SCOPE = {"type": "http", "method": "GET", "headers": [(b"range", b"bytes=1-3")], "extensions": {}}


@pytest.fixture
def versions(storage, monkeypatch):
    """The keys of the versions that are open."""
    versions = set()
    version_of = storage.version

    def version(key):
        found = version_of(key)
        versions.add(key)
        return replace(found, close=lambda: (versions.remove(key), found.close()))

    monkeypatch.setattr(storage, "version", version)
    return versions


def send_file(storage, send):
    respond(open_stored(storage, "gen_a/a1-video.mp4", "video/mp4"), SCOPE, send)


def respond(file, scope, send):
    async def receive():
        await asyncio.Event().wait()

    asyncio.run(StoredFileResponse(file)(scope, receive, send))


def test_the_file_is_open_while_it_is_sent_and_closed_afterwards(storage, versions):
    storage.put(b"video", "gen_a/a1-video.mp4")
    messages = []

    async def send(message):
        assert versions == {"gen_a/a1-video.mp4"}
        messages.append(message)

    send_file(storage, send)
    assert versions == set()
    assert (messages[0]["status"], messages[1]["body"]) == (206, b"ide")


@pytest.mark.parametrize("change", ["replaced", "deleted"])
def test_a_file_that_changes_while_it_is_sent_is_sent_as_it_was(storage, change):
    storage.put(b"a preview", "gen_a/a1-preview.jpg")
    file = open_stored(storage, "gen_a/a1-preview.jpg", "image/jpeg")
    if change == "replaced":
        storage.put(b"the next preview, which is longer", "gen_a/a1-preview.jpg")
    else:
        storage.delete("gen_a/a1-preview.jpg")
    messages = []

    async def send(message):
        messages.append(message)

    respond(file, {**SCOPE, "headers": []}, send)
    assert (b"content-length", b"9") in messages[0]["headers"]
    assert b"".join(message["body"] for message in messages[1:]) == b"a preview"


def test_the_file_is_closed_when_the_client_is_gone(storage, versions):
    storage.put(b"video", "gen_a/a1-video.mp4")

    async def send(message):
        raise OSError("connection lost")

    with pytest.raises(Exception, match=r"connection lost|unhandled errors"):  # maybe in a group
        send_file(storage, send)
    assert versions == set()


def test_a_missing_file_is_not_opened(storage, versions):
    with pytest.raises(FileNotFoundError):
        open_stored(storage, "gen_a/a1-video.mp4", "video/mp4")
