"""Many generations at once: the ids of all that match, the trash, and one zip of the chosen."""

import io
import json
import zipfile

import pytest

from tests.support.api import API

MANY = 1001


@pytest.fixture
def made(session):
    """Two finished generations and a failed one, newest first."""
    ids = [session.submit("bars", prompt=prompt)["id"] for prompt in ("Blue bars, slowly", "東京")]
    ids.append(session.submit("refuses", prompt="no way")["id"])
    for one in ids:
        session.finish(one)
    return ids[::-1]


def history(session, **params):
    return [item["id"] for item in session.get("/generations", params=params).json()["items"]]


def post(session, what, ids):
    return session.post(f"/generations/{what}", json={"ids": ids})


def archive_of(response):
    assert response.status_code == 200, response.text
    return zipfile.ZipFile(io.BytesIO(response.content))


def test_the_trash_hides_everything_at_once_and_gives_everything_back(session, http, made):
    failed, tokyo, bars = made
    before = session.read(bars)
    slug = session.post(f"/generations/{bars}/share", json={}).json()["slug"]
    told = post(session, "trash", [bars, bars, "gen_none"]).json()
    assert told["ids"] == [bars]
    assert told["restorableUntil"] > before["updatedAt"]
    assert told["leftOut"] == [{"id": "gen_none", "code": "not_found"}]
    assert post(session, "trash", [bars]).json()["restorableUntil"] == told["restorableUntil"]

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


def test_what_runs_is_not_trashed_and_what_is_not_mine_looks_unknown(session, session_of, made):
    running = session.submit("until-cancelled")["id"]
    told = post(session, "trash", [running]).json()
    assert told == {"ids": [], "restorableUntil": None, "leftOut": [{"id": running, "code": "not_terminal"}]}
    stranger = session_of()
    for what in ("trash", "restore"):
        mine = post(stranger, what, [made[0], running]).json()
        none = post(stranger, what, ["gen_none", "gen_nine"]).json()
        assert [one["code"] for one in mine["leftOut"]] == [one["code"] for one in none["leftOut"]] == ["not_found"] * 2
    assert history(session) == [running, *made]


@pytest.mark.parametrize("what", ["trash", "restore", "zip"])
@pytest.mark.parametrize(
    "ids", [[], ["gen_x"] * MANY, ["x" * 101], [""], [7], "gen_x", None], ids=lambda ids: str(ids)[:12]
)
def test_bad_ids_are_refused_with_what_is_wrong(session, what, ids):
    answer = post(session, what, ids)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["field"].startswith("ids")


@pytest.mark.parametrize("what", ["trash", "restore", "zip"])
def test_a_write_needs_a_session_and_its_own_site(session, http, what):
    assert http.post(f"{API}/generations/{what}", json={"ids": ["gen_x"]}).status_code == 401
    cookie = {"Cookie": f"videogen_session={session.token}", "Sec-Fetch-Site": "cross-site"}
    answer = http.post(f"{API}/generations/{what}", json={"ids": ["gen_x"]}, headers=cookie)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


def test_the_ids_of_all_that_match_come_in_pages(session, made):
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


def test_a_zip_holds_the_chosen_alone_under_names_that_say_what_they_show(session, http, session_of, made):
    failed, tokyo, bars = made
    told = post(session, "zip", [bars, failed, "gen_none"])
    assert told.status_code == 201
    assert (told.json()["count"], told.json()["sizeBytes"]) == (1, session.read(bars)["sizeBytes"])
    answer = http.get(told.json()["url"])
    assert answer.headers["content-disposition"].startswith('attachment; filename="videogen-')
    archive = archive_of(answer)
    assert archive.testzip() is None
    stem = f"blue-bars-slowly-{bars[-8:]}"
    assert set(archive.namelist()) == {f"videos/{stem}.mp4", f"posters/{stem}.jpg", "manifest.json"}
    manifest = json.loads(archive.read("manifest.json"))
    assert [one["id"] for one in manifest["generations"]] == [bars, failed]
    assert manifest["leftOut"] == 1
    assert archive.read(f"videos/{stem}.mp4") == http.get(session.read(bars)["videoUrl"]).content

    other = session_of()
    brought = other.post("/import", content=answer.content, headers={"Content-Type": "application/zip"})
    assert brought.json()["imported"] == 2
    assert post(session, "zip", [tokyo]).json()["url"] != told.json()["url"]
    names = archive_of(http.get(post(session, "zip", [tokyo]).json()["url"])).namelist()
    assert f"videos/video-{tokyo[-8:]}.mp4" in names


def test_a_zip_of_nothing_is_refused(session, session_of, http, made):
    failed, _, bars = made
    for somebody, ids in ((session, [failed]), (session, ["gen_none"]), (session_of(), [bars])):
        answer = post(somebody, "zip", ids)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "ids")
        assert "at least one finished generation" in answer.json()["detail"]
    assert http.get("/zips/nothing").status_code == 404


def test_what_is_in_the_trash_goes_into_no_zip(session, http, made):
    _, tokyo, bars = made
    link = post(session, "zip", [bars, tokyo]).json()["url"]
    post(session, "trash", [bars])
    manifest = json.loads(archive_of(http.get(link)).read("manifest.json"))
    assert [one["id"] for one in manifest["generations"]] == [tokyo]
    assert post(session, "zip", [bars]).status_code == 422
    everything = json.loads(archive_of(session.get("/export")).read("manifest.json"))
    assert bars not in [one["id"] for one in everything["generations"]]


def test_an_import_of_what_is_in_the_trash_brings_it_back(session, made):
    zipped = session.get("/export").content
    post(session, "trash", made)
    assert history(session) == []
    brought = session.post("/import", content=zipped, headers={"Content-Type": "application/zip"}).json()
    assert brought == {"imported": 3, "known": 0, "generationIds": made[::-1]}
    assert history(session) == made


@pytest.mark.parametrize("title", ["x" * 201, "a\x00b", 7])
def test_a_title_that_cannot_be_is_refused_and_changes_nothing(session, title):
    made = session.submit("bars")["id"]
    answer = session.patch(f"/generations/{made}", json={"title": title})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "title")
    assert session.read(made)["title"] == ""
