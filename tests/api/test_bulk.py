"""Calls for many generations: list matching ids, trash, restore, zip."""

import io
import json
import zipfile
from urllib.parse import unquote

import pytest

from tests.support.api import API

MANY = 1001


@pytest.fixture
def made(session):
    """Two finished generations and a failed one, newest first."""
    ids = [session.submit("bars", prompt=prompt)["id"] for prompt in ("Blue bars, slowly", "東京")]
    ids.append(session.submit("refuses", prompt="no way")["id"])
    for generation_id in ids:
        session.finish(generation_id)
    return ids[::-1]


def history(session, **params):
    return [item["id"] for item in session.get("/generations", params=params).json()["items"]]


def post(session, what, ids):
    return session.post(f"/generations/{what}", json={"ids": ids})


def archive_of(response):
    assert response.status_code == 200, response.text
    return zipfile.ZipFile(io.BytesIO(response.content))


def test_trashing_hides_generations_at_once_and_restoring_brings_them_back(session, http, made):
    failed, tokyo, bars = made
    before = session.read(bars)
    slug = session.post(f"/generations/{bars}/share", json={}).json()["slug"]
    answer = post(session, "trash", [bars, bars, "gen_none"]).json()
    assert answer["ids"] == [bars]
    assert answer["restorableUntil"] > before["updatedAt"]
    assert answer["leftOut"] == [{"id": "gen_none", "code": "not_found"}]
    assert post(session, "trash", [bars]).json()["restorableUntil"] == answer["restorableUntil"]

    assert history(session) == [failed, tokyo]
    unknown = session.get("/generations/gen_none")
    for method, path in (("get", ""), ("get", "/events"), ("patch", ""), ("delete", ""), ("post", "/retry")):
        options = {"json": {"title": "x"}} if method == "patch" else {}
        answer = getattr(session, method)(f"/generations/{bars}{path}", **options)
        assert (answer.status_code, answer.json()) == (404, unknown.json()), (method, path)
    assert http.get(before["videoUrl"]).status_code == 404
    assert http.get(before["posterUrl"]).status_code == 404
    page = http.get(f"/s/{slug}", headers={"Accept": "text/html"})
    assert (page.status_code, "deleted" in page.text) == (410, True)
    assert http.get(f"/s/{slug}/video.mp4").status_code == 410

    assert post(session, "restore", [bars, failed]).json() == {"ids": [bars, failed], "leftOut": []}
    assert post(session, "restore", [bars]).json() == {"ids": [bars], "leftOut": []}
    assert session.read(bars) == before
    assert history(session) == made
    assert http.get(before["videoUrl"]).status_code == 200
    assert http.get(f"/s/{slug}").status_code == 200


def test_running_generations_are_not_trashed_and_those_of_others_look_unknown(session, session_of, made):
    running = session.submit("until-cancelled")["id"]
    answer = post(session, "trash", [running]).json()
    assert answer == {"ids": [], "restorableUntil": None, "leftOut": [{"id": running, "code": "not_terminal"}]}
    other_session = session_of()
    for what in ("trash", "restore"):
        mine = post(other_session, what, [made[0], running]).json()
        none = post(other_session, what, ["gen_none", "gen_nine"]).json()
        for answer in (mine, none):
            assert [item["code"] for item in answer["leftOut"]] == ["not_found"] * 2
    assert history(session) == [running, *made]


def test_the_trash_lists_what_can_be_restored_without_links(session, session_of, made):
    _, tokyo, bars = made
    until = post(session, "trash", [tokyo, bars]).json()["restorableUntil"]
    page = session.get("/generations/trash", params={"limit": 1}).json()
    assert [item["id"] for item in page["items"]] == [tokyo]
    rest = session.get("/generations/trash", params={"cursor": page["nextCursor"]}).json()
    assert rest["nextCursor"] is None
    [item] = rest["items"]
    assert (item["id"], item["prompt"], item["restorableUntil"]) == (bars, "Blue bars, slowly", until)
    assert (item["videoUrl"], item["posterUrl"], item["previewUrl"]) == (None, None, None)
    assert session_of().get("/generations/trash").json() == {"items": [], "nextCursor": None}
    post(session, "restore", [tokyo, bars])
    assert session.get("/generations/trash").json()["items"] == []


@pytest.mark.parametrize("what", ["trash", "restore", "zip"])
@pytest.mark.parametrize(
    "ids", [[], ["gen_x"] * MANY, ["x" * 101], [""], [7], "gen_x", None], ids=lambda ids: str(ids)[:12]
)
def test_invalid_ids_are_rejected(session, what, ids):
    answer = post(session, what, ids)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["field"].startswith("ids")


@pytest.mark.parametrize("what", ["trash", "restore", "zip"])
def test_a_write_needs_a_session_and_the_same_origin(session, http, what):
    assert http.post(f"{API}/generations/{what}", json={"ids": ["gen_x"]}).status_code == 401
    cookie = {"Cookie": f"videogen_session={session.token}", "Sec-Fetch-Site": "cross-site"}
    answer = http.post(f"{API}/generations/{what}", json={"ids": ["gen_x"]}, headers=cookie)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


def test_matching_ids_are_listed_in_pages(session, made):
    def ids(**params):
        return session.get("/generations/ids", params=params).json()

    assert ids() == {"ids": made, "nextCursor": None}
    first = ids(limit=2)
    assert first["ids"] == made[:2]
    assert ids(limit=2, cursor=first["nextCursor"]) == {"ids": made[2:], "nextCursor": None}
    assert ids(q="BARS", status="completed")["ids"] == [made[2]]
    assert ids(q="nothing has this")["ids"] == []
    assert session.get("/generations/ids", params={"limit": MANY}).status_code == 422
    assert session.get("/generations/ids", params={"status": "done"}).status_code == 422


def test_a_zip_contains_only_the_given_generations_under_readable_names(session, http, session_of, made):
    failed, tokyo, bars = made
    created = post(session, "zip", [bars, failed, "gen_none"])
    assert created.status_code == 201
    assert (created.json()["count"], created.json()["sizeBytes"]) == (1, session.read(bars)["sizeBytes"])
    answer = http.get(created.json()["url"])
    assert answer.headers["content-disposition"] == 'attachment; filename="blue-bars-slowly.zip"'
    archive = archive_of(answer)
    assert archive.testzip() is None
    stem = "blue-bars-slowly"
    assert set(archive.namelist()) == {f"videos/{stem}.mp4", f"posters/{stem}.jpg", "manifest.json"}
    manifest = json.loads(archive.read("manifest.json"))
    assert [item["id"] for item in manifest["generations"]] == [bars, failed]
    assert manifest["leftOut"] == 1
    assert archive.read(f"videos/{stem}.mp4") == http.get(session.read(bars)["videoUrl"]).content

    other = session_of()
    brought = other.post("/import", content=answer.content, headers={"Content-Type": "application/zip"})
    assert brought.json()["imported"] == 2
    assert post(session, "zip", [tokyo]).json()["url"] != created.json()["url"]


def test_names_in_a_zip_are_in_any_script_and_each_is_there_once(session, session_of, http, made):
    _, tokyo, bars = made
    titles = ("सूर्यास्त", "أغنية السَّلامُ", "CON")
    for title in titles:
        session.patch(f"/generations/{bars}", json={"title": title})
        header = http.get(post(session, "zip", [bars, tokyo]).json()["url"]).headers["content-disposition"]
        assert unquote(header).rstrip('"').endswith(title.lower().replace(" ", "-") + "-and-1-more.zip"), header
    alone = http.get(post(session, "zip", [bars]).json()["url"])
    assert alone.headers["content-disposition"] == 'attachment; filename="con_.zip"'
    session.patch(f"/generations/{bars}", json={"title": "東京!"})
    answer = http.get(post(session, "zip", [bars, tokyo]).json()["url"])
    assert 'filename="and-1-more.zip"' in answer.headers["content-disposition"]
    assert {"videos/東京.mp4", "videos/東京-2.mp4", "posters/東京-2.jpg"} < set(archive_of(answer).namelist())
    brought = session_of().post("/import", content=answer.content, headers={"Content-Type": "application/zip"})
    assert brought.json()["imported"] == 2


def test_a_zip_without_a_finished_generation_is_rejected(session, session_of, http, made):
    failed, _, bars = made
    for requester, ids in ((session, [failed]), (session, ["gen_none"]), (session_of(), [bars])):
        answer = post(requester, "zip", ids)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "ids")
        assert "at least one finished generation" in answer.json()["detail"]
    assert http.get("/zips/nothing").status_code == 404


def test_a_trashed_generation_is_in_no_zip(session, http, made):
    _, tokyo, bars = made
    link = post(session, "zip", [bars, tokyo]).json()["url"]
    post(session, "trash", [bars])
    manifest = json.loads(archive_of(http.get(link)).read("manifest.json"))
    assert [item["id"] for item in manifest["generations"]] == [tokyo]
    assert post(session, "zip", [bars]).status_code == 422
    everything = json.loads(archive_of(session.get("/export")).read("manifest.json"))
    assert bars not in [item["id"] for item in everything["generations"]]


def test_importing_a_trashed_generation_restores_it(session, made):
    zipped = session.get("/export").content
    post(session, "trash", made)
    assert history(session) == []
    brought = session.post("/import", content=zipped, headers={"Content-Type": "application/zip"}).json()
    assert brought == {"imported": 3, "known": 0, "generationIds": made[::-1]}
    assert history(session) == made


@pytest.mark.parametrize("title", ["x" * 201, "a\x00b", 7])
def test_an_invalid_title_is_rejected_and_changes_nothing(session, title):
    made = session.submit("bars")["id"]
    answer = session.patch(f"/generations/{made}", json={"title": title})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "title")
    assert session.read(made)["title"] == ""
