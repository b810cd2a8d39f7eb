"""Public links: how their owner manages them and what visitors get, over HTTP."""

import json
import re
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from urllib.parse import unquote

import httpx
import pytest

from tests.support.api import Session, connect
from tests.support.sse import Stream, parse

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
EVIL = '"><script>alert(1)</script>\r\nSet-Cookie: a=b\u202egpj.'


@pytest.fixture
def visitor(app):
    """An HTTP client without a session."""
    with httpx.Client(base_url=app.base_url, trust_env=False, timeout=30, headers=BROWSER) as client:
        yield client


@pytest.fixture
def shared(session):
    """Makes and shares a finished generation; returns the generation and its link."""

    def make(body=None, **options):
        generation = session.finish(session.submit("bars", **options)["id"])
        return generation, link(session, generation["id"], body)

    return make


def link(session, generation_id, body=None):
    response = session.post(f"/generations/{generation_id}/share", json=body)
    assert response.status_code == 201, response.text
    return response.json()


def page_of(link):
    return f"/s/{link['slug']}"


# For the owner.


def test_a_link_is_unguessable_and_by_default_never_expires(app, session, shared):
    generation, made = shared()
    assert made["generationId"] == generation["id"]
    assert made["url"] == f"{app.base_url}/s/{made['slug']}"
    assert made["expiresAt"] is None
    assert re.fullmatch(r"[\w-]{24}", made["slug"]), "24 characters of 6 bits each"
    _, other = shared()
    assert other["slug"] != made["slug"]


def test_sharing_again_keeps_the_link_and_changes_only_the_given_fields(session, shared):
    generation, made = shared({"expiresInSeconds": 3600, "indexable": True})
    again = link(session, generation["id"])
    assert again == made
    longer = link(session, generation["id"], {"expiresInSeconds": 7200})
    assert longer["slug"] == made["slug"]
    assert longer["expiresAt"] > made["expiresAt"]
    assert longer["indexable"] is True
    assert link(session, generation["id"], {"expiresInSeconds": None})["expiresAt"] is None


@pytest.mark.parametrize("body", [{"expiresInSeconds": 0}, {"expiresInSeconds": "1"}, {"slug": "mine"}, []])
def test_an_invalid_share_request_is_rejected(finished, body):
    response = finished.session.post(f"/generations/{finished.generation['id']}/share", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_only_the_owner_can_share_and_revoke(session_of, shared, http, visitor):
    generation, made = shared()
    other = session_of()
    for call in (other.post, other.delete):
        assert call(f"/generations/{generation['id']}/share").status_code == 404
    assert http.post(f"/api/v1/generations/{generation['id']}/share").status_code == 401
    assert other.get("/shares").json() == {"items": []}
    assert visitor.get(page_of(made)).status_code == 200


def test_valid_links_are_listed_newest_first(session, shared):
    first, second = shared(prompt="first"), shared(prompt="second")
    items = session.get("/shares").json()["items"]
    assert [item["title"] for item in items] == ["second", "first"]
    assert items[0] == second[1] | {"status": "completed"}
    session.delete(f"/generations/{first[0]['id']}/share")
    assert [item["title"] for item in session.get("/shares").json()["items"]] == ["second"]


def test_a_revoked_link_never_comes_back(session, shared, visitor):
    generation, made = shared()
    for _ in range(2):
        assert session.delete(f"/generations/{generation['id']}/share").status_code == 204
    for part in ("", "/video.mp4", "/poster.jpg", "/events", "/embed", "/recipe.json", "/qr.svg"):
        assert visitor.get(page_of(made) + part).status_code == 404, part
    again = link(session, generation["id"])
    assert again["slug"] != made["slug"]
    assert visitor.get(page_of(made)).status_code == 404
    assert visitor.get(page_of(again)).status_code == 200


def test_links_work_after_a_restart(running_app):
    app = running_app(engines=["bars"])
    with Session(app.base_url) as session, connect(app.base_url) as visitor:
        generation = session.finish(session.submit("bars")["id"])
        made = link(session, generation["id"])
        app.restart()
        assert visitor.get(f"{page_of(made)}/video.mp4").status_code == 200
        assert session.get("/shares").json()["items"][0]["slug"] == made["slug"]


# Links that do not work.


@pytest.mark.on_disk
def test_every_invalid_link_gets_the_same_page(app, session, shared, visitor):
    generation, revoked = shared()
    session.delete(f"/generations/{generation['id']}/share")
    _, expired = shared({"expiresInSeconds": 3600})
    with closing(sqlite3.connect(app.data_dir / "videogen.sqlite", timeout=20)) as database, database:
        ended = database.execute("UPDATE shares SET expires_at = 1 WHERE slug = ?", (expired["slug"],))
        assert ended.rowcount == 1
    slugs = [
        revoked["slug"],
        expired["slug"],
        "x" * 24,
        "a",
        "",
        "%00",
        "x" * 10_000,
        "..%2f..%2fetc",
        "é",
        "a/b/c",
        "%ff",
    ]
    answers = [visitor.get(f"/s/{slug}") for slug in slugs]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {answers[0].content}
    dates = ("date",)
    headers = [{name: value for name, value in answer.headers.items() if name not in dates} for answer in answers]
    assert all(other == headers[0] for other in headers)
    assert "This link is not valid" in answers[0].text
    assert answers[0].headers["x-robots-tag"] == "noindex, nofollow"
    assert answers[0].headers["cache-control"] == "no-store"


def test_the_link_of_a_deleted_generation_is_410_with_an_explanation(session, shared, visitor):
    generation, made = shared()
    session.delete(f"/generations/{generation['id']}").raise_for_status()
    answer = visitor.get(page_of(made))
    assert answer.status_code == 410
    assert "was deleted" in answer.text
    for part in ("/video.mp4", "/poster.jpg", "/events"):
        assert visitor.get(page_of(made) + part).status_code == 410
    assert session.get("/shares").json() == {"items": []}


@pytest.mark.on_disk
def test_a_page_without_its_file_has_no_player_and_no_card(app, shared, visitor):
    generation, made = shared()
    for path in (app.data_dir / "files" / generation["id"]).iterdir():
        path.unlink()
    page = visitor.get(page_of(made))
    assert page.status_code == 200
    assert "Its file is not there any more" in page.text
    for text in ("video.mp4", "poster.jpg", "<video", "twitter:player"):
        assert text not in page.text
    assert "Its file is not there any more" in visitor.get(page_of(made) + "/embed").text
    card = visitor.get("/oembed", params={"url": made["url"]}).json()
    assert "thumbnail_url" not in card
    assert visitor.get(page_of(made) + "/video.mp4").status_code == 404


# For visitors.


def test_the_page_is_small_strict_and_sets_no_cookie(shared, visitor):
    _, made = shared(prompt="palm " * 300)
    page = visitor.get(page_of(made))
    assert page.status_code == 200
    assert len(page.content) <= 30_000
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'self'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert "set-cookie" not in page.headers
    assert "gradio" not in page.text.lower()


def test_a_page_is_indexable_only_on_request(shared, visitor):
    _, made = shared({"indexable": True})
    page = visitor.get(page_of(made))
    assert "x-robots-tag" not in page.headers
    assert "noindex" not in page.text


def test_the_video_supports_ranges_and_is_revalidated_each_time(session, shared, visitor):
    generation, made = shared()
    whole = visitor.get(f"{page_of(made)}/video.mp4")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    assert len(whole.content) == generation["sizeBytes"]
    assert whole.headers["cache-control"] == "private, no-cache"
    part = visitor.get(f"{page_of(made)}/video.mp4", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    same = visitor.get(f"{page_of(made)}/video.mp4", headers={"If-None-Match": whole.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    head = visitor.head(f"{page_of(made)}/video.mp4")
    assert (head.status_code, int(head.headers["content-length"])) == (200, len(whole.content))
    session.delete(f"/generations/{generation['id']}/share")
    known = {"If-None-Match": whole.headers["etag"]}
    assert visitor.get(f"{page_of(made)}/video.mp4", headers=known).status_code == 404


def test_the_poster_is_a_jpeg_and_the_qr_code_an_svg(shared, visitor):
    _, made = shared()
    poster = visitor.get(f"{page_of(made)}/poster.jpg")
    assert poster.headers["content-type"] == "image/jpeg"
    assert poster.content.startswith(b"\xff\xd8\xff")
    # Whoever has just been told of a preview gets a picture, though the video is finished.
    assert visitor.get(f"{page_of(made)}/preview.jpg?v=3").content == poster.content
    code = visitor.get(f"{page_of(made)}/qr.svg")
    assert code.headers["content-type"].startswith("image/svg+xml")
    assert code.text.startswith("<svg")


def test_a_link_reveals_nothing_about_the_session(session, shared, visitor):
    generation, made = shared()
    parts = ("", "/embed", "/events", "/recipe.json", "/qr.svg")
    public = "".join(visitor.get(page_of(made) + part).text for part in parts)
    public += visitor.get("/oembed", params={"url": made["url"]}).text
    for name in ("id", "projectId", "requestId", "fileId"):
        assert generation[name] not in public, name
    assert session.id not in public
    assert "/media/" not in public, "a signed link would work after the revoke"


def test_only_views_by_people_other_than_the_owner_are_counted(session, shared, visitor):
    _, made = shared()

    def views():
        return session.get("/shares").json()["items"][0]["views"]

    def visit(path="", **headers):
        assert visitor.get(page_of(made) + path, headers=headers).status_code == 200

    visit()
    visit()
    visit("?again")  # the page's own refresh
    visit("/video.mp4")
    visit("/events")
    visit(**{"Sec-Purpose": "prefetch;prerender"})
    for agent in ("Twitterbot/1.0", "facebookexternalhit/1.1", "Slackbot-LinkExpanding 1.0", "WhatsApp/2.2", ""):
        visit(**{"User-Agent": agent})
    visitor.head(page_of(made))
    visit(Cookie=f"videogen_session={session.token}")  # a visit of the owner
    # Views are counted after the response.
    while views() < 2:
        pass
    assert views() == 2


# Events.


def test_visitors_receive_only_public_fields_of_progress_and_result(session, visitor):
    generation = session.submit("slow", settings={"delay_ms": 60})["id"]
    made = link(session, generation)
    with visitor.stream("GET", f"{page_of(made)}/events") as response:
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        stream = Stream(response)
        events = list(stream)
    assert stream.retry == 1000
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))
    assert [event.terminal for event in events] == [*[False] * (len(events) - 1), True]
    allowed = {"status", "progress", "attempt", "at", "label", "note", "said"}
    progress = {"stage", "step", "totalSteps", "message", "queuePosition", "expectedWaitSeconds", "etaSeconds"}
    progress |= {"estimated", "previewUrl"}
    result = {"type", "url", "posterUrl", "width", "height", "durationSeconds", "fps", "hasAudio", "sizeBytes"}
    for event in events:
        assert set(event.data) == allowed | (result if event.terminal else progress)
    assert events[-1].data["url"] == "video.mp4"
    # A reconnect gets the missed events once; after the terminal event there is nothing more.
    rest = visitor.get(f"{page_of(made)}/events", headers={"Last-Event-ID": str(ids[-2])})
    assert [event.id for event in parse(rest.content)] == ids[-1:]
    over = visitor.get(f"{page_of(made)}/events", headers={"Last-Event-ID": str(ids[-1])})
    assert (over.status_code, over.content) == (204, b"")


def test_a_revoke_ends_open_streams_at_once(session, visitor):
    generation = session.submit("until-cancelled")["id"]
    made = link(session, generation)
    session.wait_rendering(generation)
    with visitor.stream("GET", f"{page_of(made)}/events") as response:
        stream = Stream(response)
        next(stream)
        session.delete(f"/generations/{generation}/share")
        assert not [event for event in stream if event.terminal], "the generation itself continues"
    assert visitor.get(f"{page_of(made)}/events").status_code == 404


def test_open_streams_end_when_the_link_expires(session, visitor):
    generation = session.submit("until-cancelled")["id"]
    session.wait_rendering(generation)
    made = link(session, generation, {"expiresInSeconds": 1})
    with visitor.stream("GET", f"{page_of(made)}/events") as response:
        assert not [event for event in Stream(response) if event.terminal], "the generation itself continues"
    assert visitor.get(f"{page_of(made)}/events").status_code == 404


def test_the_preview_is_served_during_the_render(session, visitor):
    generation = session.submit("until-cancelled")["id"]
    made = link(session, generation)
    session.wait_rendering(generation)
    with visitor.stream("GET", f"{page_of(made)}/events") as response:
        event = Stream(response).until(lambda event: event.data["previewUrl"])
    preview = visitor.get(f"{page_of(made)}/{event.data['previewUrl']}")
    assert (preview.status_code, preview.headers["content-type"]) == (200, "image/jpeg")
    assert visitor.get(f"{page_of(made)}/video.mp4").status_code == 404
    session.cancel(generation)


# For other sites.


class Tags(HTMLParser):
    """The tags of a page's head, as a crawler reads them."""

    def __init__(self, html):
        super().__init__()
        self.meta, self.links, self.scripts = {}, {}, 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "meta":
            self.meta[attributes.get("property") or attributes.get("name")] = attributes.get("content")
        elif tag == "link":
            self.links[attributes["rel"]] = attributes["href"]
        elif tag == "script":
            self.scripts += 1


def test_cards_and_embeds_have_absolute_links_to_the_video(session, shared, visitor):
    generation, made = shared(prompt=EVIL.replace("\r\n", " ").replace("\u202e", ""))
    tags = Tags(visitor.get(page_of(made)).text)
    assert tags.scripts == 0, "a finished page has no script"
    assert tags.meta["og:title"].startswith('"><script>')
    assert tags.meta["og:video"] == tags.meta["twitter:player:stream"] == f"{made['url']}/video.mp4"
    assert tags.meta["og:image"] == f"{made['url']}/poster.jpg"
    assert tags.meta["twitter:card"] == "player"
    assert tags.meta["twitter:player"] == f"{made['url']}/embed"
    card = visitor.get(tags.links["alternate"]).json()
    assert (card["version"], card["type"], card["width"]) == ("1.0", "video", generation["width"])
    assert card["thumbnail_url"] == f"{made['url']}/poster.jpg"
    assert Elements(card["html"]).sources == [("iframe", f"{made['url']}/embed")]
    embed = visitor.get(f"{page_of(made)}/embed")
    assert "frame-ancestors *" in embed.headers["content-security-policy"]


class Elements(HTMLParser):
    """Every tag in a piece of markup, with its source."""

    def __init__(self, html):
        super().__init__()
        self.sources = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.sources.append((tag, dict(attrs).get("src")))


def test_oembed_keeps_the_aspect_ratio_within_the_limits(shared, visitor):
    _, made = shared(settings={"width": 128, "height": 64})
    card = visitor.get("/oembed", params={"url": made["url"], "maxwidth": 64, "maxheight": 1000}).json()
    assert (card["width"], card["height"]) == (64, 32)


@pytest.mark.parametrize(
    "url", ["", "x", "javascript:alert(1)", "http://elsewhere.example/s/x", "http://[", "a" * 10_000]
)
def test_oembed_rejects_links_of_other_apps(visitor, url):
    assert visitor.get("/oembed", params={"url": url}).status_code == 404


def test_oembed_rejects_an_unknown_link_and_another_format(app, shared, visitor):
    _, made = shared()
    assert visitor.get("/oembed", params={"url": f"{app.base_url}/s/{'x' * 24}"}).status_code == 404
    assert visitor.get("/oembed", params={"url": made["url"], "format": "xml"}).status_code == 501
    assert visitor.get("/oembed").status_code == 422


def test_a_title_cannot_inject_headers(session, shared, visitor):
    generation, made = shared()
    session.patch(f"/generations/{generation['id']}", json={"title": 'été "x"; filename=evil.exe\r\nX-Evil: 1 海'})
    saved = visitor.get(f"{page_of(made)}/video.mp4?download")
    assert "x-evil" not in saved.headers
    header = saved.headers["content-disposition"]
    plain, extended = re.fullmatch(r"attachment; filename=\"([\w.-]+)\"; filename\*=UTF-8''(\S+)", header).groups()
    assert plain == "ete-x-filename-evil-exe-x-evil-1.mp4"
    assert unquote(extended) == "été-x-filename-evil-exe-x-evil-1-海.mp4"


def test_the_recipe_has_the_values_of_the_form(shared, visitor):
    generation, made = shared(settings={"seed": 2**40})
    recipe = visitor.get(f"{page_of(made)}/recipe.json").json()
    assert recipe["prompt"] == generation["prompt"]
    assert recipe["seed"] == str(2**40)
    assert recipe["settings"] == generation["settings"]
    assert json.dumps(recipe).count("gen_") == 0
