"""Links to a bucket that browsers reach: whoever may have a file is sent there, for minutes."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from starlette.requests import Request
from starlette.testclient import TestClient

from videogen.core.errors import ConfigError
from videogen.services.media import LINK_SECONDS, open_stored
from videogen.storage.object_storage import open_storage
from videogen.storage.presigned import links_of
from videogen.web.file_response import stored_response

KEY = "gen_a/a1-ünder way (2)~.mp4"
NAME = "attachment; filename=\"calm lake.mp4\"; filename*=UTF-8''calm%20lake%C3%A9.mp4"


@pytest.fixture
def storage(bucket, endpoint, tmp_path):
    """A bucket that browsers reach at the same address."""
    storage = open_storage(f"{bucket}&public={endpoint}/", tmp_path / "cache")
    storage.put(b"0123456789", KEY)
    return storage


def test_a_link_is_signed_as_by_the_reference(bucket, endpoint, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a token/+=")
    session = boto3.Session("key", "secret", "a token/+=", "us-east-1")
    client = session.client(
        "s3", endpoint_url="https://files.example.org:8443", config=Config(signature_version="s3v4")
    )
    prefix = urlsplit(bucket).path.strip("/")
    wanted = urlsplit(
        client.generate_presigned_url(
            "get_object",
            {
                "Bucket": "videogen",
                "Key": f"{prefix}/{KEY}",
                "ResponseContentType": "video/mp4",
                "ResponseContentDisposition": NAME,
            },
            ExpiresIn=600,
        )
    )
    at = datetime.strptime(parse_qs(wanted.query)["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    links = links_of(f"{bucket}&public=https://files.example.org:8443", "URL")
    made = urlsplit(links.url(KEY, 600, "video/mp4", NAME, at))
    assert made[:3] == wanted[:3]
    assert parse_qs(made.query) == parse_qs(wanted.query)


def test_a_link_has_the_bytes_with_their_type_and_name_and_answers_ranges(storage):
    url = storage.url(KEY, 60, "video/mp4", NAME)
    answer = httpx.get(url, headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer.content) == (206, b"234")
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-disposition"] == NAME
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["60"]


def test_without_a_public_address_there_are_no_links(bucket, tmp_path):
    assert open_storage(bucket, tmp_path / "cache").url(KEY, 60, "video/mp4", NAME) is None


def client(storage, name):
    async def app(scope, receive, send):
        file = await asyncio.to_thread(open_stored, storage, KEY, "video/mp4", name)
        await stored_response(Request(scope), file)(scope, receive, send)

    return TestClient(app, follow_redirects=False)


def test_what_a_person_saves_is_sent_by_the_bucket_and_what_a_list_shows_by_us(storage):
    led = client(storage, "calm-lake.mp4").get("/")
    assert (led.status_code, led.headers["cache-control"]) == (307, "no-store")
    assert parse_qs(urlsplit(led.headers["location"]).query)["X-Amz-Expires"] == [str(LINK_SECONDS)]
    fetched = httpx.get(led.headers["location"])
    assert fetched.content == b"0123456789"
    assert fetched.headers["content-disposition"] == 'inline; filename="calm-lake.mp4"'
    assert client(storage, "calm-lake.mp4").head("/").status_code == 200
    assert client(storage, None).get("/").content == b"0123456789"


def test_a_file_that_is_gone_gets_no_link(storage):
    storage.delete(KEY)
    with pytest.raises(FileNotFoundError):
        client(storage, "calm-lake.mp4").get("/")


@pytest.mark.parametrize(
    "public",
    [
        "files.example.org",
        "ftp://files.example.org",
        "https://files.example.org/path",
        "https://files.example.org;script-src",
        "https://files.example.org%20*",
        "https://someone@files.example.org",
        "https://files.example.org:port",
    ],
)
def test_an_address_that_is_none_stops_the_start(bucket, public, tmp_path):
    with pytest.raises(ConfigError, match=r"VIDEOGEN_STORAGE_URL: expected public= and an address"):
        open_storage(f"{bucket}&public={public}", tmp_path / "cache")


@pytest.mark.parametrize(
    ("public", "origin"),
    [
        ("https://Files.Example.org:443/", "https://files.example.org"),
        ("http://files.example.org:80", "http://files.example.org"),
        ("https://files.example.org:80", "https://files.example.org:80"),
        ("http://[::1]:8333", "http://[::1]:8333"),
    ],
)
def test_the_address_is_signed_as_browsers_name_it(bucket, public, origin):
    assert links_of(f"{bucket}&public={public}", "URL").origin == origin


def test_links_need_a_key_to_sign_with(bucket, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(ConfigError, match=r"AWS_SECRET_ACCESS_KEY"):
        open_storage(f"{bucket}&public=https://files.example.org", tmp_path / "cache")
