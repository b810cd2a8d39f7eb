"""Moderation over HTTP, with the example of the docs as its hook: requests, results, flags, and reports of visitors."""

import re
import sqlite3
from contextlib import closing

import pytest

from tests.support.api import API, Session, connect
from tests.support.app import ROOT

RULES = """

example = moderate


def moderate(item):
    if item.prompt == "broken":
        raise RuntimeError("the hook is broken")
    if item.stage == "result" and "secretly" in item.prompt:
        return refuse("Not this result.")
    return example(item)
"""


@pytest.fixture(scope="module")
def app(module_app, tmp_path_factory):
    example = re.search(r"^```python\n(.*?)^```$", (ROOT / "docs" / "moderation.md").read_text(), re.M | re.S)[1]
    hook = tmp_path_factory.mktemp("rules") / "rules.py"
    hook.write_text(example + RULES)
    return module_app(engines=["bars", "until-cancelled"], moderation=f"{hook}:moderate")


@pytest.fixture
def session(app):
    with Session(app.base_url) as session:
        yield session


def rows(app, query):
    with closing(sqlite3.connect(app.data_dir / "videogen.sqlite")) as database:
        return database.execute(query).fetchall()


def test_a_refused_request_is_answered_with_the_words_and_nothing_is_queued(session):
    refused = session.try_submit(prompt="something Forbidden")
    assert refused.status_code == 422
    assert (refused.json()["code"], refused.json()["detail"]) == (
        "moderation_refused",
        "This app makes no videos of that.",
    )
    assert session.get("/generations").json()["items"] == []


def test_a_queued_request_cannot_be_changed_into_a_refused_one(session):
    session.post("/queue/pause")
    waits = session.submit(prompt="a kite")
    refused = session.patch(f"/generations/{waits['id']}", json={"prompt": "forbidden"})
    assert (refused.status_code, refused.json()["code"]) == (422, "moderation_refused")
    assert session.read(waits["id"])["prompt"] == "a kite"
    changed = session.patch(f"/generations/{waits['id']}", json={"prompt": "a red kite"})
    assert changed.json()["prompt"] == "a red kite"


def test_a_hook_that_fails_refuses_with_one_message(session):
    refused = session.try_submit(prompt="broken")
    assert (refused.status_code, refused.json()["code"]) == (503, "moderation_unavailable")


def test_a_refused_result_fails_and_leaves_no_file(app, session):
    made = session.submit(prompt="a kite, secretly")
    session.follow(made["id"])
    ended = session.read(made["id"])
    assert ended["status"] == "failed"
    assert (ended["error"]["code"], ended["error"]["message"]) == ("moderation_refused", "Not this result.")
    assert {ended[name] for name in ("videoUrl", "posterUrl", "previewUrl", "fileId")} == {None}
    left = [path for path in (app.data_dir / "files").rglob("*") if path.suffix in (".mp4", ".jpg", ".webp")]
    assert [path for path in left if made["id"] in str(path)] == []


def test_a_flagged_request_goes_on_and_waits_for_the_operator(app, session):
    made = session.finish(session.submit(prompt="a celebrity")["id"])
    assert "flagged" not in made
    flagged = rows(app, "SELECT id, flagged FROM generations WHERE flagged IS NOT NULL")
    assert (made["id"], "Somebody's name.") in flagged


def test_a_visitor_reports_a_link_by_a_form_or_the_api_ten_times_an_hour(app, session):
    made = session.finish(session.submit(prompt="a kite")["id"])
    slug = session.post(f"/generations/{made['id']}/share").json()["slug"]
    with connect(app.base_url) as visitor:
        page = visitor.get(f"/s/{slug}")
        assert f'action="/s/{slug}/report"' in page.text
        assert "form-action 'self'" in page.headers["content-security-policy"]
        sent = visitor.post(f"/s/{slug}/report", data={"reason": " It shows\n<b>me</b>. "})
        assert (sent.status_code, sent.headers["location"]) == (303, f"/s/{slug}?reported")
        assert "will see your report" in visitor.get(sent.headers["location"]).text
        body = {"slug": slug, "reason": "Again."}
        assert visitor.post(f"{API}/reports", json=body).status_code == 202
        stored = rows(app, f"SELECT words FROM reports WHERE generation_id = '{made['id']}' ORDER BY created_at")
        assert stored == [("It shows <b>me</b>.",), ("Again.",)]
        for wrong in ({"reason": ""}, {"reason": "x" * 1001}):
            assert visitor.post(f"/s/{slug}/report", data=wrong).status_code == 422
        assert visitor.post("/s/no-such-link/report", data={"reason": "It is bad."}).status_code == 404
        assert visitor.post(f"{API}/reports", json=body | {"slug": "no-such-link"}).json()["code"] == "not_found"
        answers = [visitor.post(f"{API}/reports", json=body).status_code for _ in range(9)]
        assert (answers[0], answers[-1]) == (202, 429)
