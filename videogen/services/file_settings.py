"""Reads the settings of a file that was made by videogen, here or elsewhere, and makes a request of them.

The file comes from anybody. What its recipe asks for and this app does not offer is replaced by what is nearest, or
left out, and named in a warning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, BinaryIO, Final

import orjson
from pydantic import BaseModel, Field, ValidationError
from pydantic.alias_generators import to_camel

from videogen.core.config import AppConfig
from videogen.core.errors import InvalidRequestError, NoSettingsError
from videogen.core.validation import explain
from videogen.engines.base import Engine
from videogen.media.embedded_text import embedded_json
from videogen.schemas.base import Model, PlainObject, Text
from videogen.schemas.generations import FileSettings, GenerationCreate, GenerationType, SettingsWarning
from videogen.services.engine_choice import default_engine
from videogen.services.parts import Parts
from videogen.services.submission import IMAGES, check_request
from videogen.services.uploads import UploadService

_MARKS: Final = ("engine", "prompt", "numFrames")
"""What a recipe always has, and other JSON hardly has together."""
_Whole = Annotated[int, Field(gt=-(2**53), lt=2**53)]


class EmbeddedRecipe(Model, extra="ignore"):
    """A recipe as any version of videogen embeds it: see `engines.base.Recipe`."""

    type: GenerationType = "video"
    engine: Text
    engine_version: Text = ""
    prompt: Text = Field(min_length=1)
    negative_prompt: Text = ""
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    width: _Whole | None = None
    height: _Whole | None = None
    fps: _Whole = 24
    num_frames: _Whole
    settings: PlainObject = Field(default_factory=dict)
    input_digest: Text | None = None
    last_digest: Text | None = None

    def basics(self) -> dict[str, Any]:
        """The settings that have a place of their own in a recipe, by their names in the API."""
        basics: dict[str, Any] = {"width": self.width, "height": self.height, "seed": self.seed}
        if self.type == "video":
            basics |= {"fps": self.fps, "durationSeconds": round(self.num_frames / max(1, self.fps), 3)}
        return {name: value for name, value in basics.items() if value is not None}


class FileSettingsService:
    """Reads settings out of files. Every method blocks: call it from a thread."""

    def __init__(self, parts: Parts, uploads: UploadService) -> None:
        self._engines, self._config, self._uploads = parts.engines, parts.config, uploads

    def read(self, session_id: str, file: BinaryIO) -> FileSettings:
        """The settings of a file, which is not kept.

        Args:
            file: seekable, with a descriptor, at its start.

        Raises:
            NoSettingsError: the file carries none, or none that can be read.
            UnsupportedMediaTypeError, InvalidRequestError, StorageError: see `embedded_json`.
        """
        recipe = next((found for text in embedded_json(file) if (found := parse_recipe(text)) is not None), None)
        if recipe is None:
            raise NoSettingsError
        fitting = RecipeFitting(recipe, self._engines, self._config)
        digests = (recipe.input_digest, recipe.last_digest)
        images = [self._uploads.find_same(session_id, digest) if digest else None for digest in digests]
        return FileSettings(
            request=fitting.request(*images),
            engine=recipe.engine,
            engine_version=recipe.engine_version,
            had_image=recipe.input_digest is not None,
            had_last_frame=recipe.last_digest is not None,
            warnings=fitting.warnings,
        )


def parse_recipe(text: str) -> EmbeddedRecipe | None:
    """The recipe in a text; None if there is none, or one that is not valid."""
    try:
        content = orjson.loads(text)
        if not isinstance(content, dict) or not content.keys() >= set(_MARKS):
            return None
        return EmbeddedRecipe.model_validate(content)
    except (ValueError, RecursionError):
        return None


class RecipeFitting:
    """One recipe on its way to a request. `warnings` grows with each value that has to be changed."""

    def __init__(self, recipe: EmbeddedRecipe, engines: Mapping[str, Engine], config: AppConfig) -> None:
        self._recipe, self._engines, self._config = recipe, engines, config
        self.warnings: list[SettingsWarning] = []

    def request(self, image: str | None, last: str | None = None) -> GenerationCreate:
        """The request, which starts from `image` and ends with `last` where its engine takes them; what is still wrong
        with it is in the warnings too."""
        recipe = self._recipe
        engine = self._engine()
        capabilities = engine.probe()
        kind = recipe.type
        if kind not in capabilities.types:
            kind = capabilities.types[0]
            self._warn("type", " or ".join(capabilities.types), recipe.type, kind)
        negative = recipe.negative_prompt
        if negative.strip() and not capabilities.negative_prompt:
            self._warn("negativePrompt", f"nothing, since {engine.id} has no negative prompt", negative, "")
            negative = ""
        image = image if capabilities.image_input else None
        has_last = kind == "video" and capabilities.last_frame and (image or capabilities.last_frame_alone)
        request = GenerationCreate(
            type=kind,
            prompt=recipe.prompt,
            negative_prompt=negative,
            engine=engine.id,
            settings=self._settings(engine),
            input_file_id=image,
            last_frame_file_id=last if has_last else None,
        )
        try:
            check_request(request, self._engines, self._config, lambda name, _id: getattr(recipe, IMAGES[name]) or "")
        except InvalidRequestError as problem:
            self.warnings += [SettingsWarning.model_validate(fault) for fault in problem.errors]
        return request

    def _engine(self) -> Engine:
        """The recipe's engine, or the app's own where that is not here."""
        wanted = self._engines.get(self._recipe.engine)
        if wanted is not None and wanted.probe().available:
            return wanted
        available = [name for name, engine in self._engines.items() if engine.probe().available]
        name = default_engine(self._engines, self._config)
        name = name if name in available else (available or [name])[0]
        self._warn("engine", f"one of {', '.join(available) or 'none'}", self._recipe.engine, name)
        return self._engines[name]

    def _settings(self, engine: Engine) -> dict[str, Any]:
        """The settings that the engine has, within what it and the app allow."""
        recipe, model = self._recipe, engine.settings
        own = recipe.settings if engine.id == recipe.engine else {}
        values: dict[str, Any] = {}
        basics = recipe.basics()
        for name, field in model.model_fields.items():
            key = field.alias or name
            for source, place in ((basics, to_camel(name)), (own, name), (own, key)):
                if place in source:
                    values[key] = source[place]
        values = self._within_model(model, values)
        return values | self._within_limits(values)

    def _within_model(self, model: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
        """The values that pass the engine's own model: those out of range become the nearest, others are left out."""
        for _ in range(2):  # the nearest value may have a fault of its own; then it is left out
            try:
                model.model_validate(values)
                return values
            except ValidationError as problem:
                for error in problem.errors(include_url=False):
                    key = error["loc"][0] if error["loc"] else ""
                    if key not in values:
                        continue
                    known = any(f"settings.{key}" == warning.field for warning in self.warnings)
                    nearest = None if known or key == "seed" else _nearest(error)
                    fault = explain(error)
                    self._warn(f"settings.{key}", fault["expected"], values[key], nearest)
                    values = {name: value for name, value in values.items() if name != key}
                    values |= {} if nearest is None else {str(key): nearest}
        return values

    def _within_limits(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What changes because of the limits of the app."""
        changed: dict[str, Any] = {}
        width, height = values.get("width"), values.get("height")
        most = self._config.max_pixels
        if isinstance(width, int) and isinstance(height, int) and width * height > most:
            scale = math.sqrt(most / (width * height))
            changed = {"width": _even(width * scale), "height": _even(height * scale)}
            used = f"{changed['width']} x {changed['height']}"
            expected = f"width x height of at most {most} pixels"
            self._warn("settings.width", expected, f"{width} x {height}", used)
        seconds = values.get("durationSeconds")
        if isinstance(seconds, int | float) and seconds > self._config.max_seconds:
            changed["durationSeconds"] = self._config.max_seconds
            self._warn(
                "settings.durationSeconds",
                f"at most {self._config.max_seconds:g} seconds",
                seconds,
                self._config.max_seconds,
            )
        return changed

    def _warn(self, field: str, expected: str, got: object, used: object) -> None:
        shown = got if isinstance(got, str) else repr(got)
        self.warnings.append(SettingsWarning(field=field, expected=expected, got=shown[:120], used=used))


def _nearest(error: Any) -> Any:
    """The allowed value that is nearest to one out of range; None where there is none."""
    context = error.get("ctx", {})
    if "multiple_of" in context and isinstance(error["input"], int):
        return error["input"] // context["multiple_of"] * context["multiple_of"]
    return context.get("ge", context.get("le"))


def _even(pixels: float) -> int:
    return max(2, int(pixels) // 2 * 2)
