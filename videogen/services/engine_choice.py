"""Which engine renders a request, and whether it can do what the request asks for."""

from __future__ import annotations

from collections.abc import Mapping

from videogen.core.config import AppConfig
from videogen.core.errors import InvalidRequestError
from videogen.engines.availability import capabilities_of
from videogen.engines.base import Engine
from videogen.schemas.engines import Capabilities
from videogen.schemas.generations import GenerationCreate


def chosen_engine(create: GenerationCreate, engines: Mapping[str, Engine], config: AppConfig) -> Engine:
    """The engine that a request names, else the default one, which can do what the request asks for.

    Raises:
        InvalidRequestError: it cannot; the error names field, expected and got.
    """
    name = create.engine or default_engine(engines, config)
    if name not in engines:
        raise InvalidRequestError("engine", f"one of {', '.join(engines)}", name)
    engine = engines[name]
    capabilities = capabilities_of(engine)
    if not capabilities.available:
        raise InvalidRequestError("engine", f"an engine that is available ({capabilities.reason})", name)
    if create.type not in capabilities.types:
        raise InvalidRequestError("type", f"{' or '.join(capabilities.types)}, which is what {name} makes", create.type)
    if create.negative_prompt.strip() and not capabilities.negative_prompt:
        expected = f"left out, since {name} has no negative prompt"
        raise InvalidRequestError("negativePrompt", expected, create.negative_prompt)
    if create.extend is not None:
        _check_extension(create, name, capabilities)
    elif create.input_file_id is not None and not capabilities.image_input:
        raise InvalidRequestError("inputFileId", f"left out, since {name} takes no image", create.input_file_id)
    _check_last_frame(create, name, capabilities)
    return engine


def _check_extension(create: GenerationCreate, name: str, capabilities: Capabilities) -> None:
    if create.type != "video":
        raise InvalidRequestError("type", "video, since only a video can be extended", create.type)
    if not capabilities.extend:
        expected = "one that takes an image, since a video goes on from its last frame"
        raise InvalidRequestError("engine", expected, name)
    if create.input_file_id is not None:
        expected = "left out, since a video goes on from its own last frame"
        raise InvalidRequestError("inputFileId", expected, create.input_file_id)


def _check_last_frame(create: GenerationCreate, name: str, capabilities: Capabilities) -> None:
    if (last := create.last_frame_file_id) is None:
        return
    if create.type != "video":
        raise InvalidRequestError("lastFrameFileId", "left out, since only a video has a last frame", last)
    if not capabilities.last_frame:
        raise InvalidRequestError("lastFrameFileId", f"left out, since {name} takes no last frame", last)
    if create.input_file_id is None and create.extend is None and not capabilities.last_frame_alone:
        expected = f"an image for the first frame, since {name} takes a last frame only beside a first one"
        raise InvalidRequestError("inputFileId", expected, None)


def default_engine(engines: Mapping[str, Engine], config: AppConfig) -> str:
    """The id of the engine that is used when a request names none: the configured one, else the first that can render
    here, else the first."""
    if config.engine in engines:
        return config.engine
    able = (name for name, engine in engines.items() if capabilities_of(engine).available)
    return next(able, next(iter(engines)))
