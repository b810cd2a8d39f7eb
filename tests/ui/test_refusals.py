"""Whatever the API refuses, the German page says it in German."""

import ast
import inspect
from pathlib import Path

import pytest

from tests.test_architecture import TREES
from videogen.client import ApiError
from videogen.core import errors
from videogen.core.i18n import catalog
from videogen.core.validation import _BOUNDS, _EXPECTED
from videogen.engines.diffusers.model_files import find_model
from videogen.engines.imports import EngineImportError
from videogen.engines.spec import missing_variable
from videogen.ui.refusals import FIELDS, allowed, reason
from videogen.ui.texts import Texts

GERMAN, ENGLISH = Texts(catalog("de")), Texts(catalog("en"))
# The words of a moderation hook are the operator's, in every language.
CODES = sorted(
    {error.code for _, error in inspect.getmembers(errors, inspect.isclass) if hasattr(error, "code")}
    - {"moderation_refused"}
)
REASONS = (
    missing_variable("FAL_KEY"),
    "Not installed: torch. Run: pip install 'videogen[diffusers]'",
    find_model("./no-such-folder").problem,
    find_model("no name").problem,
    find_model(__file__).problem,
    find_model(str(Path(__file__).parent)).problem,
    EngineImportError("own.py", ModuleNotFoundError(name="torch")).reason,
    EngineImportError("own.py", ValueError("no such colour")).reason,
)
# Of requests that the page does not make, or that a person cannot change.
PROGRAMS = ("fn_index", "data", "session_hash", "body", "status", "cursor", "Last-Event-ID")


def refusal(texts, field, expected, got):
    fault = {"field": field, "expected": expected, "got": got}
    return texts.refusal(ApiError("invalid_request", "in English", 422, errors=[fault]))


def stated():
    """What the code allows, field by field, with 7 for what it computes."""
    for name, tree in TREES.items():
        if name in ("videogen.ui.gradio_calls", "videogen.services.admin"):  # answers programs
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "InvalidRequestError" and len(node.args) == 3:
                field, expected, _ = node.args
                if isinstance(field, ast.Constant) and field.value not in PROGRAMS:
                    parts = expected.values if isinstance(expected, ast.JoinedStr) else [expected]
                    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)
                    yield name, "at most 7 seconds" if text == "7" else text


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_german_words(code):
    words = GERMAN.refusal(ApiError(code, "in English", 400))
    assert words
    assert words != "in English"
    assert ENGLISH.refusal(ApiError(code, "in English", 400)) == "in English"


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_has_its_name_in_the_form(field):
    words = refusal(GERMAN, field, "at most 12", "40")
    assert words == f"{GERMAN.field(field)}: Möglich ist höchstens 12; angegeben war 40."


@pytest.mark.parametrize("expected", [*_EXPECTED.values(), *(text.format(7) for _, text in _BOUNDS.values())])
def test_what_a_setting_may_be_is_in_german(expected):
    assert allowed(expected, GERMAN.words) not in (None, expected) or expected == "text"


@pytest.mark.parametrize(("module", "expected"), [*stated()])
def test_what_is_allowed_is_in_german(module, expected):
    assert allowed(expected, GERMAN.words), module


@pytest.mark.parametrize("text", REASONS)
def test_why_an_engine_cannot_render_is_in_german(text):
    assert text != reason(text, GERMAN.words)
    assert reason(text, ENGLISH.words) == text
    assert reason(text, GERMAN.words) in allowed(f"an engine that is available ({text})", GERMAN.words)


def test_a_reason_in_words_of_its_own_stays_as_it_is():
    assert reason("The moon is too bright.", GERMAN.words) == "The moon is too bright."


def test_sentences():
    assert (
        refusal(ENGLISH, "settings.durationSeconds", "at most 12", "40") == "Seconds must be at most 12; this was 40."
    )
    assert refusal(GERMAN, "settings.fps", "at least 0.25", "nothing").endswith(
        "mindestens 0,25; angegeben war nichts."
    )
    assert refusal(GERMAN, "prompt", "at most 2000 characters", "text of 2001") == (
        "Prompt: Möglich ist höchstens 2.000 Zeichen; angegeben war ein Text mit 2.001 Zeichen."
    )


def test_what_has_no_german_words_is_not_said_in_english():
    words = refusal(GERMAN, "settings.fps", "something new", "1")
    assert words == "Bildrate: Diese Angabe ist nicht möglich. Ändern Sie sie, und versuchen Sie es noch einmal."
