"""What is left of the quotas."""

from __future__ import annotations

import hmac
from functools import cached_property

from videogen.core.clock import to_datetime
from videogen.engines.availability import quotas
from videogen.schemas.retention import Quota, Quotas
from videogen.services.parts import Parts


class QuotaService:
    """Quotas of sessions and addresses. Every method but `limits` and `address_hash` blocks on the database."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @cached_property
    def _address_key(self) -> bytes:
        return self._parts.signer.derive("address").encode()

    def limits(self) -> dict[str, float]:
        """Seconds in 24 hours by engine id; engines without a limit are left out."""
        return quotas(self._parts.engines, self._parts.config.quota_seconds_per_day)

    def address_hash(self, address: str) -> str:
        """How an address is stored. It is keyed: addresses are few enough to try them all."""
        return hmac.digest(self._address_key, address.encode(), "sha256").hex()[:32]

    def describe(self, session_id: str, address: str) -> Quotas:
        """What a session has left of every engine with a quota."""
        limits = self.limits()
        if not limits:
            return Quotas(engines={})
        uses = self._parts.store.quota_uses(session_id, self.address_hash(address), limits.keys())
        return Quotas(
            engines={
                engine: Quota(
                    limit=limit,
                    used=round(uses[engine].seconds, 3),
                    left=round(max(0.0, limit - uses[engine].seconds), 3),
                    resets_at=None if (at := uses[engine].resets_at) is None else to_datetime(at),
                )
                for engine, limit in limits.items()
            }
        )
