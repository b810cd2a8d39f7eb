"""Each fault of a ComfyUI server ends in words that say which node or file it is, and what to do."""

import logging
import threading

import httpx
import pytest

from tests.support.providers.comfyui_workflows import FROM_FRAMES, WAN, changed, ends_in
from videogen.engines.base import NeedsAttention, RenderFailed
from videogen.media.playable import examine_video
from videogen.media.probe import BrokenMediaError


def failure(render, reference, **options):
    with pytest.raises(RenderFailed) as caught:
        render(reference, **options)
    return caught.value


def test_a_node_that_is_not_installed(comfy, engine, render):
    workflow = changed(
        n7={**WAN["7"], "class_type": "TeaCacheSampler", "_meta": {"title": "Fast videogen: seed, steps"}}
    )
    failed = failure(render, engine(workflow))
    assert failed.code == "refused_input"
    assert 'Node 7 "Fast" (TeaCacheSampler) is of a type that is not installed there.' in str(failed)
    assert "Install Missing Custom Nodes" in str(failed)
    assert comfy.history == {}


def test_a_model_file_that_is_missing(comfy, engine, render):
    comfy.models.remove("wan_2.1_vae.safetensors")
    text = str(failure(render, engine()))
    assert "Node 3 (VAELoader): the model file 'wan_2.1_vae.safetensors' (vae_name) is missing. Put it into" in text


def test_a_picture_that_is_not_there(engine, render):
    workflow = changed(**{f"n{node}": FROM_FRAMES[node] for node in ("6", "11", "12")})
    workflow["11"]["_meta"] = workflow["12"]["_meta"] = {}
    text = str(failure(render, engine(workflow)))
    assert "Node 11 (LoadImage): the picture 'a.png' is not there. Give an image to start from" in text


@pytest.mark.parametrize(
    ("workflow", "expected"),
    [
        (changed(n8={"class_type": "VAEDecode", "inputs": {"samples": ["7", 0]}}), "the input 'vae' has no value"),
        (changed(n7={"steps": "many"}), "Failed to convert an input value to a INT value"),
        (changed(n10=None), "The workflow has no node that saves something, such as Save Video"),
    ],
)
def test_a_workflow_that_cannot_run(engine, render, workflow, expected):
    settings = {"steps": "many"} if workflow["7"]["inputs"]["steps"] == "many" else {}
    assert expected in str(failure(render, engine(workflow), **settings))


def test_an_exception_of_a_node_and_its_traceback_in_the_log(comfy, engine, render, caplog):
    comfy.fails = "mat1 and mat2 shapes cannot be multiplied (77x768 and 4096x1536)"
    with caplog.at_level(logging.ERROR, "videogen.render"):
        failed = failure(render, engine())
    assert failed.code == "render_failed"
    assert f'Node 7 "Sampler" (KSampler) failed: {comfy.fails}.' in str(failed)
    assert 'File "/comfy/execution.py"' in caplog.text


def test_a_gpu_without_enough_memory(comfy, engine, render):
    comfy.fails = "Allocation on device 0 would exceed allowed memory. (out of memory)"
    text = str(failure(render, engine()))
    assert 'Node 7 "Sampler" (KSampler) ran out of memory.' in text
    assert "choose a smaller size or fewer seconds" in text


def test_somebody_stops_it_in_comfyui(comfy, engine, render):
    comfy.hold_at = 1

    def interrupt():
        assert comfy.holds.wait(30)
        httpx.post(f"{comfy.stand_in.url}/interrupt")

    thread = threading.Thread(target=interrupt)
    thread.start()
    failed = failure(render, engine())
    thread.join()
    assert (failed.code, failed.retryable) == ("cancelled_there", True)
    assert str(failed) == "The job was cancelled at ComfyUI. Retry sends it again."


def test_progress_that_never_moves_ends_with_the_deadline_and_a_stop_there(comfy, engine, render):
    comfy.hold_at = 1
    failed = failure(render, engine(deadline_seconds=0.5))
    assert failed.code == "deadline_exceeded"
    assert "ComfyUI did not end it within the 0.5 seconds of `deadline_seconds`. ComfyUI has stopped the job." in str(
        failed
    )


def test_a_server_that_is_restarted_has_forgotten_the_job(comfy, engine, render):
    comfy.hold_at = 1

    def restart():
        assert comfy.holds.wait(30)
        comfy.restart()

    thread = threading.Thread(target=restart)
    thread.start()
    with pytest.raises(NeedsAttention, match=r"ComfyUI does not know job [\w-]+ any more") as caught:
        render(engine())
    thread.join()
    assert (caught.value.look_at, len(caught.value.provider_id)) == (comfy.stand_in.url, 36)
    assert comfy.stand_in.posts("/prompt") == 1


def test_a_server_that_is_down_for_a_while_is_asked_again(comfy, engine, render, job):
    comfy.pace = 0.01
    steps = iter(range(1000))

    def report(step, total, stage, message="", *, estimated=False):
        job.reports.append((step, total, stage, message))
        if stage == "rendering" and next(steps) == 0:
            comfy.status = 503
        if "does not answer as it should" in message:
            comfy.status = 200

    job.report = report
    comfy.sockets = "refused"
    render(engine(), steps=20)
    assert any("ComfyUI does not answer as it should" in message for *_, message in job.reports)


def test_a_file_that_is_there_after_a_while(comfy, engine, render):
    comfy.view_misses = 3
    assert examine_video(render(engine()).path).width == 64


@pytest.mark.parametrize(("results", "expected"), [("html", "a page or a text"), ("empty", "0 of some bytes")])
def test_a_result_that_is_no_file(comfy, engine, render, results, expected):
    comfy.results = results
    failed = failure(render, engine())
    assert failed.code == "bad_result"
    assert str(failed).startswith("ComfyUI gave a result that is no whole video.")


def test_a_result_that_is_cut_short_is_not_taken_for_a_video(comfy, engine, render):
    comfy.results = "truncated"
    with pytest.raises(BrokenMediaError):
        examine_video(render(engine()).path)


def test_a_workflow_that_saves_no_video(engine, render):
    text = str(failure(render, engine(changed(n9={**WAN["9"], "_meta": {"title": "videogen: output"}}))))
    assert "Node 9, which is marked as the output, has saved no video." in text
    one_frame = {**ends_in("SaveImage", filename_prefix="a"), "6": {**WAN["6"], "_meta": {}}}
    one_frame["6"]["inputs"] = {**WAN["6"]["inputs"], "length": 1}
    text = str(failure(render, engine(one_frame), request={"settings": {"steps": 1}}))
    assert "The workflow has saved no video. Let it save one, for example with the node Save Video." in text


def test_a_server_that_is_none_is_named(comfy, engine, render):
    comfy.stand_in.url, url = f"{comfy.stand_in.url}/nowhere", comfy.stand_in.url
    try:
        assert "/nowhere is no ComfyUI server. Correct `base_url`." in str(failure(render, engine()))
    finally:
        comfy.stand_in.url = url


# The key of a gateway


def test_the_key_goes_along_with_requests_and_the_websocket_and_into_no_text(
    comfy, engine, render, job, monkeypatch, caplog
):
    monkeypatch.setenv("GATEWAY_KEY", "k-123456")
    comfy.fails, comfy.pace = "the key k-123456 is known to the node", 0.1
    with caplog.at_level(logging.DEBUG):
        failed = failure(render, engine(key="env:GATEWAY_KEY"))
    given = {one.headers.get("authorization") for one in comfy.stand_in.requests}
    assert given == {"Bearer k-123456"}
    assert comfy.stand_in.asked("WEBSOCKET")
    assert "k-123456" not in f"{failed}{job.reports}{job.saved}"
