"""One engine for each mode of child processes. Each job says which fake of tests/fakes.py it behaves like."""

from tests import fakes
from videogen.engines import ProcessPolicy


class Settings(fakes.PacedSettings):
    behaviour: str = "paced"


class Mixed(fakes.Steady):
    """Behaves like the fake that is named in the settings."""

    settings = Settings

    def __init__(self, name, **policy):
        self.id, self.process = name, ProcessPolicy(**policy)

    def render(self, recipe, ctx):
        return getattr(fakes, recipe.settings["behaviour"]).render(recipe, ctx)


per_job = Mixed("per-job")
sequential = Mixed("sequential", mode="sequential", idle_seconds=0)
concurrent = Mixed("concurrent", mode="concurrent", idle_seconds=0)
stays = Mixed("stays", mode="sequential", idle_seconds=600)
unloaded = Mixed("unloaded", mode="concurrent", idle_seconds=0.05)
limited = Mixed("limited", mode="sequential", idle_seconds=0, memory_mb=200)
