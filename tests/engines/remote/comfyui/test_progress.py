"""Messages of a websocket become steps and previews."""

import json
import struct

import pytest

from tests.support.providers.comfyui_workflows import WAN
from videogen.engines.remote.comfyui.progress import Progress

JOB = "0b1f7c1e-6d3c-4a57-9d7e-0a4d4a1b2c3d"
STEPS = 9 + 6
"""Nodes beside the sampler, and its steps."""


def message(kind, **data):
    return json.dumps({"type": kind, "data": {"prompt_id": JOB, **data}})


def read(*messages, nodes=WAN):
    progress = Progress(JOB, nodes)
    found = [progress.read(one) for one in messages]
    return progress, found


def test_each_node_is_a_step_and_each_step_of_a_sampler_too():
    _, found = read(
        message("execution_start"),
        message("executing", node="1"),
        message("executing", node="7"),
        message("progress", node="7", value=3, max=6),
        message("executing", node="8"),
    )
    assert found[0] is None
    assert [(one.step, one.total) for one in found[1:]] == [(0, STEPS), (1, STEPS), (4, STEPS), (7, STEPS)]
    assert [one.message for one in found[1:]] == ["UNETLoader", "Sampler", "Sampler: 3 / 6", "VAEDecode"]
    assert {one.state for one in found[1:]} == {"in_progress"}


def test_what_the_server_still_has_counts_as_done():
    _, found = read(message("execution_cached", nodes=["1", "2", "3", "99"]))
    assert found[0].step == 3


def test_nodes_that_ended_before_the_websocket_was_open_are_known_from_the_states():
    states = {"1": {"state": "finished"}, "4": {"state": "finished"}, "7": {"state": "running", "value": 2, "max": 6}}
    _, found = read(message("progress_state", nodes=states), message("progress", node="7", value=2, max=6))
    assert [one.step for one in found] == [2, 4]


def test_the_end_of_a_job_is_the_message_without_a_node():
    progress, found = read(message("execution_success"), message("executing", node=None))
    assert progress.has_ended
    assert found == [None, None]


@pytest.mark.parametrize(
    "other",
    [
        json.dumps({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 1}}}}),
        json.dumps({"type": "executing", "data": {"node": None, "prompt_id": "another"}}),
        json.dumps({"type": "crystools.monitor", "data": {"cpu_utilization": 5}}),
        json.dumps(["no", "message"]),
        "no json",
        b"\0\0",
        struct.pack(">II", 3, 1) + b"4text",
    ],
)
def test_messages_of_other_jobs_and_unknown_ones_change_nothing(other):
    progress, found = read(other)
    assert (progress.has_ended, found) == (False, [None])


def test_a_sampler_that_runs_a_part_of_its_steps_counts_those():
    nodes = {
        "1": {"class_type": "KSamplerAdvanced", "inputs": {"steps": 20, "start_at_step": 0, "end_at_step": 10}},
        "2": {"class_type": "KSamplerAdvanced", "inputs": {"steps": 20, "start_at_step": 10, "end_at_step": 10000}},
        "3": {"class_type": "BasicScheduler", "inputs": {"steps": 30}},
        "4": {"class_type": "SamplerCustomAdvanced", "inputs": {"sigmas": ["3", 0]}},
        "5": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    }
    assert Progress(JOB, nodes).weights == {"1": 10, "2": 10, "3": 1, "4": 30, "5": 1}


def with_metadata(**about):
    data = json.dumps(about).encode()
    return struct.pack(">II", 4, len(data)) + data + b"\xff\xd8picture"


def test_both_binary_forms_of_a_preview_are_read():
    _, found = read(struct.pack(">II", 1, 1) + b"\xff\xd8picture", with_metadata(prompt_id=JOB, node_id="7"))
    assert [one.preview for one in found] == [b"\xff\xd8picture"] * 2


@pytest.mark.parametrize("broken", [with_metadata(prompt_id="another"), struct.pack(">II", 4, 999) + b"{}"])
def test_a_preview_of_another_job_or_a_broken_one_is_none(broken):
    assert read(broken)[1] == [None]
