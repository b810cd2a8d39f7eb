"""An engine's schema, as pydantic writes it, becomes the fields of the form."""

from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import Field

from videogen.engines.settings import VideoSettings
from videogen.schemas.base import Model
from videogen.ui.schema import COMFORTABLE, comfortable_fields, lacking, own_fields


class Quality(StrEnum):
    """How much care is taken."""

    FAST = "fast"
    VERY_FINE = "very_fine"


class Everything(VideoSettings):
    steps: int = Field(
        default=30, ge=1, le=50, description="More is finer.", json_schema_extra={"group": "Sampling", "unit": "steps"}
    )
    guidance_scale: float = Field(default=7.5, gt=0, lt=20, multiple_of=0.5)
    loop: bool = False
    style: Literal["film_noir", "plain"] = "plain"
    quality: Quality = Quality.FAST
    caption: str | None = Field(default=None, min_length=2, max_length=20, pattern="^[a-z]*$", title="A caption")
    strength: Annotated[float, Field(ge=0, le=1)] | None = 0.5
    adapter: Quality | None = Field(default=None, title="aDAPTER")
    bits: Literal[4, 8, 16] | None = 8
    scale: int | float = 1
    weights: list[float] = Field(default=[1.0])
    model_name: str


FIELDS = {field.name: field for field in own_fields(Everything.model_json_schema(by_alias=True))}


def test_what_is_the_engines_own_comes_in_the_order_of_its_schema():
    names = ["steps", "guidanceScale", "loop", "style", "quality", "caption", "strength", "adapter", "bits"]
    assert list(FIELDS) == [*names, "scale", "weights", "modelName"]


@pytest.mark.parametrize(
    ("name", "kind", "optional", "default"),
    [
        ("steps", "integer", False, 30),
        ("guidanceScale", "number", False, 7.5),
        ("loop", "boolean", False, False),
        ("style", "choice", False, "plain"),
        ("quality", "choice", False, "fast"),
        ("caption", "text", True, None),
        ("strength", "number", True, 0.5),
        ("adapter", "choice", True, None),
        ("bits", "choice", True, 8),
        ("scale", "number", False, 1),
        ("weights", "json", False, [1.0]),
        ("modelName", "text", False, None),
    ],
)
def test_each_kind_is_known_with_its_default_and_whether_it_may_be_null(name, kind, optional, default):
    field = FIELDS[name]
    assert (field.kind, field.optional, field.default) == (kind, optional, default)
    assert field.required == (name == "modelName")


def test_bounds_also_where_null_may_stand_beside_them():
    steps, scale, caption, strength = (FIELDS[name] for name in ("steps", "guidanceScale", "caption", "strength"))
    assert (steps.minimum, steps.maximum, steps.above, steps.below) == (1, 50, None, None)
    assert (scale.minimum, scale.maximum, scale.above, scale.below, scale.multiple) == (None, None, 0, 20, 0.5)
    assert (caption.min_length, caption.max_length, caption.pattern) == (2, 20, "^[a-z]*$")
    assert (strength.minimum, strength.maximum) == (0, 1)


def test_words_for_people():
    steps = FIELDS["steps"]
    assert (steps.title, steps.help, steps.group, steps.unit) == ("Steps", "More is finer.", "Sampling", "steps")
    # Pydantic makes `Guidancescale` of the alias; whoever writes a title of their own is asked nothing.
    titles = [FIELDS[name].title for name in ("guidanceScale", "caption", "adapter")]
    assert titles == ["Guidance scale", "A caption", "aDAPTER"]
    assert FIELDS["style"].choices == (("Film noir", "film_noir"), ("Plain", "plain"))
    assert FIELDS["quality"].choices == FIELDS["adapter"].choices == (("Fast", "fast"), ("Very fine", "very_fine"))
    assert FIELDS["bits"].choices == (("4", 4), ("8", 8), ("16", 16))


def test_the_comfortable_settings_are_no_own_ones_and_have_bounds_all_the_same():
    basics = comfortable_fields(Everything.model_json_schema(by_alias=True))
    assert list(basics) == list(COMFORTABLE)
    assert (basics["width"].minimum, basics["width"].maximum, basics["width"].default) == (64, 3840, 512)
    assert (basics["seed"].minimum, basics["seed"].optional) == (0, True)


class Spare(Model):
    """Neither a length nor a frame rate, as of an engine that makes stills."""

    width: int = 64
    height: int = 64
    seed: int | None = None


def test_what_an_engine_does_not_have_is_told_and_silence_means_everything():
    assert lacking(Spare.model_json_schema(by_alias=True)) == ("durationSeconds", "fps")
    assert lacking({}) == ()
    assert comfortable_fields({})["width"].kind == "integer"


ROUND = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}


@pytest.mark.parametrize(
    "schema",
    [{}, {"properties": {}}, ROUND, {"properties": {"x": {"$ref": "#/$defs/gone"}}}, {"properties": {"x": {}}}],
    ids=["nothing", "no properties", "in a circle", "to nowhere", "anything"],
)
def test_a_strange_schema_is_read_as_far_as_it_goes(schema):
    assert {field.kind for field in own_fields(schema)} <= {"json"}


@pytest.mark.parametrize(
    ("part", "kind", "optional"),
    [
        ({"type": ["integer", "null"]}, "integer", True),
        ({"enum": ["a", None]}, "choice", True),
        ({"const": 3}, "choice", False),
        ({"oneOf": [{"const": "a"}, {"enum": ["b", "c"]}]}, "choice", False),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "json", False),
        ({"type": "object"}, "json", False),
        ({"type": "boolean", "default": True}, "boolean", False),
    ],
)
def test_schemas_that_others_write(part, kind, optional):
    (field,) = own_fields({"properties": {"x": part}})
    assert (field.kind, field.optional) == (kind, optional)


def test_labels_of_choices_may_be_the_engines_own():
    (field,) = own_fields({"properties": {"x": {"enum": ["a", "b"], "labels": {"a": "The first"}}}})
    assert field.choices == (("The first", "a"), ("B", "b"))
