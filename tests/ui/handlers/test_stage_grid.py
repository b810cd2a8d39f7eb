"""Variations on the stage together, and what Generate puts there."""

import re

import pytest

from tests.ui.conftest import generation
from videogen.schemas.generations import Project


def project(*numbers, project_id="p4", **changes):
    items = [generation(f"gen_{n}", projectId=project_id, seed=n, prompt=f"fog {n}", **changes) for n in numbers]
    return Project(project_id=project_id, request_id="r", generations=items)


def tiles(html):
    return re.findall(r'<li data-generation-id="(\w+)"><button', html("stage"))


def test_variations_are_one_grid_in_the_order_of_their_numbers(tab, html):
    assert tab.board.start(project(3, 1, 2))
    assert tiles(html) == ["gen_1", "gen_2", "gen_3"]
    assert "1 of 3 · Queued" in html("stage")
    tab.board.put(generation("gen_1", seconds=1, projectId="p4", seed=1, status="processing", progress=40))
    assert "1 of 3 · 40 %" in html("stage")
    assert 'data-do="grid"' not in html("actions")


async def test_a_tile_is_shown_by_itself_and_all_together_again(tab, html, click, api):
    made = project(1, 2, status="completed", videoUrl="/media/v", posterUrl="/media/p")
    api.session("mine", *(one.model_dump(mode="json", by_alias=True) for one in made.generations))
    tab.board.start(made)
    await click("select", generationId="gen_2")
    assert tiles(html) == []
    assert 'data-do="grid">All 2 variations<' in html("actions")
    await click("grid")
    assert tiles(html) == ["gen_1", "gen_2"]


@pytest.mark.parametrize(
    ("before", "chosen", "changes"),
    [
        (None, False, True),
        ({"status": "completed", "videoUrl": "/media/v"}, False, True),
        ({"status": "completed", "videoUrl": "/media/v"}, True, False),
        ({"status": "processing"}, False, False),
        ({"status": "queued"}, False, False),
        ({"status": "failed"}, True, True),
    ],
)
def test_what_was_submitted_comes_on_the_stage_unless_something_is_watched_there(tab, before, chosen, changes):
    if before:
        tab.board.put(generation("gen_a", projectId="old", **before))
        (tab.board.choose if chosen else tab.board.show)("gen_a")
    assert tab.board.start(project(1)) is changes
    assert (tab.board.selected_id == "gen_1") is changes
