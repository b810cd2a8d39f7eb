"""What an operator sees of a real server: its metrics, over a restart too, and its log, each line of it JSON."""

import json
import re
import socket

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.api import API, Session, connect
from videogen.core.log_context import hashed

TOKEN = "a-token-of-the-operator"
PROMPT = "a heron in the reeds"
UNKNOWN = "gen_abcdefghij0123456789"
ENGINES = ("bars", "wrong-shape", "until-cancelled", "crashes")


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=ENGINES, workers=1, metrics_token=TOKEN, log_format="json", max_attempts=1)


@pytest.fixture(scope="module")
def session(app):
    with Session(app.base_url) as session:
        yield session


@pytest.fixture(scope="module")
def used(app, session):
    """The server after one generation has completed and one has failed."""
    for engine, status in (("bars", "completed"), ("wrong-shape", "failed")):
        ended = session.finish(session.submit(engine, prompt=PROMPT)["id"])
        assert ended["status"] == status
    return app


def read(app, **headers):
    """The value of each sample, by name and labels: `{("videogen_ready",): 1.0, ("...", "bars", "queued"): 0.0}`."""
    with connect(app.base_url) as http:
        response = http.get("/metrics", headers=headers).raise_for_status()
    samples = [sample for family in text_string_to_metric_families(response.text) for sample in family.samples]
    return {(sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value for sample in samples}


def test_every_name_is_ours_and_every_engine_has_its_outcomes(used):
    seen = read(used)
    assert {name for name, *_ in seen if not name.startswith("videogen_")} == set()
    for engine, status, code in (("bars", "completed", ""), ("wrong-shape", "failed", "wrong_frame_count")):
        assert seen["videogen_generations_submitted_total", engine, "video"] == 1
        assert seen["videogen_generations_ended_total", code, engine, status] == 1
        assert seen["videogen_queue_wait_seconds_count", engine] == 1
    assert seen["videogen_render_seconds_count", "bars"] == 1
    assert seen["videogen_render_seconds_count", "wrong-shape"] == 0
    assert seen["videogen_generations_stored", "completed"] == seen["videogen_generations_stored", "failed"] == 1
    assert seen["videogen_sessions_stored",] == 1
    assert seen["videogen_files_bytes",] > 0
    assert seen["videogen_ready",] == seen["videogen_engine_available", "bars"] == 1
    assert seen["videogen_rendering_held",] == 0
    assert seen["videogen_database_bytes", "database"] > 0
    assert seen["videogen_disk_free_bytes",] > 0
    assert seen["videogen_process_resident_memory_bytes",] > 0
    assert seen["videogen_database_write_seconds_count",] > 0


def test_no_label_has_a_prompt_an_id_or_an_address(used, session):
    session.get(f"/generations/{UNKNOWN}")
    session.get("/nothing/of/this/name")
    labels = {value for _, *values in read(used) for value in values}
    assert not {value for value in labels if re.search(r"heron|_[\w-]{20}|127\.0|nothing", value)}
    assert f"{API}/generations/{{generation_id}}" in labels


def test_what_runs_waits_and_is_followed_is_shown(used, session):
    running = session.submit("until-cancelled")
    session.wait_rendering(running["id"])
    with session.stream(f"/generations/{running['id']}/events") as stream:
        next(iter(stream))
        waiting = session.submit("until-cancelled")
        seen = read(used)
        assert seen["videogen_streams", "generation"] == 1
        session.cancel(waiting["id"])
    assert seen["videogen_generations_active", "until-cancelled", "processing"] == 1
    assert seen["videogen_generations_active", "until-cancelled", "queued"] == 1
    assert seen["videogen_queue_oldest_seconds", "until-cancelled"] >= 0
    assert seen["videogen_renderer_processes", "until-cancelled"] == 1
    assert seen["videogen_renderer_memory_bytes", "until-cancelled"] > 1_000_000
    session.cancel(running["id"])
    assert session.finish(running["id"])["status"] == "cancelled"
    assert read(used)["videogen_generations_active", "until-cancelled", "processing"] == 0


def test_after_a_restart_the_counters_begin_again_and_the_rest_is_as_it_was(running_app, tmp_path):
    app = running_app(engines=["bars"])
    with Session(app.base_url) as session:
        assert session.finish(session.submit()["id"])["status"] == "completed"
        session.post("/queue/pause")
        session.submit()
        app.restart()
        session.moved(app.base_url)
        seen = read(app)
    assert seen["videogen_generations_ended_total", "", "bars", "completed"] == 0
    assert seen["videogen_attempts_requeued_total", "bars"] == 0
    assert seen["videogen_generations_stored", "completed"] == 1
    assert seen["videogen_generations_active", "bars", "paused"] == 1
    assert seen["videogen_generations_active", "bars", "queued"] == 0
    assert seen["videogen_queue_oldest_seconds", "bars"] == 0


def test_openmetrics_is_there_for_who_asks_for_it(used):
    accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    answer = httpx.get(f"{used.base_url}/metrics", headers={"Accept": accept}, trust_env=False)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    assert answer.headers["cache-control"] == "no-store"


# Those who may not read it


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-For": "127.0.0.1", "Authorization": "Bearer a-token-of-nobody-at-all"},
        {"Authorization": "Basic a-token-of-the-operator"},
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_stranger_gets_what_an_address_that_does_not_exist_gives(used, headers):
    with connect(used.base_url) as http:
        there, nowhere = (http.get(path, headers=headers) for path in ("/metrics", "/metricz"))
    assert there.status_code == nowhere.status_code
    assert there.text.replace("/metrics", "/metricz") == nowhere.text
    kept = [{name: value for name, value in one.headers.items() if name != "date"} for one in (there, nowhere)]
    assert kept[0] == kept[1]
    assert "videogen_" not in there.text


def test_the_token_opens_it_behind_a_proxy(used):
    assert read(used, **{"X-Forwarded-For": "203.0.113.7", "Authorization": f"Bearer {TOKEN}"})["videogen_ready",] == 1


# The log


@pytest.fixture(scope="module")
def entries(used, session):
    """What the server has logged, also of a lost renderer, a bad request and a stream."""
    project = session.submit_all("crashes", prompt=PROMPT)
    lost = session.finish(project["generations"][0]["id"])
    assert lost["error"]["code"] == "worker_lost"
    host, port = used.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as bad:
        bad.sendall(b"this is no HTTP\r\n\r\n")
        bad.recv(1000)
    completed = next(item for item in session.get("/generations").json()["items"] if item["status"] == "completed")
    session.http.get(completed["videoUrl"])
    share = session.post(f"/generations/{completed['id']}/share").json()["url"]
    httpx.get(share, trust_env=False)
    session.get(f"/generations/{UNKNOWN}")
    lines = [line for line in used.log.splitlines() if not line.startswith("Ready on ")]
    return [json.loads(line) for line in lines], project, completed, share


def test_every_line_is_json_uvicorns_and_the_renderers_too(entries):
    lines, *_ = entries
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    loggers = {line["logger"] for line in lines}
    assert {"uvicorn.error", "renderer.videogen.render", "videogen.jobs.worker", "videogen.web.request_log"} <= loggers


def test_the_line_of_a_failed_render_has_generation_attempt_engine_and_its_traceback(entries, session):
    (line,) = [line for line in entries[0] if line["logger"] == "renderer.videogen.render"]
    assert line["generation_id"].startswith("gen_")
    assert (line["engine"], line["attempt"], line["session"]) == ("wrong-shape", 1, hashed(session.id))
    assert line["exception"].startswith("Traceback")


def test_the_request_of_a_submit_has_the_id_of_what_it_made(entries, session):
    lines, project, *_ = entries
    (line,) = [line for line in lines if line.get("request_id") == project["requestId"]]
    wanted = {"method": "POST", "route": f"{API}/generations", "status": 201, "session": hashed(session.id)}
    assert {name: line[name] for name in wanted} == wanted
    assert line["seconds"] > 0


def test_a_refused_request_has_its_code_and_the_generation_of_its_path(entries):
    line = next(line for line in entries[0] if line.get("generation_id") == UNKNOWN)
    assert (line["status"], line["code"]) == (404, "not_found")


def test_no_line_has_a_token_a_signed_link_a_slug_or_a_prompt(entries, session):
    lines, _, completed, share = entries
    text = json.dumps(lines)
    signature = completed["videoUrl"].rpartition("sig=")[2]
    for secret in (session.token, session.id, signature, share.rpartition("/")[2], PROMPT, TOKEN):
        assert secret not in text
