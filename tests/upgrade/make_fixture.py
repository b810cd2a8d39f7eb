"""Makes the data folder and the browser storage that the upgrade test opens. Runs only with the code of 0.1.0:

    git worktree add ../videogen-0.1.0 f629d9f && cd ../videogen-0.1.0 && make dev-env
    .venv/bin/python ../videogen/tests/upgrade/make_fixture.py ../videogen/tests/upgrade/data-0.1.0

A server of 0.1.0 renders three generations of one browser with the procedural engine. The first completes and is
shared. The server is killed while it renders the second one, after two checkpoints. The third one is still queued.
The session has a transfer code that nobody has used. Needs Chromium.

`data.tar.gz` is the data folder as the kill left it. `fixture.json` holds the ids, the secrets and the localStorage.
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

import httpx
from playwright.sync_api import sync_playwright

from tests.support.api import API
from tests.support.app import App
from tests.support.browser import Person, launch
from tests.support.sse import Stream

SETTINGS = {"width": 128, "height": 72, "fps": 24, "seed": 7}
STEP_AT_KILL = 52
"""More than two seconds of video: there is a checkpoint after each second."""
DRAFT = "a draft that was typed in 0.1.0"


def submit(client, prompt, seconds):
    body = {"prompt": prompt, "engine": "procedural", "settings": SETTINGS | {"durationSeconds": seconds}}
    return client.post(f"{API}/generations", json=body).raise_for_status().json()["generations"][0]["id"]


def wait_for_event(client, generation_id, condition):
    with client.stream("GET", f"{API}/generations/{generation_id}/events") as response:
        Stream(response).until(condition)


def finish_and_share(client):
    finished = submit(client, "ocean at sunset", 2)
    wait_for_event(client, finished, lambda frame: frame.event == "render_result")
    share = client.post(f"{API}/generations/{finished}/share", json={"expiresInSeconds": 86_400}).json()
    transfer = client.post(f"{API}/sessions/transfer").json()
    return {"finished": finished, "slug": share["slug"], "transferCode": transfer["code"]}


def main(target):
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "data"
        app = App(data, engines=["procedural"], workers=1).start()
        person = Person(launch(playwright), None, "page")
        tab = person.tab(app.base_url).open()
        token = next(cookie["value"] for cookie in person.context.cookies() if cookie["name"] == "videogen_session")
        client = httpx.Client(base_url=app.base_url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

        made = {"baseUrl": app.base_url, "token": token, "draft": DRAFT} | finish_and_share(client)
        tab.history(made["finished"]).wait_for()
        tab.prompt.fill(DRAFT)
        tab.kept(DRAFT)
        made["halfRendered"] = submit(client, "city at night, rain", 8)
        made["queued"] = submit(client, "aurora over a lake", 1)
        wait_for_event(client, made["halfRendered"], lambda frame: frame.data.get("step", 0) > STEP_AT_KILL)
        app.kill()
        stored = person.context.storage_state()["origins"][0]["localStorage"]
        made["localStorage"] = {item["name"]: item["value"] for item in stored}

        target.mkdir(parents=True, exist_ok=True)
        with tarfile.open(target / "data.tar.gz", "w:gz") as archive:
            archive.add(data, "data")
        (target / "fixture.json").write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
