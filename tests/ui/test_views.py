"""What the browser is told."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.ui.conftest import generation
from videogen.client import ApiError, Unreachable
from videogen.core.i18n import catalog
from videogen.schemas.generations import GenerationPage
from videogen.ui import views
from videogen.ui.board import Board
from videogen.ui.texts import Texts

DONE = {"status": "completed", "progress": 100, "videoUrl": "/media/v", "posterUrl": "/media/p", "sizeBytes": 84_200}

ENGLISH, GERMAN = Texts(catalog("en")), Texts(catalog("de"))


def stage(texts=ENGLISH, **changes):
    board = Board()
    board.put(generation(**changes))
    board.select("gen_a")
    return views.room(board, texts)["selected"]


def test_what_was_understood_stands_beside_the_facts():
    found = [{"phrase": "<b>red</b> moon", "became": "moon, red"}]
    told = stage(understanding={"understood": found, "ignored": ["דרקון"], "abstract": False})["reading"]
    assert told["note"] == "Understood"
    assert told["understood"] == [["<b>red</b> moon", "moon, red"]]
    assert (told["ignored"], told["ignoredLabel"]) == (["דרקון"], "Not understood")


def test_a_guess_is_called_one_and_silence_is_not():
    guess = stage(understanding={"understood": [], "ignored": [], "abstract": True})["reading"]
    assert guess["note"] == ENGLISH.say("job.understood_nothing")
    assert stage()["reading"] is None


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("<script>alert('x')</script>", "script-alert-x-script.mp4"),
        ("../../etc/passwd\n", "etc-passwd.mp4"),
        ("שלום \u202eevil\u202c", "שלום-evil.mp4"),
        ("👨‍👩‍👧 🔥", "video.mp4"),
        ("x" * 5_000, f"{'x' * 120}.mp4"),
    ],
)
def test_a_download_has_a_harmless_name(prompt, name):
    assert stage(**DONE, prompt=prompt)["download"]["name"] == name


def test_nothing_selected():
    told = views.room(Board(), ENGLISH)
    assert told.pop("now") > 1e12
    assert told == {"selected": None, "active": [], "ended": [], "loaded": False}


def test_rendering():
    told = stage(status="processing", progress=34.567, step=34, totalSteps=96, message="drawing frames", etaSeconds=6.4)
    assert (told["statusText"], told["stage"], told["step"]) == ("Rendering", "Drawing frames", "34 / 96")
    assert told["progress"] == 34.6
    assert (told["canCancel"], told["canRetry"], told["video"], told["download"]) == (True, False, None, None)


def test_finished_but_its_file_is_gone():
    gone = {"code": "file_missing", "message": "the video is gone", "retryable": True}
    told = stage(**DONE | {"videoUrl": None, "error": gone})
    assert (told["statusText"], told["stage"], told["missing"]) == ("File gone", "The video is gone", True)
    assert (told["video"], told["picture"], told["download"], told["canRetry"]) == (None, None, None, True)


def test_waiting_for_room_on_the_disk():
    told = stage(status="queued", queuePosition=1, stage="waiting", message="waits for free disk space")
    assert (told["statusText"], told["stage"]) == ("Queued", "Waits for free disk space")


def test_finished():
    told = stage(**DONE, prompt="Ocean & sunset!", seed=2**60)
    assert told["video"] == "/media/v"
    assert told["picture"] == "/media/p"
    assert told["download"] == {"href": "/media/v", "name": "ocean-sunset.mp4"}
    assert (told["canCancel"], told["canRetry"]) == (False, True)
    # A browser's numbers are exact to 2**53 only.
    assert told["recipe"]["seed"] == str(2**60)
    assert ["file", "File", "84 kB"] in told["facts"]


def test_an_image_is_a_picture_not_a_video():
    done = DONE | {"videoUrl": None, "imageUrl": "/media/i", "fileId": "fil_i", "durationSeconds": 0, "fps": 0}
    told = stage(**done, type="image")
    assert (told["video"], told["picture"]) == (None, "/media/i")
    assert told["download"] == {"href": "/media/i", "name": "sea.png"}
    assert (told["still"], told["canAnimate"]) == ("fil_i", True)
    assert "length" not in [kind for kind, _, _ in told["facts"]]
    video = stage(**DONE, fileId="fil_v")
    assert (video["still"], video["canAnimate"]) == (None, False)


def test_an_image_that_renders_shows_its_preview_and_cannot_be_animated():
    told = stage(type="image", status="processing", previewUrl="/media/p")
    assert (told["picture"], told["still"], told["canAnimate"]) == ("/media/p", None, False)


def test_settings_to_use_again_name_the_type_and_the_image():
    recipe = stage(**DONE, type="video", inputFileId="fil_in")["recipe"]
    assert (recipe["type"], recipe["inputFileId"]) == ("video", "fil_in")


def test_a_result_carries_its_whole_recipe():
    settings = {"width": 322, "height": 240, "durationSeconds": 4, "fps": 24, "steps": 7, "seed": 2**60}
    told = stage(**DONE, settings=settings, seed=2**60, engineVersion="3", negativePrompt="<b>clouds</b>")["recipe"]
    # The form's own controls have theirs already.
    assert told["settings"] == {"steps": 7}
    assert told["hash"] == "x"
    document = json.loads(told["document"])
    assert document["settings"] == settings
    assert (document["engine"], document["engineVersion"], document["recipeHash"]) == ("procedural", "3", "x")
    assert document["negativePrompt"] == "<b>clouds</b>"
    assert "inputFileId" not in document


def test_the_variations_of_a_project_are_marked():
    board = Board()
    board.put(generation("gen_b", projectId="prj_1", seed=8, **DONE))
    board.put(generation("gen_a", status="queued", projectId="prj_1", seed=9))
    board.put(generation("gen_d", status="queued", projectId="prj_1", seed=7))
    board.put(generation("gen_c", 5, status="queued", projectId="prj_2"))
    assert [(item["id"], item["variation"]) for item in views.room(board, ENGLISH)["active"]] == [
        ("gen_c", ""),
        ("gen_d", "1 of 3"),
        ("gen_a", "3 of 3"),
    ]


def test_failed_and_cancelled():
    failed = stage(status="failed", error={"code": "c", "message": "out of memory", "retryable": True})
    assert (failed["statusText"], failed["stage"], failed["canRetry"]) == ("Failed", "Out of memory", True)
    assert stage(status="cancelled")["statusText"] == "Cancelled"


def test_a_cancel_is_shown_before_it_is_confirmed():
    board = Board()
    board.put(generation(status="processing"))
    board.select("gen_a")
    board.cancelling.add("gen_a")
    told = views.room(board, ENGLISH)
    assert (told["selected"]["statusText"], told["selected"]["canCancel"]) == ("Cancelling", False)
    assert told["active"][0]["statusText"] == "Cancelling"


@pytest.mark.parametrize(
    ("position", "words"), [(None, "Waiting for a renderer"), (1, "Next in line"), (3, "Number 3 in line")]
)
def test_queued(position, words):
    assert stage(queuePosition=position)["stage"] == words


def test_the_first_page_of_the_history_is_in_the_words_of_the_api_without_what_still_runs():
    items = [generation("d", 9, status="processing"), generation("c", 5, status="failed"), generation("a", **DONE)]
    told = views.history(GenerationPage(items=items, next_cursor="more"))
    assert told["nextCursor"] == "more"
    assert [item["id"] for item in told["items"]] == ["c", "a"]
    whole = items[2].model_dump(mode="json", by_alias=True)
    assert told["items"][1].items() <= whole.items()
    assert {"understanding", "settings"}.isdisjoint(told["items"][1]), "what no entry shows stays away"


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, ""), (1, "Welcome back: 1 generation is still rendering."), (2, "2 generations are still rendering.")],
)
def test_welcome(count, words):
    assert ENGLISH.welcome(count).endswith(words)


def test_a_refusal_names_the_field_as_the_form_does():
    errors = [{"field": "settings.durationSeconds", "expected": "at most 20", "got": "60"}]
    problem = ApiError("invalid_request", "durationSeconds: wrong.", 422, errors=errors)
    assert ENGLISH.refusal(problem) == "Seconds: expected at most 20, got 60."
    assert ENGLISH.refusal(ApiError("limit_exceeded", "Too many.", 429)) == "Too many."
    assert "nothing was sent" in ENGLISH.refusal(Unreachable())


def _ago(seconds):
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def test_waiting_is_told_apart_from_rendering_and_what_is_unknown_is_not_told():
    waits = {"status": "queued", "queuePosition": 2, "createdAt": _ago(30), "updatedAt": _ago(4)}
    told = stage(**waits, expectedWaitSeconds=20, etaSeconds=50)["times"]
    assert {name: told[name] and round(told[name]) for name in told} == {
        "waited": 30,
        "begins": 16,
        "render": 30,
        "rendering": None,
        "left": None,
    }
    silent = stage(**waits)["times"]
    assert {name for name, value in silent.items() if value is not None} == {"waited"}
    renders = {"status": "processing", "createdAt": _ago(60), "startedAt": _ago(10), "updatedAt": _ago(2)}
    told = stage(**renders, etaSeconds=8)["times"]
    assert (told["waited"], round(told["rendering"]), round(told["left"]), told["about"]) == (None, 10, 6, False)
    assert stage(**renders)["times"]["left"] is None
    assert stage(**DONE)["times"] is None


def test_the_line_stands_in_the_order_of_service():
    board = Board()
    for number, place in ((1, 3), (2, 1), (3, None), (4, 2)):
        board.put(generation(f"gen_{number}", number, status="queued", queuePosition=place))
    board.put(generation("gen_5", 5, status="processing", queuePosition=None, startedAt=_ago(3)))
    board.put(generation("gen_6", 0, status="processing", queuePosition=None, startedAt=_ago(9)))
    told = views.room(board, ENGLISH)["active"]
    assert [item["id"][-1] for item in told] == ["6", "5", "2", "4", "1", "3"]
    assert [item["place"] for item in told] == [None, None, 1, 2, 3, None]


def test_another_language_says_everything_of_ours_and_leaves_what_an_engine_says():
    told = stage(GERMAN, status="processing", stage="rendering", attempt=2)
    assert (told["statusText"], told["stage"]) == ("Wird gerendert", "Bilder entstehen")
    assert told["attempt"] == "Wieder aufgenommen, Versuch 2"
    assert stage(GERMAN, status="processing", message="drawing frames")["stage"] == "Drawing frames"
    facts = stage(GERMAN, **DONE | {"durationSeconds": 2.5, "sizeBytes": 1_500_000})["facts"]
    assert ["length", "Länge", "2,5 s mit 24 fps"] in facts
    assert ["file", "Datei", "1,5 MB"] in facts


def test_an_error_is_told_by_its_code_in_another_language_and_in_the_api_s_own_words_in_english():
    problem = ApiError("limit_exceeded", "3 of 3 places are taken.", 429)
    assert ENGLISH.refusal(problem) == "3 of 3 places are taken."
    assert GERMAN.refusal(problem) == (
        "Das ist mehr, als der Server erlaubt. "
        "Versuchen Sie es später noch einmal, oder löschen oder brechen Sie etwas ab."
    )
    assert GERMAN.refusal(ApiError("of_an_engine", "It burnt down.", 500)) == "It burnt down."
    gone = {"code": "file_missing", "message": "the video is gone", "retryable": True}
    assert stage(GERMAN, **DONE | {"videoUrl": None, "error": gone})["stage"].startswith("Die Datei fehlt.")


def test_a_packed_frame_has_few_leaves_and_keeps_apart_what_moves():
    board = Board()
    board.put(generation(status="processing", progress=10))
    board.select("gen_a")
    before = views.packed(views.room(board, ENGLISH) | {"tick": 1})
    board.put(generation(seconds=1, status="processing", progress=20, step=2, totalSteps=9))
    after = views.packed(views.room(board, ENGLISH) | {"tick": 2})
    assert all(value is None or isinstance(value, (str, int, bool)) for value in after.values())
    assert {key for key in after if after[key] != before[key]} - {"now"} == {"tick", "moving", "active"}
    whole = json.loads(after["selected"]) | json.loads(after["moving"])
    assert whole == views.room(board, ENGLISH)["selected"]


def test_a_packed_frame_with_nothing_on_the_stage():
    assert views.packed({"problem": "p", "tick": 1}) == {"problem": "p", "tick": 1}
    assert views.packed(views.room(Board(), ENGLISH))["active"] == "[]"
