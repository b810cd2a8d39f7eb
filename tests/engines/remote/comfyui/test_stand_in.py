"""The stand-in speaks ComfyUI's contract, as read in its source: it is driven as ComfyUI's own example scripts do it
(`script_examples/websockets_api_example.py`), without videogen's code."""

import json
import struct
import uuid

import httpx
import pytest
from websockets.sync.client import connect

from tests.support.providers.comfyui_nodes import preview
from tests.support.providers.comfyui_workflows import FROM_FRAMES, WAN, changed


@pytest.fixture
def http(comfy):
    with httpx.Client(base_url=comfy.stand_in.url, timeout=30) as client:
        yield client


def queue(http, workflow=WAN, **more):
    return http.post("/prompt", json={"prompt": workflow, **more})


def open_socket(comfy, client_id):
    return connect(f"{comfy.stand_in.url.replace('http', 'ws', 1)}/ws?clientId={client_id}", proxy=None)


def read_to_the_end(socket, prompt_id):
    """All messages until the prompt has ended, as the example script waits for it."""
    found = []
    while True:
        message = socket.recv(timeout=30)
        found.append(message if isinstance(message, bytes) else json.loads(message))
        if isinstance(message, str) and found[-1]["type"] == "executing":
            data = found[-1]["data"]
            if data["node"] is None and data["prompt_id"] == prompt_id:
                return found


def test_the_example_script_gets_its_video(comfy, http):
    client_id, prompt_id = str(uuid.uuid4()), str(uuid.uuid4())
    with open_socket(comfy, client_id) as socket:
        answer = queue(http, prompt_id=prompt_id, client_id=client_id).json()
        assert answer == {"prompt_id": prompt_id, "number": answer["number"], "node_errors": {}}
        messages = read_to_the_end(socket, prompt_id)
    kinds = [one["type"] for one in messages if isinstance(one, dict)]
    assert kinds[0] == "status"
    assert kinds.index("execution_start") < kinds.index("progress") < kinds.index("execution_success")
    steps = [one["data"] for one in messages if isinstance(one, dict) and one["type"] == "progress"]
    assert [(one["value"], one["max"], one["node"]) for one in steps] == [(n, 6, "7") for n in range(1, 7)]
    history = http.get(f"/history/{prompt_id}").json()[prompt_id]
    assert history["status"]["status_str"] == "success"
    (file,) = history["outputs"]["10"]["images"]
    assert http.get("/view", params=file).content[4:8] == b"ftyp"


def test_previews_are_binary_in_the_form_that_the_client_takes(comfy, http):
    pictures = [preview(step) for step in range(1, 7)]
    with open_socket(comfy, "old") as old, open_socket(comfy, "new") as new:
        new.send(json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}}))
        assert json.loads(new.recv(timeout=30))["type"] == "status"
        assert json.loads(new.recv(timeout=30))["type"] == "feature_flags"
        ids = [queue(http, client_id=name).json()["prompt_id"] for name in ("old", "new")]
        plain = [one for one in read_to_the_end(old, ids[0]) if isinstance(one, bytes)]
        marked = [one for one in read_to_the_end(new, ids[1]) if isinstance(one, bytes)]
    assert plain == [struct.pack(">II", 1, 1) + picture for picture in pictures]
    for frame, picture in zip(marked, pictures, strict=True):
        kind, length = struct.unpack_from(">II", frame)
        assert kind == 4
        assert json.loads(frame[8 : 8 + length])["prompt_id"] == ids[1]
        assert frame[8 + length :] == picture


@pytest.mark.parametrize("wrong", ["ABCDEF00-0000-4000-8000-000000000000", "no-uuid", "0" * 32, 7])
def test_an_id_must_be_a_canonical_uuid(http, wrong):
    answer = queue(http, prompt_id=wrong)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_prompt_id")


def test_an_id_is_not_deduplicated(comfy, http):
    comfy.hold_at = 1
    prompt_id = str(uuid.uuid4())
    assert {queue(http, prompt_id=prompt_id).status_code for _ in range(2)} == {200}
    assert comfy.holds.wait(30)
    found = http.get("/queue").json()
    assert [row[1] for row in found["queue_running"] + found["queue_pending"]] == [prompt_id] * 2


@pytest.mark.parametrize(
    ("workflow", "kind", "node"),
    [
        (changed(n7={"class_type": "TeaCache", "inputs": {}}), "missing_node_type", None),
        (changed(n10=None), "prompt_no_outputs", None),
        (changed(n1={"unet_name": "none.safetensors"}), "value_not_in_list", "1"),
        (FROM_FRAMES, "custom_validation_failed", "11"),
        (changed(n6={"width": "wide"}), "invalid_input_type", "6"),
        (changed(n9={"class_type": "CreateVideo", "inputs": {}}), "required_input_missing", "9"),
    ],
)
def test_a_workflow_that_cannot_run_is_refused(http, workflow, kind, node):
    answer = queue(http, workflow)
    error, node_errors = answer.json()["error"], answer.json()["node_errors"]
    assert answer.status_code == 400
    if node is None:
        assert (error["type"], node_errors) == (kind, {})
    else:
        assert error["type"] == "prompt_outputs_failed_validation"
        assert node_errors[node]["errors"][0]["type"] == kind


def test_a_job_waits_runs_and_ends(comfy, http):
    comfy.hold_at = 2
    first, second, third = (queue(http).json()["prompt_id"] for _ in range(3))
    assert comfy.holds.wait(30)
    jobs = http.get("/api/jobs", params={"status": "pending,in_progress"}).json()["jobs"]
    assert [(job["id"], job["status"]) for job in jobs] == [
        (first, "in_progress"), (second, "pending"), (third, "pending")
    ]  # fmt: skip
    assert http.post(f"/api/jobs/{third}/cancel").json() == {"cancelled": True}
    assert http.get(f"/api/jobs/{third}").status_code == 404
    assert http.post(f"/api/jobs/{first}/cancel").json() == {"cancelled": True}
    comfy.release()
    _until_ended(http, second)
    assert [http.get(f"/api/jobs/{one}").json()["status"] for one in (first, second)] == ["cancelled", "completed"]
    assert http.post(f"/api/jobs/{second}/cancel").json() == {"cancelled": False}


def _until_ended(http, prompt_id):
    while http.get(f"/api/jobs/{prompt_id}").json()["status"] in ("pending", "in_progress"):
        pass


def test_an_exception_is_reported_with_its_node_and_traceback(comfy, http):
    comfy.fails = "CUDA error: an illegal memory access was encountered"
    prompt_id = queue(http).json()["prompt_id"]
    _until_ended(http, prompt_id)
    job = http.get(f"/api/jobs/{prompt_id}").json()
    error = job["execution_error"]
    assert (job["status"], error["node_id"], error["node_type"]) == ("failed", "7", "KSampler")
    assert error["exception_type"] == "RuntimeError"
    assert all(line.endswith("\n") for line in error["traceback"])


def test_a_server_of_2025_has_no_jobs_route(comfy, http):
    comfy.has_jobs_api, comfy.hold_at = False, 1
    prompt_id = queue(http).json()["prompt_id"]
    assert comfy.holds.wait(30)
    answer = http.get(f"/api/jobs/{prompt_id}")
    assert (answer.status_code, answer.text) == (404, "404: Not Found")
    assert http.post(f"/api/jobs/{prompt_id}/cancel").status_code == 405
    assert http.get("/queue").json()["queue_running"][0][1] == prompt_id
    http.post("/interrupt", json={"prompt_id": "another"})
    assert http.get(f"/history/{prompt_id}").json() == {}
    http.post("/interrupt", json={"prompt_id": prompt_id})
    while not (found := http.get(f"/history/{prompt_id}").json()):
        pass
    assert found[prompt_id]["status"]["status_str"] == "error"
    assert found[prompt_id]["status"]["messages"][-1][0] == "execution_interrupted"


def test_a_picture_is_uploaded_and_used(http):
    form = {"subfolder": "videogen", "type": "input", "overwrite": "true"}
    for name in ("a.jpg", "b.jpg"):
        answer = http.post("/upload/image", data=form, files={"image": (name, preview(1))})
        assert answer.json() == {"name": name, "subfolder": "videogen", "type": "input"}
    text = json.dumps(FROM_FRAMES).replace('"a.png"', '"videogen/a.jpg"').replace('"b.png"', '"videogen/b.jpg"')
    assert queue(http, json.loads(text)).status_code == 200


def test_a_restart_forgets_all_jobs(comfy, http):
    prompt_id = queue(http).json()["prompt_id"]
    _until_ended(http, prompt_id)
    comfy.restart()
    answer = http.get(f"/api/jobs/{prompt_id}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Job not found"})
    assert http.get(f"/history/{prompt_id}").json() == {}
