"""Which of the files that a workflow has saved are the result."""

import pytest

from videogen.engines.remote.comfyui.outputs import find_result


def file(name, kind="output", **more):
    return {"filename": name, "subfolder": "", "type": kind, **more}


SAVE_VIDEO = {"images": [file("a.mp4")], "animated": [True]}
VIDEO_COMBINE = {"gifs": [file("b.mp4", format="video/h264-mp4", frame_rate=16.0, workflow="b.png")]}
GIF = {"gifs": [file("c.gif", format="image/gif")]}
WEBP = {"images": [file("d.webp")], "animated": [True]}
STILL_WEBP = {"images": [file("e.webp")], "animated": [False]}
SEQUENCE = {"images": [file("f_1.png"), file("f_2.png"), file("f_3.png")]}
PREVIEW = {"images": [file("g.png", "temp")]}
PREVIEW_VIDEO = {"gifs": [file("h.mp4", "temp", format="video/h264-mp4")]}
TEXT = {"text": ["a caption"]}


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        ({"9": SAVE_VIDEO}, ["a.mp4"]),
        ({"9": VIDEO_COMBINE}, ["b.mp4"]),
        ({"9": GIF}, ["c.gif"]),
        ({"9": WEBP}, ["d.webp"]),
        ({"9": SEQUENCE}, ["f_1.png", "f_2.png", "f_3.png"]),
        ({"9": PREVIEW_VIDEO}, ["h.mp4"]),
        ({"9": SAVE_VIDEO, "12": SEQUENCE, "13": PREVIEW, "14": TEXT}, ["a.mp4"]),
        ({"9": GIF, "12": SEQUENCE}, ["c.gif"]),
        ({"9": SAVE_VIDEO, "12": PREVIEW_VIDEO}, ["a.mp4"]),
        ({"9": SAVE_VIDEO, "12": VIDEO_COMBINE}, ["b.mp4"]),
        ({"9": SEQUENCE, "12": PREVIEW}, ["f_1.png", "f_2.png", "f_3.png"]),
        ({"14": TEXT}, []),
        ({}, []),
    ],
)
def test_a_video_is_preferred_to_an_animation_and_that_to_pictures(outputs, names):
    assert [one.filename for one in find_result(outputs, "video")] == names


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        ({"9": SEQUENCE}, ["f_1.png"]),
        ({"9": STILL_WEBP}, ["e.webp"]),
        ({"9": PREVIEW}, ["g.png"]),
        ({"9": SEQUENCE, "10": PREVIEW, "11": SAVE_VIDEO}, ["f_1.png"]),
        ({"9": SAVE_VIDEO}, []),
    ],
)
def test_an_image_is_a_saved_picture(outputs, names):
    assert [one.filename for one in find_result(outputs, "image")] == names


def test_only_the_marked_node_counts():
    outputs = {"9": SAVE_VIDEO, "12": SEQUENCE}
    assert [one.filename for one in find_result(outputs, "video", "12")] == ["f_1.png", "f_2.png", "f_3.png"]
    assert find_result(outputs, "video", "40") == ()


def test_a_file_has_what_the_address_of_its_view_needs():
    made = {"images": [{"filename": "a.mp4", "subfolder": "video", "type": "output"}]}
    assert find_result({"9": made}, "video")[0].query == {"filename": "a.mp4", "subfolder": "video", "type": "output"}
