"""Which hosts are asked, and which get the key: never another one's, and no private one that nobody has named."""

import httpx
import pytest

from tests.support.providers.answers import Canned
from tests.support.stand_in import serve
from videogen.core import addresses
from videogen.engines.base import Artifact
from videogen.engines.remote.hosts import AllowedHosts
from videogen.engines.remote.provider import RemoteFault

PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.7"


@pytest.fixture
def names(monkeypatch):
    """What names lead to."""
    found = {}

    def look_up(host, *_, **__):
        return [(2, 1, 6, "", (found.get(host, PUBLIC), 0))]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", look_up)
    return found


def allowed(base_url="https://api.example.com", named=(), table=("*.media.example",)):
    return AllowedHosts(base_url, named, table)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("https://api.example.com/jobs", {}),
        ("http://192.168.1.20:8188/view", {"base_url": "http://192.168.1.20:8188"}),
        ("http://192.168.1.20:9000/view", {"base_url": "http://192.168.1.20:8188"}),
        ("https://v3.media.example/a.mp4", {}),
        ("https://V3.Media.EXAMPLE/a.mp4", {}),
        ("https://files.own.example/a.mp4", {"named": ("*.own.example",)}),
        ("http://10.0.0.7/a.mp4", {"named": ("10.0.0.7",)}),
        ("http://minio.lan/a.mp4", {"named": ("minio.lan",)}),
    ],
)
def test_the_api_and_what_is_named_may_be_asked(names, url, options):
    names["minio.lan"] = PRIVATE
    allowed(**options).check(httpx.URL(url))


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("https://elsewhere.example/a.mp4", {}, "elsewhere.example is not one of this engine"),
        ("https://media.example/a.mp4", {}, "not one of"),
        ("https://media.example.evil.example/a.mp4", {}, "not one of"),
        ("http://169.254.169.254/latest/meta-data", {}, "not one of"),
        ("http://127.0.0.1:7860/", {}, "not one of"),
        ("https://inside.media.example/a.mp4", {}, "inside.media.example is 10.0.0.7, which is private"),
        ("https://sixth.media.example/a.mp4", {}, "which is private"),
        ("https://mapped.media.example/a.mp4", {}, "which is private"),
        ("https://translated.media.example/a.mp4", {}, "which is private"),
        ("https://local.media.example/a.mp4", {}, "which is private"),
        ("https://tunnel.media.example/a.mp4", {}, "which is private"),
        ("https://site.media.example/a.mp4", {}, "which is private"),
        ("http://127.0.0.1/a.mp4", {"named": ("*",)}, "which is private"),
        ("file:///etc/passwd", {}, "Expected an http or https address"),
        ("ftp://api.example.com/a", {}, "Expected an http or https address"),
        ("https:///a.mp4", {}, "Expected an http or https address"),
    ],
)
def test_any_other_is_refused(names, url, options, words):
    names |= {
        "inside.media.example": PRIVATE,
        "sixth.media.example": "fd00::1",
        "mapped.media.example": "::ffff:10.0.0.7",
        "translated.media.example": "64:ff9b::a00:7",
        "local.media.example": "64:ff9b:1::a00:7",
        "tunnel.media.example": "2002:a00:7::1",
        "site.media.example": "fec0::1",
        "127.0.0.1": "127.0.0.1",
    }
    with pytest.raises(RemoteFault, match=words) as caught:
        allowed(**options).check(httpx.URL(url))
    assert caught.value.kind == "refused_host"


def test_a_name_that_leads_elsewhere_by_the_time_it_is_asked_is_refused(names, monkeypatch):
    monkeypatch.setattr("videogen.engines.remote.hosts.is_proxied", lambda _: False)

    class Stream:
        def get_extra_info(self, _):
            return ("127.0.0.1", 80)

    request = httpx.Request("GET", "https://v3.media.example/a.mp4")
    response = httpx.Response(200, request=request, extensions={"network_stream": Stream()})
    hosts = allowed()
    hosts.check(request.url)
    with pytest.raises(RemoteFault, match=r"127\.0\.0\.1, which is private"):
        hosts.check_peer(response)


# With real servers: the provider's, and another one on the same machine under another name.


@pytest.fixture(scope="module")
def other(served_studio):
    """A second server with the same files; it is not the provider."""
    with serve(served_studio.app) as server:
        yield server


@pytest.fixture
def elsewhere(other):
    """The address of the second server, by another name."""
    other.requests.clear()
    return other.url.replace("127.0.0.1", "localhost")


def test_a_result_on_another_private_host_is_refused_with_what_to_do(studio, render, elsewhere, other):
    studio.files_at = f"{elsewhere}/files"
    end = render(studio.engine()).end
    assert "address that may not be asked" in str(end)
    assert "The host localhost is not one of this engine" in str(end)
    assert "name its host in `hosts`" in str(end)
    assert other.requests == []
    assert end.provider_id == "job-1", "the job is not lost: it is looked at again after that"


def test_a_result_on_a_host_that_is_named_is_fetched_without_the_key(studio, render, elsewhere, other):
    studio.files_at = f"{elsewhere}/files"
    assert isinstance(render(studio.engine(hosts=["localhost"])).end, Artifact)
    assert [request.path for request in other.requests] == ["/files/job-1.mp4"]
    assert "authorization" not in other.requests[0].headers


def test_a_redirect_to_another_host_is_refused_unless_it_is_named_and_never_gets_the_key(
    studio, render, elsewhere, other
):
    studio.files_at = f"{studio.served.url}/away?to={elsewhere}/files"
    end = render(studio.engine(download_seconds=1)).end
    assert "The host localhost is not one of this engine" in str(end)
    assert other.requests == []
    assert isinstance(render(studio.engine(hosts=["localhost"], download_seconds=1)).end, Artifact)
    assert all("authorization" not in request.headers for request in other.requests)
    asked = studio.served.asked("GET", "/away")
    assert all("authorization" in request.headers for request in asked), "the provider itself gets it"


def test_another_port_of_the_same_machine_does_not_get_the_key(studio, render, other):
    other.requests.clear()
    studio.files_at = f"{other.url}/files"
    assert isinstance(render(studio.engine()).end, Artifact)
    assert "authorization" not in other.requests[0].headers


def test_a_post_follows_no_redirect(studio, render):
    studio.instead.put("submit", Canned(307, headers={"location": "/jobs"}))
    assert "It is not known whether" in str(render(studio.engine()).end)
    assert studio.served.posts() == 1


def test_redirects_without_end_are_followed_for_a_while(studio, render):
    studio.instead.put("file", Canned(302, headers={"location": "/files/job-1.mp4"}))
    end = render(studio.engine(download_seconds=0.1)).end
    assert "redirected more than 5 times" in str(end)
