"""What a fault of a provider means for a job: the code of its error, and a message that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from videogen.engines.base import RenderFailed
from videogen.engines.remote.provider import FaultKind, RemoteFault


@dataclass(frozen=True, slots=True)
class _Meaning:
    code: str
    happened: str
    """`{name}` is the provider, `{key}` where its key comes from."""
    advice: str
    retryable: bool = False


_AGAIN: Final = "Retry sends it again{charge}."
MEANINGS: Final[Mapping[FaultKind, _Meaning]] = {
    "key": _Meaning("key_refused", "{name} refused the key in {key}.", "Set a valid key, then restart videogen.", True),
    "credit": _Meaning(
        "no_credit", "The account at {name} has no credit.", "Add some at {credit_at}, then retry.", True
    ),
    "moderation": _Meaning("refused_content", "{name} does not allow this content.", "Change the prompt or picture."),
    "invalid": _Meaning("refused_input", "{name} did not take the request.", "Change the settings, or its `inputs`."),
    "rate_limit": _Meaning("rate_limited", "{name} takes no more requests just now.", "Retry {later}.", True),
    "timeout": _Meaning("service_timeout", "{name} gave the job up, because it took too long.", _AGAIN, True),
    "server": _Meaning("service_fault", "{name} has a fault or cannot be reached.", "Retry later.", True),
    "not_found": _Meaning("result_gone", "{name} does not have this any more.", _AGAIN, True),
    "failed": _Meaning(
        "render_failed", "The model at {name} failed.", "Change the prompt or settings, or retry.", True
    ),
    "cancelled": _Meaning("cancelled_there", "The job was cancelled at {name}.", _AGAIN, True),
    "bad_result": _Meaning("bad_result", "{name} gave a result that is no whole video.", _AGAIN, True),
    "refused_host": _Meaning(
        "refused_host",
        "{name} named an address that may not be asked.",
        "If it is right, name its host in `hosts` of the engine, then restart videogen.",
        True,
    ),
}


OF_VISITORS: Final[Mapping[FaultKind, _Meaning]] = {
    "key": _Meaning(
        "key_refused", "{name} does not take your sign-in.", "Sign out of this page and in again, then retry.", True
    ),
    "credit": _Meaning(
        "no_credit", "Your account at {name} has no credit.", "Add some at {credit_at}, then retry.", True
    ),
}
"""The same where the job runs on the account of whoever has signed in."""


@dataclass(frozen=True, slots=True)
class Place:
    """What messages name: the provider, the variable of its key, and where people find their jobs there."""

    name: str
    key: str
    look_at: str
    charges: bool = True
    """Whether its jobs cost money."""
    credit_at: str = ""
    """Where people add credit; empty: `look_at`."""
    on_visitor_account: bool = False

    def describe(self, fault: RemoteFault) -> str:
        """What happened and what to do, in one line."""
        meaning = self._meaning(fault)
        later = f"in {fault.retry_after:.0f} seconds" if fault.retry_after else "later"
        charge = f", which {self.name} may charge again" if self.charges else ""
        names = {
            "charge": charge,
            "name": self.name,
            "key": self.key or "its `key`",
            "credit_at": self.credit_at or self.look_at,
            "later": later,
        }
        happened, advice = meaning.happened.format(**names), meaning.advice.format(**names)
        answered = f"It answered: {fault.message.rstrip('.')}." if fault.message else ""
        return " ".join(filter(None, (happened, answered, advice)))

    def failure(self, fault: RemoteFault) -> RenderFailed:
        """The end of a job with this fault."""
        meaning = self._meaning(fault)
        return RenderFailed(self.describe(fault), code=meaning.code, retryable=meaning.retryable)

    def _meaning(self, fault: RemoteFault) -> _Meaning:
        own = OF_VISITORS if self.on_visitor_account else {}
        return own.get(fault.kind, MEANINGS[fault.kind])
