"""The decorator that makes an engine of a function that yields frames, or of a class that renders."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict, Unpack

from pydantic import BaseModel

from videogen.engines.base import Artifact, Preset, ProcessPolicy, Recipe, RenderContext, RenderRequest
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.schemas.engines import Capabilities

Source = Callable[..., Any]
"""A function of `(recipe)` or `(recipe, ctx)`, or a class with a method `render` of the same parameters.

It yields `recipe.num_frames` uint8 arrays of shape (H, W, 3), RGB, or returns the path of a file that it has made.
Parameters with these names are given by name: `ctx`, `image` (the image to start from: uint8 array of shape (H, W, 3),
RGB, of any size, or None), `image_path` (its path, or None), `last_image` and `last_image_path` (the same for the image
to end with), and `model` (what `load` has returned).
"""

_IMAGE: Final = frozenset({"image", "image_path"})
_LAST_IMAGE: Final = frozenset({"last_image", "last_image_path"})
_BY_NAME: Final = frozenset({"ctx", "model"}) | _IMAGE | _LAST_IMAGE
_METHODS: Final = ("probe", "normalise", "explain")
"""What a class may have of `Engine`, beside `load` and `render`."""
LOADING: Final = "loading"
"""The stage in which a model is loaded."""
_ALIVE_SECONDS: Final = 5.0


class EngineOptions(TypedDict, total=False):
    """What `engine` takes. A class may have attributes of these names instead."""

    title: str
    """The name that people read; made from the id if it is missing."""
    version: str
    """Change it when the same recipe gives another video."""
    settings: type[VideoSettings]
    """A subclass with the engine's own fields, which are in `recipe.settings`."""
    capabilities: Capabilities
    """What `probe` returns."""
    presets: Sequence[Preset]
    """Prompts with settings that the page offers as pictures."""
    load: Callable[[], Any]
    """Of a function: called once in a child process, which then stays; the function gets the result as `model`."""
    process: ProcessPolicy
    """How its child processes are used. Without it: a child stays if there is a `load`, else each job has its own."""
    concurrency: int
    """How many of its jobs are rendered at once. Without it: one if there is a `load`, else VIDEOGEN_WORKERS."""


@dataclass(eq=False)
class DecoratedEngine:
    """An engine that is made of a function or a class. Calling it calls the function or the class."""

    source: Source
    id: str
    version: str
    title: str
    description: str
    settings: type[BaseModel]
    capabilities: Capabilities
    presets: Sequence[Preset]
    process: ProcessPolicy
    concurrency: int | None
    load: Callable[[], Any] | None
    _author: Any = field(default=None, init=False, repr=False)
    """The instance of a class; what `load` has returned for a function."""
    _is_loaded: bool = field(default=False, init=False, repr=False)
    _lock: Any = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self._takes_context, self._named = _parameters(self.source)
        for name in _METHODS:
            if isinstance(self.source, type) and hasattr(self.source, name):
                setattr(self, name, getattr(self._instance(), name))

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the decorated function, or make an instance of the decorated class."""
        return self.source(*args, **named)

    def probe(self) -> Capabilities:
        return self.capabilities

    def normalise(self, request: RenderRequest) -> Recipe:
        return video_recipe(self, request)

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """Encode the frames, or take the file.

        Raises:
            RenderFailed: neither the frames of this recipe nor a file came.
        """
        # Imported here: it imports numpy and av, which the web process does not need.
        from videogen.engines.outcome import input_values, render_outcome

        author = self._loaded(recipe, ctx)
        values = {"model": author, **input_values(recipe, self._named & (_IMAGE | _LAST_IMAGE))}
        function = author.render if isinstance(self.source, type) else self.source

        def call(context: Any) -> Any:
            named = {name: (values | {"ctx": context})[name] for name in self._named}
            return function(recipe, *([context] if self._takes_context else []), **named)

        return render_outcome(self.id, recipe, ctx, call)

    def _loaded(self, recipe: Recipe, ctx: RenderContext) -> Any:
        """The instance of a class, or the model of a function, after its `load`; only one thread loads it."""
        with self._lock:
            if not self._is_loaded:
                is_class = isinstance(self.source, type)
                load = getattr(self._instance(), "load", None) if is_class else self.load
                if load is not None:
                    ctx.raise_if_cancelled()
                    with _reporting(ctx, recipe.num_frames):
                        made = load()
                    self._author = self._author if is_class else made
                self._is_loaded = True
        return self._author

    def _instance(self) -> Any:
        if self._author is None:
            self._author = self.source()
        return self._author


def engine(name: str, **options: Unpack[EngineOptions]) -> Callable[[Source], DecoratedEngine]:
    """Make an engine of a function that yields frames, or of a class that renders. See `Source`, `EngineOptions`.

    The docstring becomes the description. A class may have `load(self)`, which is called once in a child process before
    its first `render`; the child then stays and takes one job after the other. Its `__init__` takes no argument and
    must be cheap. It may also have `probe`, `normalise` and `explain`, as `Engine` has them.

    Args:
        name: the engine's id.
        options: see `EngineOptions`.

    Raises:
        TypeError: an unknown option, or a function or class that cannot be called as an engine is.
    """
    if unknown := options.keys() - EngineOptions.__annotations__.keys():
        known = ", ".join(EngineOptions.__annotations__)
        raise TypeError(f"engine({name!r}): expected options of {known}; got {', '.join(sorted(unknown))}")

    def decorate(source: Source) -> DecoratedEngine:
        own = {key: getattr(source, key) for key in EngineOptions.__annotations__ if hasattr(source, key)}
        return _engine_of(name, source, own | dict(options))

    return decorate


def as_engine(value: Any) -> Any:
    """An engine made of what a reference leads to, if that is a function that yields frames, or a class that has
    `render` but no `normalise`: the id is its name. Anything else is returned as it is.

    Raises:
        TypeError: a function or class that cannot be called as an engine is.
    """
    is_class = isinstance(value, type) and hasattr(value, "render") and not hasattr(value, "normalise")
    is_source = callable(value) and (is_class or inspect.isgeneratorfunction(value))
    return engine(value.__name__.lower())(value) if is_source else value


def _engine_of(name: str, source: Source, options: Mapping[str, Any]) -> DecoratedEngine:
    _, named = _parameters(source)
    load = options.get("load")
    if "model" in named and (load is None or isinstance(source, type)):
        raise TypeError(f"{name}: a parameter `model` needs a function with @engine(..., load=...)")
    capabilities = options.get("capabilities") or Capabilities()
    if named & _IMAGE:
        capabilities = capabilities.model_copy(update={"image_input": True})
    if named & _LAST_IMAGE:
        # Without a parameter for a first image, it can only be alone.
        alone = capabilities.last_frame_alone or not named & _IMAGE
        capabilities = capabilities.model_copy(update={"last_frame": True, "last_frame_alone": alone})
    return DecoratedEngine(
        source=source,
        id=name,
        version=options.get("version") or "1",
        title=options.get("title") or name.replace("-", " ").replace("_", " ").capitalize(),
        description=inspect.getdoc(source) or "",
        settings=options.get("settings") or VideoSettings,
        capabilities=capabilities,
        presets=options.get("presets") or (),
        process=options.get("process") or ProcessPolicy(mode="per_job" if load is None else "sequential"),
        concurrency=options.get("concurrency") or (None if load is None else 1),
        load=None if isinstance(source, type) else load,
    )


def _parameters(source: Source) -> tuple[bool, frozenset[str]]:
    """Whether a second positional parameter gets the context, and which values are given by name."""
    is_class = isinstance(source, type)
    function = getattr(source, "render", None) if is_class else source
    if not callable(function):
        raise TypeError(f"{source}: expected a function, or a class with a method render(self, recipe, ctx)")
    signature = inspect.signature(function)
    named = _BY_NAME & signature.parameters.keys()
    for count in (2, 1):
        with suppress(TypeError):
            signature.bind(*range(count + is_class), **dict.fromkeys(named))
            return count == 2, named
    expected = "(self, recipe) or (self, recipe, ctx)" if is_class else "(recipe) or (recipe, ctx)"
    raise TypeError(
        f"{source}: expected a {'method render' if is_class else 'function'} of {expected}, got {signature}"
    )


@contextmanager
def _reporting(ctx: RenderContext, total: int) -> Iterator[None]:
    """Report the stage `loading` again and again: however long it takes, it is no stall."""
    has_ended = threading.Event()

    def report() -> None:
        ctx.report(0, total, LOADING)
        while not has_ended.wait(_ALIVE_SECONDS):
            ctx.report(0, total, LOADING)

    thread = threading.Thread(target=report, name="loading", daemon=True)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join()
