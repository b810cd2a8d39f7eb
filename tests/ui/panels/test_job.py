"""The panels of the selected generation."""

from tests.ui.conftest import generation


def show(tab, **changes):
    tab.board.put(generation(**changes))
    tab.board.select("gen_a")


def test_a_running_one_has_its_state_and_its_progress(tab, html):
    show(tab, status="processing", progress=40, stage="rendering", step=3, totalSteps=9, etaSeconds=12)
    job = html("job")
    assert 'data-status="processing" data-generation-id="gen_a">Rendering<' in job
    assert 'aria-valuenow="40"' in job
    assert "3 / 9" in job
    assert "about 12 s left" in job
    assert 'id="cancel"' in html("actions")
    assert 'id="retry"' not in html("actions")


def test_retry_is_offered_only_where_something_went_wrong(tab, html):
    show(tab, status="completed", progress=100, videoUrl="/media/x")
    assert 'id="retry"' not in html("actions")
    assert 'id="download"' in html("actions")
    tab.board.put(generation("gen_a", seconds=1, status="failed"))
    tab.board.drop("gen_a")
    show(tab, status="failed", error={"code": "engine_failed", "message": "no", "retryable": True})
    assert 'id="retry"' in html("actions")
    assert 'id="download"' not in html("actions")


def test_what_a_person_wrote_stays_text(tab, html):
    show(tab, prompt="<b onclick=x>${window.bad=1}{{x}}</b>", status="failed")
    assert "&lt;b onclick=x&gt;${window.bad=1}{{x}}&lt;/b&gt;" in html("about")


def test_nothing_selected_is_an_invitation(tab, html):
    assert 'id="stage-empty"' in html("stage")
    assert 'data-status="" data-generation-id=""' in html("job")
    assert "<button" not in html("actions")
