"""The keys that every remote engine has in its table of an engine file, and the rows of its `inputs`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

Scalar = bool | int | float | str
Source = Literal[
    "prompt", "negative_prompt", "seed", "seconds", "fps", "num_frames",
    "width", "height", "size", "aspect_ratio", "resolution", "first_frame", "last_frame",
]  # fmt: skip
"""What of a recipe may go to a field of the model's input: `seconds` and `fps` are numbers, `size` is "1280x720",
`aspect_ratio` is "16:9", `resolution` is "720p" (the shorter side); frames are what the provider makes of a picture."""


class InputRow(BaseModel):
    """One field of the model's input: where its value comes from.

    With `from`, it is that part of the recipe. Without, it is a setting of its own, which becomes a field of the form;
    its name is that of the field. `minimum`, `maximum`, `choices` and `default` bound the setting in both cases.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    source: Source | None = Field(default=None, alias="from", description="part of the recipe; None: a setting")
    type: Literal["string", "integer", "number", "boolean"] | None = Field(
        default=None,
        description="of the value that is sent. A setting without it has the type of its default or first choice",
    )
    title: str = Field(default="", max_length=60, description="in the form; empty: made of the name")
    description: str = Field(default="", max_length=300, description="in the form")
    default: Scalar | None = Field(default=None, description="None: the field is left out unless people set it")
    minimum: int | float | None = None
    maximum: int | float | None = None
    choices: tuple[Scalar, ...] | None = Field(
        default=None, min_length=1, description="all values that the model takes, as they are sent"
    )
    required: bool = Field(default=False, description="of a frame: the model renders nothing without a picture")

    @model_validator(mode="after")
    def _check_type(self) -> Self:
        if self.source is None and self.type is None and self.default is None and not self.choices:
            raise ValueError('"from", or the type of a setting (string, integer, number or boolean)')
        return self


class FixedInput(BaseModel):
    """A table that is sent as it is: `{ value = { ... } }`. Other fixed values need no table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Any


def _form(value: Any) -> str:
    if isinstance(value, dict):
        return "value" if "value" in value else "row"
    if isinstance(value, InputRow):
        return "row"
    return "value" if isinstance(value, FixedInput) else "plain"


Input = Annotated[
    Annotated[InputRow, Tag("row")] | Annotated[FixedInput, Tag("value")] | Annotated[Any, Tag("plain")],
    Discriminator(_form),
]
Inputs = dict[str, Input]
"""By the name of the model's field; a dot goes into a table (`image.url`). What is no table is sent as it is."""


class RemoteOptions(BaseModel):
    """The keys of every remote kind. A provider with keys of its own has a subclass, in `Provider.options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(
        default="", pattern=r"^(https?://[^\s@]+)?$", description="address of the API; empty: the provider's own"
    )
    key: str = Field(
        default="",
        pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*)?$",
        description='the environment variable of the key, such as "env:MY_KEY"; empty: the provider\'s own',
    )
    account: Literal["operator", "visitor"] = Field(
        default="operator",
        description="whose account pays: the operator's, by the key; or that of the visitor who has signed in",
    )
    hosts: tuple[str, ...] = Field(
        default=(), description="further hosts that results may lie on; *.example.com names all below it"
    )
    deadline_seconds: float = Field(
        default=3600.0, gt=0, description="a job that has not ended so long after it was sent is cancelled, and fails"
    )
    inputs: Inputs = Field(default_factory=dict, description="fields of the model's input; empty: the provider's own")
    makes: Literal["video", "image"] = "video"
    poll_seconds: float | None = Field(
        default=None, gt=0, description="the first wait between two looks at a job; it rises to ten times that"
    )
    forgotten_seconds: float = Field(
        default=60.0, ge=0, description="a job or a result that is not found for so long is not there"
    )
    request_seconds: float = Field(default=60.0, gt=0, description="how long one request may take to be answered")
    download_seconds: float = Field(default=900.0, gt=0, description="how long the download of a result may take")
    max_result_mb: int = Field(default=1024, ge=1, description="MiB that a result may have")
