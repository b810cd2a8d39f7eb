"""A job at a ComfyUI server: sent once, followed, stopped, its result fetched."""

import hashlib
import json
from datetime import UTC, datetime

import httpx
import pytest
from PIL import Image

from tests.support.providers.comfyui_workflows import FROM_FRAMES, WAN, changed, ends_in
from videogen.engines.base import NeedsAttention, RenderCancelled, RenderFailed, RenderRequest
from videogen.engines.registry import load_engine
from videogen.media.playable import examine_video

JOB = "0b1f7c1e-6d3c-4a57-9d7e-0a4d4a1b2c3d"
OLD = pytest.mark.parametrize("has_jobs_api", [True, False])


def sent(comfy):
    (post,) = comfy.stand_in.asked("POST", "/prompt")
    return post.json


def test_a_job_is_sent_once_under_its_own_id_with_the_settings_in_their_places(comfy, engine, render):
    artifact = render(engine(), steps=4, cfg=3.5, request={"negative_prompt": "rain"})
    found = examine_video(artifact.path)
    assert (found.width, found.height, found.fps, found.duration_seconds) == (64, 64, 16.0, 1.0)
    body = sent(comfy)
    settings = {"seed": 7, "steps": 4, "cfg": 3.5}
    assert body["prompt"] == changed(
        n4={"text": "a cat"}, n5={"text": "rain"}, n6={"width": 64, "height": 64, "length": 16}, n7=settings
    )
    assert list(comfy.history) == [body["prompt_id"]] == [body["client_id"]]


def test_progress_and_previews_come_from_the_websocket(comfy, engine, render, job):
    comfy.pace = 0.02
    render(engine(), steps=30)
    reports = [(total, message) for _, total, stage, message in job.reports if stage == "rendering"]
    assert {total for total, _ in reports if total} == {9 + 30}
    assert (39, "Sampler: 30 / 30") in reports
    assert not any(job.estimates)
    assert job.previews[0].shape == (36, 64, 3)


def test_a_websocket_says_when_the_job_has_ended_so_it_is_not_polled_meanwhile(comfy, engine, render):
    comfy.pace = 0.02
    render(engine(), steps=30)
    assert len(comfy.stand_in.asked("GET", "/api/jobs/")) <= 6


@pytest.mark.parametrize("sockets", ["refused", "breaks"])
def test_without_a_websocket_the_job_is_polled_to_its_result(comfy, engine, render, sockets):
    comfy.sockets, comfy.pace = sockets, 0.01
    render(engine(), steps=10)
    assert comfy.stand_in.posts("/prompt") == 1


def test_a_server_without_the_jobs_route_is_asked_the_older_way(comfy, engine, render):
    comfy.has_jobs_api, comfy.sockets = False, "refused"
    render(engine())
    assert comfy.stand_in.asked("GET", "/history/")


def occupy(comfy):
    """Let a job of somebody else run, and return its id."""
    comfy.hold_at = 1
    other = httpx.post(f"{comfy.stand_in.url}/prompt", json={"prompt": WAN}).json()["prompt_id"]
    assert comfy.holds.wait(30)
    comfy.stand_in.requests.clear()
    return other


@OLD
def test_a_cancel_stops_a_job_that_waits_and_no_other(comfy, engine, render, job, has_jobs_api):
    comfy.has_jobs_api = has_jobs_api
    other = occupy(comfy)
    job.cancelled_in = "waiting"
    with pytest.raises(RenderCancelled, match=r"ComfyUI has stopped the job\."):
        render(engine())
    assert job.reports[-1][3] == "Waiting at ComfyUI, 1 before it"
    assert ([item.id for item in comfy.queue], comfy.running.id) == ([], other)


@OLD
def test_a_cancel_stops_a_job_that_runs(comfy, engine, render, job, has_jobs_api):
    comfy.has_jobs_api, comfy.hold_at = has_jobs_api, 2
    job.cancelled_in = "rendering"
    with pytest.raises(RenderCancelled, match=r"ComfyUI has stopped the job\."):
        render(engine())
    while not comfy.history:
        pass
    (entry,) = comfy.history.values()
    assert entry["status"]["messages"][-1][0] == "execution_interrupted"


def test_pictures_are_uploaded_and_used(comfy, engine, render, tmp_path):
    paths = [tmp_path / "first.png", tmp_path / "last.png"]
    for path, colour in zip(paths, [(250, 10, 10), (10, 10, 250)], strict=True):
        Image.new("RGB", (80, 80), colour).save(path)
    first, last = (hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    render(
        engine(FROM_FRAMES),
        request={"input_digest": first, "last_digest": last},
        recipe={"input_path": paths[0], "last_path": paths[1]},
    )
    names = [f"videogen/{digest[:32]}.png" for digest in (first, last)]
    assert [sent(comfy)["prompt"][node]["inputs"]["image"] for node in ("11", "12")] == names
    assert comfy.files["input", "videogen", names[0].partition("/")[2]] == paths[0].read_bytes()


def combine(kind):
    inputs = {"frame_rate": 16, "loop_count": 0, "filename_prefix": "a", "pingpong": False, "save_output": True}
    return ends_in("VHS_VideoCombine", format=kind, **inputs)


@pytest.mark.parametrize(
    ("workflow", "fps"),
    [
        (ends_in("SaveWEBM", filename_prefix="a", codec="vp9", fps=16, crf=32), 16),
        (ends_in("SaveAnimatedWEBP", filename_prefix="a", fps=16, lossless=False, method="default"), 16),
        (ends_in("SaveImage", filename_prefix="frames/a"), 24),
        (combine("video/h264-mp4"), 16),
        (combine("image/gif"), 16),
    ],
)
def test_every_node_that_saves_a_video_or_its_frames_gives_a_video(engine, render, workflow, fps):
    found = examine_video(render(engine(workflow)).path)
    assert (found.width, found.height) == (64, 64)
    assert found.fps == pytest.approx(fps, rel=0.1)


def test_only_the_marked_node_is_the_result(comfy, engine, render):
    frames = {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "a"}}
    render(engine(changed(n20={**frames, "_meta": {"title": "videogen: output"}})))
    assert len(comfy.stand_in.asked("GET", "/view")) == 16


def picture_workflow():
    latent = {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}}
    return {**ends_in("SaveImage", filename_prefix="a"), "6": latent}


def test_a_workflow_that_makes_a_picture_makes_an_image(engine, render):
    artifact = render(engine(picture_workflow()), request={"type": "image", "settings": {"seed": 7}})
    assert artifact.content_type == "image/png"
    with Image.open(artifact.path) as image:
        assert (image.format, image.size) == ("PNG", (64, 64))


# Never doubled, never lost


def checkpoint(**more):
    return {"job": {"id": JOB, "sentAt": datetime.now(UTC).isoformat(), "sent": None}, **more}


def test_an_answer_that_is_lost_doubles_nothing_since_the_job_is_found_by_its_id(comfy, engine, render):
    comfy.loses_answer = True
    render(engine())
    assert comfy.stand_in.posts("/prompt") == 1


@OLD
def test_a_job_that_was_sent_before_its_process_died_is_found_and_not_sent_again(comfy, engine, render, has_jobs_api):
    comfy.has_jobs_api, comfy.pace = has_jobs_api, 0.01
    httpx.post(f"{comfy.stand_in.url}/prompt", json={"prompt": WAN, "prompt_id": JOB, "client_id": JOB})
    render(engine(), checkpoint=checkpoint())
    assert comfy.stand_in.posts("/prompt") == 1


def test_a_job_that_the_server_does_not_know_was_never_sent_so_it_is_sent_under_the_same_id(comfy, engine, render):
    render(engine(), checkpoint=checkpoint())
    assert sent(comfy)["prompt_id"] == JOB


def test_a_person_who_lets_it_be_looked_for_does_not_send_it(comfy, engine, render):
    with pytest.raises(NeedsAttention, match="not known whether ComfyUI has this job"):
        render(engine(), checkpoint=checkpoint(look=True))
    assert comfy.stand_in.posts("/prompt") == 0


def test_a_job_that_was_sent_is_followed_by_its_id(comfy, engine, render, job):
    reference = engine()
    render(reference)
    render(reference, checkpoint=job.saved[-1])
    assert comfy.stand_in.posts("/prompt") == 1


# What is in a recipe


def test_the_recipe_has_what_the_workflow_fixes_and_no_path(engine):
    made = load_engine(engine(changed(n6={**WAN["6"], "_meta": {"title": ""}})))
    assert {"width", "height", "duration_seconds", "fps"}.isdisjoint(made.settings.model_fields)
    recipe = made.normalise(RenderRequest(prompt="a cat", settings={"steps": 3}))
    assert (recipe.width, recipe.height, recipe.fps, recipe.num_frames) == (128, 64, 16, 17)
    kept = {name: recipe.settings[name] for name in ("steps", "workflow_width", "workflow_fps", "model")}
    assert kept == {"steps": 3, "workflow_width": 128, "workflow_fps": 16, "model": "workflow.json"}
    assert "/" not in json.dumps(recipe.settings)


def test_the_form_has_the_marked_inputs_with_the_workflows_values(engine):
    made = load_engine(engine(inputs={"steps": {"title": "Passes", "minimum": 1, "maximum": 50}}))
    schema = made.settings.model_json_schema(by_alias=True)["properties"]
    assert schema.keys() == {"width", "height", "durationSeconds", "seed", "steps", "cfg"}
    assert {name: schema[name]["default"] for name in ("width", "height", "steps", "cfg")} == {
        "width": 128, "height": 64, "steps": 6, "cfg": 6
    }  # fmt: skip
    assert schema["durationSeconds"]["default"] == pytest.approx(17 / 16, abs=0.01)
    assert (schema["steps"]["title"], schema["steps"]["maximum"]) == ("Passes", 50)


@pytest.mark.parametrize(
    ("workflow", "expected"),
    [
        (WAN, (("video",), True, False, False)),
        (FROM_FRAMES, (("video",), True, True, True)),
        (picture_workflow(), (("image",), True, False, False)),
    ],
)
def test_what_it_can_do_follows_from_the_workflow(engine, workflow, expected):
    found = load_engine(engine(workflow)).probe()
    assert (found.types, found.negative_prompt, found.image_input, found.last_frame) == expected


def test_a_workflow_file_that_has_changed_since_is_not_sent(comfy, engine, render):
    with pytest.raises(RenderFailed, match=r"The workflow file has changed since then\. Restart videogen"):
        render(engine(), recipe={"settings": {"steps": 3, "model": "workflow.json", "workflow": "0" * 64}})
    assert comfy.stand_in.posts() == 0
