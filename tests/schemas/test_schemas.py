import re
from itertools import product

import pytest
from pydantic import ValidationError

from videogen.schemas.generations import Generation, GenerationCreate, GenerationPatch, ListQuery
from videogen.schemas.status import TERMINAL, TRANSITIONS, Status, statuses_before

ALLOWED = {
    ("queued", "processing"),
    ("queued", "cancelled"),
    ("processing", "completed"),
    ("processing", "failed"),
    ("processing", "cancelled"),
    ("processing", "queued"),
}


@pytest.mark.parametrize(("here", "there"), list(product(Status, Status)))
def test_the_table_allows_exactly_the_transitions_of_the_contract(here, there):
    assert (there in TRANSITIONS[here]) == ((here.value, there.value) in ALLOWED)
    assert (here in statuses_before(there)) == ((here.value, there.value) in ALLOWED)


def test_the_table_has_every_status():
    assert set(TRANSITIONS) == set(Status)


def test_nothing_leaves_a_terminal_status():
    assert set(TERMINAL) == {Status.COMPLETED, Status.FAILED, Status.CANCELLED}
    assert [status for status in Status if status.is_terminal] == list(TERMINAL)


def test_a_request_reads_camel_case_and_has_defaults():
    create = GenerationCreate.model_validate({"prompt": "sea", "negativePrompt": "people", "variations": 2})
    assert (create.type, create.negative_prompt, create.variations) == ("video", "people", 2)
    assert (create.engine, create.settings) == (None, {})


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": None},
        {"prompt": 7},
        {"prompt": "a\x00b"},
        {"prompt": "a\ud800b"},
        {"prompt": "sea", "variations": 0},
        {"prompt": "sea", "variations": 9},
        {"prompt": "sea", "variations": "2"},
        {"prompt": "sea", "type": "song"},
        {"prompt": "sea", "unknown": 1},
        {"prompt": "sea", "settings": []},
    ],
    ids=repr,
)
def test_an_invalid_request_is_refused(body):
    with pytest.raises(ValidationError):
        GenerationCreate.model_validate(body)


def test_text_may_have_line_breaks_tabs_and_any_script():
    text = "über\tden Wolken\n雲の上 🌊"
    assert GenerationCreate(prompt=text).prompt == text


def test_a_control_character_is_refused_with_its_position():
    with pytest.raises(ValidationError, match=r"U\+0000 is at position 1"):
        GenerationCreate(prompt="a\x00")


def test_a_patch_takes_a_title_and_a_favourite_mark_only():
    assert GenerationPatch.model_validate({"title": "x"}).model_dump(exclude_unset=True) == {"title": "x"}
    for wrong in ({"title": "x" * 201}, {"favorite": "yes"}, {"status": "completed"}):
        with pytest.raises(ValidationError):
            GenerationPatch.model_validate(wrong)


def test_a_list_query_takes_1_to_100_items():
    assert ListQuery().limit == 24
    for wrong in (0, 101):
        with pytest.raises(ValidationError):
            ListQuery(limit=wrong)


def test_a_generation_has_exactly_the_fields_of_the_contract():
    fields = re.findall(
        r"\w+",
        "id type status projectId requestId fileId engine engineVersion prompt negativePrompt settings seed recipeHash "
        "inputFileId lastFrameFileId extends shots "
        "understanding progress stage step totalSteps message estimated queuePosition waitSeconds expectedWaitSeconds "
        "etaSeconds attempt previewUrl videoUrl imageUrl posterUrl width height durationSeconds fps hasAudio sizeBytes "
        "title favorite cost attention error createdAt startedAt updatedAt finishedAt expiresAt",
    )
    assert {field.serialization_alias for field in Generation.model_fields.values()} == set(fields)
