"""Links as their owner makes them and as anybody meets them, over real HTTP."""

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
    """Somebody who has no more than a link."""
    with httpx.Client(base_url=app.base_url, trust_env=False, timeout=30, headers=BROWSER) as client:
        yield client


@pytest.fixture
def shared(session):
    """Shares a new finished generation: (generation, link)."""

    def make(wanted=None, **options):
        generation = session.finish(session.submit("bars", **options)["id"])
        return generation, link(session, generation["id"], wanted)

    return make


def link(session, generation_id, wanted=None):
    response = session.post(f"/generations/{generation_id}/share", json=wanted)
    assert response.status_code == 201, response.text
    return response.json()


def page_of(link):
    return f"/s/{link['slug']}"


# The owner's side.


def test_a_link_is_unguessable_and_holds_until_it_is_revoked(app, session, shared):
    generation, made = shared()
    assert made["generationId"] == generation["id"]
    assert made["url"] == f"{app.base_url}/s/{made['slug']}"
    assert made["expiresAt"] is None
    assert re.fullmatch(r"[\w-]{24}", made["slug"]), "24 characters of 6 bits each"
    _, other = shared()
    assert other["slug"] != made["slug"]


def test_asking_again_gives_the_same_link_with_the_expiry_that_is_asked_for(session, shared):
    generation, made = shared({"expiresInSeconds": 3600, "indexable": True})
    again = link(session, generation["id"])
    assert again == made
    longer = link(session, generation["id"], {"expiresInSeconds": 7200})
    assert longer["slug"] == made["slug"]
    assert longer["expiresAt"] > made["expiresAt"]
    assert longer["indexable"] is True
    assert link(session, generation["id"], {"expiresInSeconds": None})["expiresAt"] is None


@pytest.mark.parametrize("body", [{"expiresInSeconds": 0}, {"expiresInSeconds": "1"}, {"slug": "mine"}, []])
def test_what_is_no_wish_is_refused_with_its_field(finished, body):
    response = finished.session.post(f"/generations/{finished.generation['id']}/share", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_only_the_owner_makes_and_revokes(session_of, shared, http, visitor):
    generation, made = shared()
    other = session_of()
    for call in (other.post, other.delete):
        assert call(f"/generations/{generation['id']}/share").status_code == 404
    assert http.post(f"/api/v1/generations/{generation['id']}/share").status_code == 401
    assert other.get("/shares").json() == {"items": []}
    assert visitor.get(page_of(made)).status_code == 200


def test_the_list_tells_what_is_shared_newest_first(session, shared):
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


def test_links_outlive_restarts(running_app):
    app = running_app(engines=["bars"])
    with Session(app.base_url) as session, connect(app.base_url) as anybody:
        generation = session.finish(session.submit("bars")["id"])
        made = link(session, generation["id"])
        app.restart()
        assert anybody.get(f"{page_of(made)}/video.mp4").status_code == 200
        assert session.get("/shares").json()["items"][0]["slug"] == made["slug"]


# Links that lead nowhere.


def test_every_link_that_does_not_work_gets_the_same_friendly_page(app, session, shared, visitor):
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
    told = [{name: value for name, value in answer.headers.items() if name not in dates} for answer in answers]
    assert all(one == told[0] for one in told)
    assert "This link leads nowhere" in answers[0].text
    assert answers[0].headers["x-robots-tag"] == "noindex, nofollow"
    assert answers[0].headers["cache-control"] == "no-store"


def test_a_deleted_generation_says_what_happened(session, shared, visitor):
    generation, made = shared()
    session.delete(f"/generations/{generation['id']}").raise_for_status()
    answer = visitor.get(page_of(made))
    assert answer.status_code == 410
    assert "was deleted" in answer.text
    for part in ("/video.mp4", "/poster.jpg", "/events"):
        assert visitor.get(page_of(made) + part).status_code == 410
    assert session.get("/shares").json() == {"items": []}


def test_a_video_that_is_gone_from_the_data_folder_is_not_promised(app, shared, visitor):
    generation, made = shared()
    for path in (app.data_dir / "files" / generation["id"]).iterdir():
        path.unlink()
    page = visitor.get(page_of(made))
    assert page.status_code == 200
    assert "Its file is not there any more" in page.text
    for promise in ("video.mp4", "poster.jpg", "<video", "twitter:player"):
        assert promise not in page.text
    assert "Its file is not there any more" in visitor.get(page_of(made) + "/embed").text
    card = visitor.get("/oembed", params={"url": made["url"]}).json()
    assert "thumbnail_url" not in card
    assert visitor.get(page_of(made) + "/video.mp4").status_code == 404


# What a visitor gets.


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


def test_noindex_unless_asked_otherwise(shared, visitor):
    _, made = shared({"indexable": True})
    page = visitor.get(page_of(made))
    assert "x-robots-tag" not in page.headers
    assert "noindex" not in page.text


def test_the_video_is_streamed_with_ranges_and_checked_each_time(session, shared, visitor):
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


def test_the_poster_and_the_qr_code_are_pictures(shared, visitor):
    _, made = shared()
    poster = visitor.get(f"{page_of(made)}/poster.jpg")
    assert poster.headers["content-type"] == "image/jpeg"
    assert poster.content.startswith(b"\xff\xd8\xff")
    code = visitor.get(f"{page_of(made)}/qr.svg")
    assert code.headers["content-type"].startswith("image/svg+xml")
    assert code.text.startswith("<svg")


def test_nothing_of_the_session_is_told(session, shared, visitor):
    generation, made = shared()
    parts = ("", "/embed", "/events", "/recipe.json", "/qr.svg")
    told = "".join(visitor.get(page_of(made) + part).text for part in parts)
    told += visitor.get("/oembed", params={"url": made["url"]}).text
    for name in ("id", "projectId", "requestId", "fileId"):
        assert generation[name] not in told, name
    assert session.id not in told
    assert "/media/" not in told, "a signed link would outlive the revoke"


def test_views_are_those_of_people(session, shared, visitor):
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
    visit(Cookie=f"videogen_session={session.token}")  # the owner's own look
    # Counting comes after the answer.
    while views() < 2:
        pass
    assert views() == 2


# Live.


def test_visitors_hear_progress_and_the_end_and_nothing_else(session, visitor):
    generation = session.submit("slow", settings={"delay_ms": 60})["id"]
    made = link(session, generation)
    with visitor.stream("GET", f"{page_of(made)}/events") as response:
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        stream = Stream(response)
        frames = list(stream)
    assert stream.retry == 1000
    ids = [frame.id for frame in frames]
    assert ids == sorted(set(ids))
    assert [frame.terminal for frame in frames] == [*[False] * (len(frames) - 1), True]
    allowed = {"status", "progress", "attempt", "at", "label", "note", "said"}
    progress = {"stage", "step", "totalSteps", "message", "queuePosition", "expectedWaitSeconds", "etaSeconds"}
    progress |= {"estimated", "previewUrl"}
    result = {"type", "url", "posterUrl", "width", "height", "durationSeconds", "fps", "sizeBytes"}
    for frame in frames:
        assert set(frame.data) == allowed | (result if frame.terminal else progress)
    assert frames[-1].data["url"] == "video.mp4"
    # What was missed is told again, once; after the end there is nothing more.
    rest = visitor.get(f"{page_of(made)}/events", headers={"Last-Event-ID": str(ids[-2])})
    assert [frame.id for frame in parse(rest.content)] == ids[-1:]
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
        assert not [frame for frame in stream if frame.terminal], "the generation itself goes on"
    assert visitor.get(f"{page_of(made)}/events").status_code == 404


def test_open_streams_end_when_the_link_expires(session, visitor):
    generation = session.submit("until-cancelled")["id"]
    session.wait_rendering(generation)
    made = link(session, generation, {"expiresInSeconds": 1})
    with visitor.stream("GET", f"{page_of(made)}/events") as response:
        assert not [frame for frame in Stream(response) if frame.terminal], "the generation itself goes on"
    assert visitor.get(f"{page_of(made)}/events").status_code == 404


def test_a_preview_is_there_while_it_renders(session, visitor):
    generation = session.submit("until-cancelled")["id"]
    made = link(session, generation)
    session.wait_rendering(generation)
    with visitor.stream("GET", f"{page_of(made)}/events") as response:
        frame = Stream(response).until(lambda frame: frame.data["previewUrl"])
    preview = visitor.get(f"{page_of(made)}/{frame.data['previewUrl']}")
    assert (preview.status_code, preview.headers["content-type"]) == (200, "image/jpeg")
    assert visitor.get(f"{page_of(made)}/video.mp4").status_code == 404
    session.cancel(generation)


# What other sites are told.


class Tags(HTMLParser):
    """The tags of a page's head, as a crawler reads them."""

    def __init__(self, html):
        super().__init__()
        self.meta, self.links, self.scripts = {}, {}, 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag == "meta":
            self.meta[told.get("property") or told.get("name")] = told.get("content")
        elif tag == "link":
            self.links[told["rel"]] = told["href"]
        elif tag == "script":
            self.scripts += 1


def test_cards_and_embeds_lead_to_the_video_with_whole_addresses(session, shared, visitor):
    generation, made = shared(prompt=EVIL.replace("\r\n", " ").replace("\u202e", ""))
    tags = Tags(visitor.get(page_of(made)).text)
    assert tags.scripts == 0, "a finished page needs none"
    assert tags.meta["og:title"].startswith('"><script>')
    assert tags.meta["og:video"] == tags.meta["twitter:player:stream"] == f"{made['url']}/video.mp4"
    assert tags.meta["og:image"] == f"{made['url']}/poster.jpg"
    assert tags.meta["twitter:card"] == "player"
    assert tags.meta["twitter:player"] == f"{made['url']}/embed"
    told = visitor.get(tags.links["alternate"]).json()
    assert (told["version"], told["type"], told["width"]) == ("1.0", "video", generation["width"])
    assert told["thumbnail_url"] == f"{made['url']}/poster.jpg"
    frame = Frames(told["html"])
    assert frame.found == [("iframe", f"{made['url']}/embed")]
    embed = visitor.get(f"{page_of(made)}/embed")
    assert "frame-ancestors *" in embed.headers["content-security-policy"]


class Frames(HTMLParser):
    """Every tag in a piece of markup, with its source."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs).get("src")))


def test_oembed_keeps_the_shape_within_bounds(shared, visitor):
    _, made = shared(settings={"width": 128, "height": 64})
    told = visitor.get("/oembed", params={"url": made["url"], "maxwidth": 64, "maxheight": 1000}).json()
    assert (told["width"], told["height"]) == (64, 32)


@pytest.mark.parametrize(
    "url", ["", "x", "javascript:alert(1)", "http://elsewhere.example/s/x", "http://[", "a" * 10_000]
)
def test_oembed_knows_only_links_of_this_app(visitor, url):
    assert visitor.get("/oembed", params={"url": url}).status_code == 404


def test_oembed_of_a_guessed_link_and_of_another_format(app, shared, visitor):
    _, made = shared()
    assert visitor.get("/oembed", params={"url": f"{app.base_url}/s/{'x' * 24}"}).status_code == 404
    assert visitor.get("/oembed", params={"url": made["url"], "format": "xml"}).status_code == 501
    assert visitor.get("/oembed").status_code == 422


def test_a_title_cannot_write_headers(session, shared, visitor):
    generation, made = shared()
    session.patch(f"/generations/{generation['id']}", json={"title": 'été "x"; filename=evil.exe\r\nX-Evil: 1 海'})
    saved = visitor.get(f"{page_of(made)}/video.mp4?download")
    assert "x-evil" not in saved.headers
    told = saved.headers["content-disposition"]
    plain, extended = re.fullmatch(r"attachment; filename=\"([\w.-]+)\"; filename\*=UTF-8''(\S+)", told).groups()
    assert plain == "ete-x-filename-evil-exe-x-evil-1.mp4"
    assert unquote(extended) == "été-x-filename-evil-exe-x-evil-1-海.mp4"


def test_the_recipe_is_what_the_form_needs(shared, visitor):
    generation, made = shared(settings={"seed": 2**40})
    told = visitor.get(f"{page_of(made)}/recipe.json").json()
    assert told["prompt"] == generation["prompt"]
    assert told["seed"] == str(2**40)
    assert told["settings"] == generation["settings"]
    assert json.dumps(told).count("gen_") == 0
