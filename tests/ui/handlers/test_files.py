"""A file that is given to the page: its settings come back, or it is the image to start from."""

import pytest

from tests.support.pictures import encoded
from tests.support.zips import video_bytes
from tests.ui.conftest import at, engine
from videogen.ui.form import LIKE_IMAGE, Limits, engine_form
from videogen.ui.handlers.files import fit_image, look_up_images, take_file
from videogen.ui.tab import Notice, Site

IMAGE = {"id": "fil_a", "contentType": "image/png", "width": 800, "height": 600, "sizeBytes": 9, "url": "/media/fil_a"}
ANIMATES = engine_form(engine(capabilities={"imageInput": True, "types": ["video", "image"]}), Limits())
BOTH = engine_form(engine(id="both", capabilities={"imageInput": True, "lastFrame": True}), Limits())
CHOSEN = {"image_id": "fil_a", "last_id": ""}
PLAIN = engine_form(engine(id="plain", title="Plain"), Limits())


@pytest.fixture(autouse=True)
def site(tab, api):
    tab.site = Site([ANIMATES, BOTH, PLAIN])
    for way in (("POST", "/files"), ("GET", "/files/fil_a")):
        api.canned[way] = 200, IMAGE | {"createdAt": at(0)}
    api.canned["POST", "/files/settings"] = 422, {"code": "no_settings", "status": 422, "title": "", "detail": ""}


@pytest.fixture
def take(tab, tmp_path):
    """Gives a file to the page: the form's new values."""

    async def run(data, name="file.png", engine_id="procedural"):
        path = tmp_path / "given"
        path.write_bytes(data)
        return await take_file(tab, path, name, engine_id)

    return run


def settings(**changes):
    request = {"type": "video", "prompt": "sea", "engine": "procedural"}
    request["settings"] = {"width": 512, "height": 288, "durationSeconds": 2.5, "fps": 12, "seed": 7}
    found = {"request": request, "engine": "procedural", "engineVersion": "1", "hadImage": False, "warnings": []}
    return 200, found | changes


async def test_an_image_of_one_s_own_becomes_the_start_image_in_its_own_shape(take, tab, html, api):
    assert await take(encoded()) == {"image_id": "fil_a", "shape": LIKE_IMAGE}
    assert tab.notice is None
    assert 'src="/media/fil_a"' in html("image")
    # One without texts is not sent a second time to look for settings.
    assert "/api/v1/files/settings" not in api.paths("POST")


async def test_settings_come_back_and_a_refusal_takes_the_message_back(take, tab, api, tmp_path):
    api.canned["POST", "/files/settings"] = settings()
    values = await take(video_bytes(tmp_path), "<sea>.mp4")
    assert tab.notice == Notice("The settings of <sea>.mp4 are in the form.", form_back=True)
    assert {name: values[name] for name in ("prompt", "shape", "detail", "seconds", "fps", "seed")} == {
        "prompt": "sea",
        "shape": "16:9",
        "detail": "288",
        "seconds": 2.5,
        "fps": 12,
        "seed": "7",
    }
    api.canned["POST", "/files/settings"] = 422, {"code": "no_settings", "status": 422, "title": "", "detail": ""}
    assert await take(video_bytes(tmp_path), "other.mp4") == {}
    assert tab.notice.text.startswith("other.mp4 carries no settings of videogen.")


async def test_what_differs_is_said(take, tab, api, tmp_path):
    warning = {"field": "settings.width", "expected": "at most 1920", "got": "9000", "used": 1920}
    api.canned["POST", "/files/settings"] = settings(engineVersion="0", hadImage=True, warnings=[warning])
    await take(video_bytes(tmp_path), "sea.mp4")
    assert "made with version 0 of Procedural; here is 1" in tab.notice.text
    assert "It started from an image" in tab.notice.text
    assert "Width must be at most 1920; this was 9000. 1920 is used instead." in tab.notice.text
    warning = {"field": "engine", "expected": "one of procedural", "got": "gone", "used": "procedural"}
    api.canned["POST", "/files/settings"] = settings(engine="gone", warnings=[warning])
    await take(video_bytes(tmp_path), "sea.mp4")
    assert "The engine gone is not available here" in tab.notice.text


async def test_a_picture_that_was_made_here_can_be_started_from_as_well(take, tab, api, html, click):
    api.canned["POST", "/files/settings"] = settings()
    made = encoded().replace(b"IEND", b"tEXtIEND")
    assert "prompt" in await take(made, "made.png")
    assert "Start from made.png as well" in html("image")
    assert await click("use-image") == {"image_id": "fil_a", "shape": LIKE_IMAGE}
    assert "Start from made.png" not in html("image")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("unsupported_media_type", "notes.txt cannot be used here. Choose a PNG, JPEG or WebP image"),
        ("invalid_request", "notes.txt is damaged or not complete."),
        ("limit_exceeded", "Too many uploads."),
    ],
)
async def test_a_refusal_is_said_in_words_and_changes_nothing(take, tab, api, code, words):
    body = {"code": code, "status": 400, "title": "", "detail": "Too many uploads."}
    api.canned["POST", "/files/settings"] = 400, body
    assert await take(b"hello", "notes.txt") == {}
    assert tab.notice.text.startswith(words)
    assert tab.notice.kind == "warning"


async def test_a_broken_image_is_refused_with_what_was_expected(take, tab, api):
    errors = [{"field": "file", "expected": "a PNG, JPEG or WebP image that is whole", "got": "a broken PNG"}]
    api.canned["POST", "/files"] = (
        422,
        {"code": "invalid_request", "status": 422, "title": "", "detail": "", "errors": errors},
    )
    assert await take(encoded()[:60]) == {}
    assert tab.notice.text == "Image must be a PNG, JPEG or WebP image that is whole; this was a broken PNG."


async def test_an_engine_without_images_takes_none(take, tab, api):
    assert await take(encoded(), "photo.png", engine_id="plain") == {}
    assert "Plain starts from no image" in tab.notice.text
    assert api.paths("POST") == []


async def test_a_file_that_is_too_large_is_refused_before_it_is_sent(tab, click):
    await click("too-large", name="film.mov", size=25_000_000)
    assert tab.notice.text == "film.mov has 25 MB. At most 20 MB are taken: choose a smaller file."


# What becomes of the image

FORM = {"type": "video", "shape": "16:9", "detail": "288", "engine": "procedural", "width": 512, "height": 288}


async def test_the_image_s_own_shape_cuts_nothing_and_another_one_says_what(tab, html):
    assert await look_up_images(tab, CHOSEN)
    assert fit_image(tab, FORM | {"shape": LIKE_IMAGE}) == (384, 288)
    assert "The result has 384 × 288 pixels; nothing is cut off." in html("image")
    assert fit_image(tab, FORM) is None
    assert "512 × 288 pixels: 25 % at the top and bottom would be cut off." in html("image")
    assert fit_image(tab, FORM | {"shape": LIKE_IMAGE, "detail": "²"}) == (384, 288)
    fit_image(tab, FORM | {"shape": "custom", "width": 300, "height": 300})
    assert "300 × 300 pixels: 25 % at the sides would be cut off." in html("image")
    fit_image(tab, FORM | {"shape": "custom", "width": 300, "height": 0})
    assert "300 × 0 pixels" in html("image")
    fit_image(tab, FORM | {"shape": "custom", "width": None})
    assert "cut off" not in html("image")


async def test_an_engine_that_does_not_use_the_image_says_so(tab, html):
    await look_up_images(tab, CHOSEN)
    fit_image(tab, FORM | {"engine": "plain"})
    assert "The chosen engine starts from no image: this one is not used." in html("image")


async def test_an_image_that_is_gone_is_said_to_be(tab, html):
    assert not await look_up_images(tab, CHOSEN | {"image_id": "fil_x"})
    assert "not there any more" in tab.notice.text
    assert html("image") == ""


async def test_the_image_is_removed(tab, html, click):
    await look_up_images(tab, CHOSEN)
    assert 'data-fill="no-image"' in html("image")
    assert await click("no-image") == {"image_id": ""}
    assert html("image") == ""


# The image to end with


@pytest.fixture
async def chosen(tab):
    """A form with an image to start from, for an engine that goes from one image to another."""
    await look_up_images(tab, CHOSEN)
    fit_image(tab, FORM | {"engine": "both"})


async def test_a_last_frame_is_offered_where_the_engine_takes_it(tab, html, chosen):
    offer = 'id="last-frame" data-do="last-frame"'
    assert offer in html("image")
    for change in ({"engine": "procedural"}, {"engine": "both", "type": "image"}):
        fit_image(tab, FORM | change)
        assert offer not in html("image")
    await look_up_images(tab, {"image_id": "", "last_id": ""})
    fit_image(tab, FORM | {"engine": "both"})
    assert html("image") == "", "it needs one to start from, too"


async def test_the_next_picture_becomes_the_last_frame_whatever_it_carries(tab, html, click, chosen, take, api):
    await click("last-frame")
    assert 'aria-pressed="true"' in html("image")
    assert "Now choose, drop or paste the picture to end with" in html("image")
    api.canned["POST", "/files"] = 200, IMAGE | {"id": "fil_b", "url": "/media/fil_b", "createdAt": at(0)}
    made_here = encoded().replace(b"IEND", b"tEXtIEND")
    assert await take(made_here, engine_id="both") == {"last_id": "fil_b"}
    assert "/api/v1/files/settings" not in api.paths("POST")
    assert 'src="/media/fil_a"' in html("image")
    assert 'src="/media/fil_b"' in html("image")
    assert "Add a last frame" not in html("image")
    # The one after that is one to start from again.
    assert await take(encoded(), engine_id="both") == {"image_id": "fil_b", "shape": LIKE_IMAGE}


async def test_a_second_click_takes_the_wish_for_a_last_frame_back(tab, html, click, chosen):
    for pressed in ("true", "false"):
        await click("last-frame")
        assert f'aria-pressed="{pressed}"' in html("image")
    await click("last-frame")
    fit_image(tab, FORM)
    assert not tab.awaits_last, "the engine takes none"


async def test_a_last_frame_says_what_becomes_of_it_and_is_removed(tab, html, click, chosen, api):
    api.canned["GET", "/files/fil_b"] = 200, IMAGE | {"id": "fil_b", "width": 64, "height": 64, "createdAt": at(0)}
    await look_up_images(tab, CHOSEN | {"last_id": "fil_b"})
    assert "64 × 64" in html("image")
    assert "512 × 288 pixels: 44 % at the top and bottom would be cut off." in html("image")
    fit_image(tab, FORM)
    assert "makes no use of a last frame" in html("image")
    assert await click("no-last-frame") == {"last_id": ""}
    assert "Last frame" not in html("image")


async def test_a_file_that_ended_with_an_image_says_that_it_is_not_in_it(take, tab, api, tmp_path):
    api.canned["POST", "/files/settings"] = settings(hadLastFrame=True)
    await take(video_bytes(tmp_path), "sea.mp4")
    assert "It ended with an image, which is not in the file" in tab.notice.text
