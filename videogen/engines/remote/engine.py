"""The engine of a remote kind: what the app asks of it. The life of its jobs is in `job`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Final

from pydantic import BaseModel

from videogen.engines.base import Artifact, ProcessPolicy, Recipe, RenderContext, RenderRequest
from videogen.engines.remote.faults import Place
from videogen.engines.remote.http import Connections
from videogen.engines.remote.inputs import FRAMES, Rows
from videogen.engines.remote.job import JobLife
from videogen.engines.remote.provider import Provider
from videogen.engines.spec import EngineSpec, missing_variable
from videogen.schemas.engines import Capabilities, Explanation

CONCURRENCY: Final = 10
"""Jobs at once, where the configuration names no number."""
CANCEL_SECONDS: Final = 10.0
"""How long the provider may take to hear of a cancel."""


def create_for(provider: type[Provider]) -> Callable[[EngineSpec], RemoteEngine]:
    """A kind of engine, for the engine of a provider: `create = create_for(Fal)`."""

    def create(spec: EngineSpec) -> RemoteEngine:
        """Make the engine of a spec.

        Raises:
            ConfigError: a key or value is wrong.
        """
        return RemoteEngine(spec, provider())

    return create


class RemoteEngine:
    """Lets a provider render. One child process has all its jobs, each on a thread."""

    version = "1"
    """It stays: a paid job goes on in whatever version of videogen comes next."""

    def __init__(self, spec: EngineSpec, provider: Provider) -> None:
        """
        Raises:
            ConfigError: a key or value is wrong.
        """
        self.spec, self._provider = spec, provider
        self._options = spec.parse(provider.options)
        base_url = self._options.base_url or provider.base_url
        if self._options.account == "visitor":
            self._check_visitors()
        if not base_url:
            raise spec.error("base_url", f"the address of {provider.name}, such as http://localhost:8000", "")
        self.id = spec.id
        self.title = spec.title or spec.model or provider.name
        self.description = f"{spec.model or 'A model'} at {provider.name}."
        self._rows = Rows(self._options.inputs or provider.inputs)
        self.settings: type[BaseModel] = self._rows.settings_model()
        self.concurrency = CONCURRENCY
        self.on_visitor_account = self._options.account == "visitor"
        self._key_variable = "" if self.on_visitor_account else self._own_key()
        look_at, charges = provider.look_at or base_url, provider.charges
        self._place = Place(
            provider.name, self._key_variable, look_at, charges, provider.credit_at, self.on_visitor_account
        )
        self.process = ProcessPolicy(
            mode="concurrent",
            imports=("videogen.engines.remote.job",),
            environment=(self._key_variable,) if self._key_variable else (),
            cancel_seconds=CANCEL_SECONDS,
            max_seconds=0,  # a job has a deadline of its own, over all its attempts
            keep_checkpoints=True,
        )
        self._connections: Connections | None = None
        self._lock = threading.Lock()

    def _check_visitors(self) -> None:
        # An attribute of those whose API takes the access token of an account in the same header as a key.
        if not getattr(self._provider, "takes_visitors", False):
            name = self._provider.name
            raise self.spec.error("account", f'"operator", since {name} takes no account of a visitor', "visitor")
        if self._options.key:
            raise self.spec.error("key", "left out, since the account of the visitor pays", self._options.key)

    def _own_key(self) -> str:
        """The variable of the operator's key; empty where there is none."""
        return self._options.key.removeprefix("env:") or self._provider.key_variable

    def probe(self) -> Capabilities:
        """See `Engine.probe`. It sends nothing."""
        name, rows = self._key_variable, self._rows
        reason = missing_variable(name) if name and not os.environ.get(name) else ""
        reason = reason or self._provider.check(self._options)
        last = (
            {"last_frame": rows.row_of("last_frame") is not None} if "last_frame" in Capabilities.model_fields else {}
        )
        made = Capabilities(
            available=not reason,
            reason=reason or None,
            types=(self._options.makes,),
            negative_prompt=rows.row_of("negative_prompt") is not None,
            image_input=rows.row_of(FRAMES[0]) is not None,
            exact_progress=False,
            resume=True,
            visitor_account=self.on_visitor_account,
            **last,
        )
        return self._provider.capabilities(made)

    def normalise(self, request: RenderRequest) -> Recipe:
        """See `Engine.normalise`. The recipe has the model, so that another configuration does not change it."""
        recipe = self._rows.recipe(self, request)
        return recipe.model_copy(update={"settings": {**recipe.settings, "model": self.spec.model}})

    def explain(self, request: RenderRequest) -> Explanation:
        """See `Engine`: the price and the time, where the provider's module knows them without a request."""
        recipe = self.normalise(request)
        return self._provider.explain(self.spec.model, self._rows.input_of(recipe))

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """See `Engine.render`. It waits for the provider, on the thread of its job."""
        if self.on_visitor_account:
            with closing(Connections(self._provider, self._options, str(getattr(ctx, "account_key", "")))) as own:
                return JobLife(own, self._place, self._rows, recipe, ctx).run()
        with self._lock:
            if self._connections is None:
                key = os.environ.get(self._key_variable, "") if self._key_variable else ""
                self._connections = Connections(self._provider, self._options, key)
        return JobLife(self._connections, self._place, self._rows, recipe, ctx).run()
