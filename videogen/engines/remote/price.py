"""The price of a model as the operator writes it, since no provider gives it with a job."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from videogen.engines.base import RenderRequest
from videogen.engines.remote.engine import RemoteEngine
from videogen.engines.remote.options import RemoteOptions
from videogen.engines.remote.provider import RemoteJob
from videogen.schemas.engines import Cost, Explanation


class Price(BaseModel):
    """What a model costs: `{ amount = 0.05, per = "second" }`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: float = Field(ge=0, allow_inf_nan=False)
    per: Literal["second", "video", "unit"] = Field(
        default="second",
        description="of the video; unit: what the provider counts, known after the render",
    )
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$", description="ISO 4217")

    def before(self, seconds: float) -> Cost | None:
        """The cost of a video of so many seconds, estimated; None if only the provider can count."""
        counts = {"second": seconds, "video": 1.0}
        return self._cost(counts[self.per], estimated=True) if self.per in counts else None

    def after(self, units: float) -> Cost | None:
        """The cost of so many units, as the provider has counted them; None if that is no count."""
        return self._cost(units, estimated=False) if 0 <= units < math.inf else None

    def _cost(self, units: float, *, estimated: bool) -> Cost:
        return Cost(amount=round(self.amount * units, 6), currency=self.currency, estimated=estimated)


class PricedOptions(RemoteOptions):
    """The keys of a remote engine whose price the operator may write down."""

    price: Price | None = Field(default=None, description='such as { amount = 0.05, per = "second" }')


def price_of(job: RemoteJob) -> Price | None:
    """The price that the operator has written down; None: none."""
    return job.options.price if isinstance(job.options, PricedOptions) else None


class PricedEngine(RemoteEngine):
    """The engine of a provider whose options are `PricedOptions`."""

    def explain(self, request: RenderRequest) -> Explanation:
        """See `Engine`: the cost before the render, if there is a price."""
        options = self._options
        if not isinstance(options, PricedOptions) or options.price is None:
            return super().explain(request)
        cost = options.price.before(self.normalise(request).duration_seconds)
        return super().explain(request).model_copy(update={"cost": cost})
