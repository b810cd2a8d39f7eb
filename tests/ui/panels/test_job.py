"""The panels of the selected generation."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.ui.conftest import engine, event, generation
from videogen.core.i18n import catalog
from videogen.ui.form import Limits, engine_form
from videogen.ui.panels.job import player
from videogen.ui.tab import Site
from videogen.ui.texts import Texts

FAILED = {"code": "engine_failed", "message": "no such film", "retryable": True}
GONE = {"code": "file_missing", "message": "The file is gone. Retry renders it again.", "retryable": True}
LATER = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())


def show(tab, **changes):
    tab.board.drop("gen_a")
    tab.board.put(generation(**changes))
    tab.board.select("gen_a")


def ago(seconds):
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def buttons(html):
    found = ("cancel", "download", "share", "retry", "log", "animate", "end-with", "use-settings", "new-seed", "vary")
    found += ("extend",)
    return {name for name in found if f'id="{name}"' in html("actions")}


def test_a_running_one_has_its_state_and_its_progress(tab, html):
    show(tab, status="processing", progress=40, stage="rendering", step=3, totalSteps=9, etaSeconds=12)
    job = html("job")
    assert 'data-status="processing" data-generation-id="gen_a">Rendering<' in job
    assert 'aria-valuenow="40"' in job
    assert "3 / 9" in job
    assert "about 12 s left" in job
    assert ">25 % rendered<" in job, "who hears it hears each quarter"
    assert buttons(html) == {"cancel", "share", "use-settings", "new-seed", "vary"}


def test_only_a_result_with_sound_gets_the_volume_control(tab, html):
    show(tab, status="completed", hasAudio=True)
    assert "data-sound>" in html("job")
    show(tab, status="completed", hasAudio=False)
    assert "data-sound" not in html("job")
    show(tab, status="completed", hasAudio=True, error=GONE)
    assert "data-sound" not in html("job")
    tab.board.drop("gen_a")
    assert "data-sound" not in html("job")


def test_times_are_told_as_far_as_they_are_known(tab, html):
    show(tab, status="processing", startedAt=ago(65))
    assert ">rendering for 1 min 05 s<" in html("job")
    show(tab, status="processing", stage="waiting", startedAt=ago(65))
    assert ">waited 1 min 05 s<" in html("job")
    show(tab, status="queued", createdAt=ago(3), expectedWaitSeconds=20, etaSeconds=32)
    assert ">waited 3 s · starts in about 20 s · about 12 s to render<" in html("job")
    show(tab, status="queued", createdAt=ago(3))
    assert ">waited 3 s<" in html("job")


def test_what_waits_for_an_engine_that_is_not_available_says_why(tab, html):
    reason = "There is no folder <b>. Correct the engine's model, or put the folder there."
    show(tab, status="queued", stage="engine_unavailable", message=reason, queuePosition=1)
    assert "Waits, since the engine is not available now. There is no folder &lt;b&gt;." in html("job")
    assert "There is no folder" in html("stage")
    tab.texts = Texts(catalog("de"))
    assert "Wartet, denn die Engine ist gerade nicht verfügbar. Der Ordner &lt;b&gt; fehlt." in html("job")


def test_nothing_counts_on_while_there_is_no_news(tab, html):
    tab.link = "reconnecting"
    show(tab, status="processing", startedAt=ago(65), updatedAt=ago(60))
    assert ">rendering for 5 s<" in html("job")


def test_a_second_attempt_says_where_it_goes_on(tab, html):
    # Who comes in its middle has not seen where it began.
    show(tab, status="processing", progress=30, attempt=2)
    assert "Continued, attempt 2" in html("job")
    show(tab, status="queued", progress=48.2)
    assert "will continue at 48 %" in html("job")
    tab.board.apply(event(progress=48.2, attempt=2, stage="starting"))
    tab.board.apply(event(progress=70, attempt=2, seconds=2))
    assert "Continued at 48 %, attempt 2" in html("job")
    show(tab, status="processing", progress=0, attempt=3)
    assert "Started again, attempt 3" in html("job")
    # A job at a service goes on there meanwhile: it is not started again.
    tab.site = Site(engines=(engine_form(engine(capabilities={"exactProgress": False}), Limits()),))
    assert "Continued, attempt 3" in html("job")


def test_there_is_no_bar_once_it_has_ended(tab, html):
    show(tab, status="completed", progress=100, videoUrl="/media/x", startedAt=ago(15), finishedAt=ago(0))
    assert 'id="job-progress"' not in html("job")
    assert ">rendered in 15 s<" in html("job")


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_retry_is_offered_only_where_something_went_wrong(tab, html, status):
    show(tab, status=status, error=FAILED if status == "failed" else None, videoUrl="/media/x")
    offered = {"use-settings", "new-seed", "vary"}
    more = {"completed": {"download", "share"}, "failed": {"retry", "log"}, "cancelled": {"retry"}}
    assert buttons(html) == offered | more[status]


def test_what_went_wrong_is_said_with_what_to_do(tab, html):
    show(tab, status="failed", error=FAILED)
    assert "No such film" in html("stage")
    assert "Press Retry" in html("stage")
    show(tab, status="failed", error=FAILED | {"retryable": False})
    assert "Change the prompt" in html("stage")
    show(tab, status="cancelled", startedAt=ago(9), finishedAt=ago(0))
    assert "rendered in" not in html("job")
    assert "You stopped this one" in html("stage")


def test_a_missing_file_is_neither_played_nor_offered(tab, html):
    show(tab, status="completed", videoUrl="/media/x", posterUrl="/media/p", error=GONE)
    assert ">File gone<" in html("job")
    assert "The file is gone" in html("stage")
    assert player(tab) is None
    assert "retry" in buttons(html)
    assert not buttons(html) & {"download", "share"}


def test_a_still_can_be_animated_where_an_engine_starts_from_an_image(tab, html):
    show(tab, type="image", status="completed", imageUrl="/media/i")
    assert "animate" not in buttons(html)
    assert 'src="/media/i" alt="Still: sea"' in html("stage")
    tab.site = Site([engine_form(engine(capabilities={"imageInput": True}), Limits())])
    assert "animate" in buttons(html)
    assert "end-with" not in buttons(html)
    tab.takes_last = True
    assert "end-with" in buttons(html)


def test_a_video_can_be_extended_until_it_is_as_long_as_one_may_be(tab, html):
    show(tab, status="completed", videoUrl="/media/x", durationSeconds=19.5)
    assert "extend" not in buttons(html), "no engine goes on from a video"
    tab.site = Site([engine_form(engine(capabilities={"extend": True}), Limits())])
    assert "extend" in buttons(html)
    show(tab, status="completed", videoUrl="/media/x", durationSeconds=20)
    assert "extend" not in buttons(html)
    show(tab, type="image", status="completed", imageUrl="/media/i")
    assert "extend" not in buttons(html)


def test_the_player_keeps_its_link_while_that_works(tab):
    show(tab, status="completed", videoUrl=f"/media/a?exp={LATER}&sig=1")
    first = player(tab)
    show(tab, status="completed", videoUrl=f"/media/a?exp={LATER}&sig=2")
    assert player(tab) == first
    show(tab, status="completed", videoUrl=f"/media/b?exp={LATER}&sig=3")
    assert player(tab)["url"] == f"/media/b?exp={LATER}&sig=3"
    show(tab, status="completed", videoUrl="/media/c?exp=1&sig=1")
    player(tab)
    show(tab, status="completed", videoUrl=f"/media/c?exp={LATER}&sig=2")
    assert player(tab)["url"] == f"/media/c?exp={LATER}&sig=2", "the first one has expired"


def test_a_long_prompt_is_not_read_out_whole(tab, html):
    show(tab, prompt="sea " * 500, status="processing", previewUrl="/media/p")
    assert len(html("stage")) < 500
    assert "sea sea" not in html("job")


def test_nothing_selected_is_an_invitation(tab, html):
    assert 'id="stage-empty"' in html("stage")
    assert 'data-status="" data-generation-id=""' in html("job")
    assert "<button" not in html("actions")
