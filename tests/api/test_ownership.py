"""Every call with an id in its path, as OpenAPI lists them: what is another session's is as if it did not exist."""

import re

import pytest

from tests.support.api import Session
from tests.support.pictures import encoded

BODIES = {
    "POST /api/v1/generations/{generation_id}/move": {"before": None},
    "POST /api/v1/generations/{generation_id}/resolve": {"action": "look"},
    "POST /api/v1/generations/{generation_id}/exports": {"format": "gif"},
}
"""Of the calls that want more than `{}`."""
NOBODYS = ("/api/v1/engines/", "/api/v1/admin/", "/media/", "/zips/")
"""Begin the paths whose ids belong to no session, or whose links are signed."""


@pytest.fixture(scope="module")
def owned(app):
    """An id of each kind that a session owns, with the session."""
    with Session(app.base_url) as owner:
        made = owner.finish(owner.submit("bars")["id"])
        export = owner.post(f"/generations/{made['id']}/exports", json={"format": "gif"}).json()
        webhook = owner.post("/webhooks", json={"url": "https://93.184.215.14/hook"}).json()
        ids = {"generation_id": made["id"], "project_id": made["projectId"], "export_id": export["id"]}
        ids |= {"file_id": owner.upload(encoded())["id"], "webhook_id": webhook["id"], "number": 1}
        yield owner, ids | {"device_id": owner.get("/devices").json()["items"][0]["id"]}


def calls(openapi):
    for path, item in openapi["paths"].items():
        if "{" in path and not path.startswith(NOBODYS):
            yield from ((method.upper(), path) for method in item)


def test_what_another_session_owns_and_what_does_not_exist_are_the_same_404(owned, session):
    owner, ids = owned
    openapi = owner.http.get("/openapi.json").json()
    known = {name for _, path in calls(openapi) for name in re.findall(r"{(\w+)}", path)}
    assert known == set(ids), "a new kind of id: add it to `owned`"
    nothing = {name: value if name == "number" else "none-such" for name, value in ids.items()}
    for method, path in calls(openapi):
        body = None if method in ("GET", "DELETE") else BODIES.get(f"{method} {path}", {})
        answers = [session.http.request(method, path.format(**each), json=body) for each in (ids, nothing)]
        assert [answer.status_code for answer in answers] == [404, 404], (method, path, answers[0].text)
        assert answers[0].json()["detail"] == answers[1].json()["detail"], (method, path)
    assert owner.read(ids["generation_id"])["status"] == "completed"
