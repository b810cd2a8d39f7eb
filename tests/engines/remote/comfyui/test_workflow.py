"""What a workflow file says: its marks, what it fixes, and the workflow of a job."""

import pytest

from tests.support.providers.comfyui_workflows import FROM_FRAMES, WAN, changed, ends_in, write
from videogen.core.errors import ConfigError
from videogen.engines.remote.comfyui.workflow import read_workflow
from videogen.engines.spec import EngineSpec


def spec(path, **inputs):
    options = {"inputs": inputs} if inputs else {}
    return EngineSpec(id="wan", kind="comfyui", model=str(path), options=options)


def read(folder, workflow=None, **inputs):
    return read_workflow(spec(write(folder, workflow), **inputs))


def titled(node, title):
    return WAN[node] | {"_meta": {"title": title}}


def test_titles_mark_inputs(tmp_path):
    found = read(tmp_path)
    assert {name: mark.targets for name, mark in found.marks.items()} == {
        "prompt": (("4", "text"),),
        "negative_prompt": (("5", "text"),),
        "width": (("6", "width"),),
        "height": (("6", "height"),),
        "num_frames": (("6", "length"),),
        "seed": (("7", "seed"),),
        "steps": (("7", "steps"),),
        "cfg": (("7", "cfg"),),
    }


def test_the_workflows_own_values_are_the_defaults(tmp_path):
    marks = read(tmp_path).marks
    assert {name: mark.row.default for name, mark in marks.items() if mark.row.default is not None} == {
        "width": 128, "height": 64, "num_frames": 17, "steps": 6, "cfg": 6
    }  # fmt: skip
    assert (marks["steps"].row.type, marks["cfg"].row.type) == ("integer", "number")
    assert marks["prompt"].row.source == "prompt"
    assert marks["steps"].row.source is None


def test_a_mark_can_name_the_input(tmp_path):
    workflow = changed(n9=WAN["9"] | {"_meta": {"title": "Make it (videogen: speed=fps)"}})
    assert read(tmp_path, workflow).marks["speed"].targets == (("9", "fps"),)


def test_one_name_can_mark_several_nodes(tmp_path):
    workflow = changed(n5=titled("5", "videogen: prompt"))
    assert read(tmp_path, workflow).marks["prompt"].targets == (("4", "text"), ("5", "text"))


def test_the_table_marks_inputs_by_the_id_and_by_the_title_of_a_node(tmp_path):
    workflow = {node_id: {**node, "_meta": {"title": f"Node {node_id}"}} for node_id, node in WAN.items()}
    found = read(tmp_path, workflow, prompt="4.text", seed={"at": "Node 7.seed"}, length={"at": ["6.length"]})
    targets = {name: mark.targets for name, mark in found.marks.items()}
    assert targets == {"prompt": (("4", "text"),), "seed": (("7", "seed"),), "num_frames": (("6", "length"),)}


def test_a_row_changes_what_a_title_has_marked(tmp_path):
    row = read(tmp_path, steps={"title": "Passes", "minimum": 2, "maximum": 9, "default": 4}).marks["steps"].row
    assert (row.title, row.minimum, row.maximum, row.default, row.type) == ("Passes", 2, 9, 4, "integer")


@pytest.mark.parametrize(
    ("row", "default"),
    [({"minimum": 8}, 8), ({"maximum": 4}, 4), ({"choices": [10, 20]}, 10), ({"choices": [4, 6]}, 6)],
)
def test_a_default_is_within_the_bounds_of_its_row(tmp_path, row, default):
    assert read(tmp_path, steps=row).marks["steps"].row.default == default


def test_a_job_fills_the_marked_inputs_and_no_others(tmp_path):
    found = read(tmp_path)
    nodes = found.filled({"prompt": "a cat", "negative_prompt": "", "seed": 5, "num_frames": 33})
    assert nodes == changed(n4={"text": "a cat"}, n6={"length": 33}, n7={"seed": 5})
    assert found.nodes == WAN


def test_a_picture_that_may_be_missing_is_left_out_with_its_connections(tmp_path):
    found = read(tmp_path, FROM_FRAMES, first_frame={"required": False}, last_frame={"required": False})
    nodes = found.filled({"first_frame": "videogen/a.png"})
    assert nodes["11"]["inputs"] == {"image": "videogen/a.png"}
    assert "12" not in nodes
    assert "end_image" not in nodes["6"]["inputs"]
    assert nodes["6"]["inputs"]["start_image"] == ["11", 0]


def test_pictures_are_required_unless_the_table_says_otherwise(tmp_path):
    marks = read(tmp_path, FROM_FRAMES, last_frame={"required": False}).marks
    assert (marks["first_frame"].row.required, marks["last_frame"].row.required) == (True, False)


def test_what_the_workflow_fixes_is_found_from_its_end(tmp_path):
    assert read(tmp_path).fixed() == {"width": 128, "height": 64, "num_frames": 17, "fps": 16}
    linked = changed(n6={"width": ["20", 0]}, n20={"class_type": "PrimitiveInt", "inputs": {"value": 96}})
    linked["6"]["_meta"]["title"] = "videogen: height"
    assert read(tmp_path, linked).fixed()["width"] == 96


@pytest.mark.parametrize(
    ("workflow", "kind"),
    [
        (WAN, "video"),
        (ends_in("VHS_VideoCombine", frame_rate=8, loop_count=0, filename_prefix="a", format="image/gif"), "video"),
        (ends_in("SaveImage", filename_prefix="a"), "video"),
        (
            {**ends_in("SaveImage"), "6": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64}}},
            "image",
        ),
    ],
)
def test_its_type_is_a_video_if_anything_has_a_length(tmp_path, workflow, kind):
    assert read(tmp_path, workflow).type == kind


def test_the_digest_follows_the_nodes_and_not_their_order(tmp_path):
    found = read(tmp_path)
    again = read(tmp_path, dict(reversed(WAN.items())))
    assert found.digest == again.digest != read(tmp_path, changed(n7={"cfg": 7})).digest


def test_a_workflow_as_it_is_sent_to_a_server_is_read_too(tmp_path):
    assert read(tmp_path, {"prompt": WAN, "client_id": "x"}).nodes == WAN


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"nodes": [], "links": [], "version": 0.4}, r"API format: .*Export \(API\).*as the editor saves it"),
        ({"4": {"class_type": "X"}}, "API format"),
        ({}, "API format"),
        ([], "API format"),
        ({"4": {"class_type": "CLIPTextEncode", "inputs": {"text": "a"}}}, r'"videogen: prompt", or a table `inputs`'),
        (changed(n4=titled("4", "videogen: seed")), r"node 4 \(CLIPTextEncode\).*one of its inputs \(text\).*'seed'"),
        (changed(n9=titled("9", "videogen: images")), r"one of its inputs \(fps\)"),
        (changed(n9=titled("9", "videogen:output"), n10=titled("10", "videogen:output")), r"one node .*nodes 9, 10"),
    ],
)
def test_a_file_that_does_not_fit_stops_the_start_with_what_to_do(tmp_path, content, expected):
    with pytest.raises(ConfigError, match=expected):
        read(tmp_path, content)


def test_a_file_that_is_missing_or_no_json_stops_the_start(tmp_path):
    with pytest.raises(ConfigError, match="the path of a workflow file"):
        read_workflow(spec(tmp_path / "none.json"))
    (tmp_path / "text.json").write_text("no json")
    with pytest.raises(ConfigError, match="which is no JSON"):
        read_workflow(spec(tmp_path / "text.json"))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({"prompt": "44.text"}, "the id of a node of the workflow"),
        ({"prompt": "text"}, "the id of a node of the workflow"),
        ({"images": "9.images"}, "an input that no other node is connected to"),
        ({"denoise": {"title": "Denoise"}}, "an input of the workflow"),
        ({"my-name": "7.cfg"}, "letters, digits and underscores"),
        ({"extra": "7.extra"}, "its type: string"),
        ({"steps": {"minimun": 1}}, "minimun"),
    ],
)
def test_a_row_that_does_not_fit_stops_the_start(tmp_path, rows, expected):
    with pytest.raises(ConfigError, match=expected):
        read(tmp_path, **rows)
