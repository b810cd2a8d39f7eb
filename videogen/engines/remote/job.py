"""The life of one job: stored, sent once, followed to its end, its result fetched. Each attempt goes on where the last
one was, and none sends a job that a provider may have already."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import AwareDatetime

from videogen.engines.base import Artifact, NeedsAttention, Recipe, RenderCancelled, RenderContext, RenderEnd
from videogen.engines.remote.download import Download
from videogen.engines.remote.faults import Place
from videogen.engines.remote.follow import Follower, Work
from videogen.engines.remote.http import Connections
from videogen.engines.remote.inputs import Rows
from videogen.engines.remote.provider import Provider, RemoteFault, RemoteJob, Submitted, Update
from videogen.schemas.base import Model

logger = logging.getLogger("videogen.render")
_LOOKS: Final = 3
"""How often a job is looked for that may have been sent: what was sent just now may not be listed at once."""
_CONTENT_TYPES: Final = {"video": ("video/mp4", "result.mp4"), "image": ("image/png", "result.png")}
_MAY_COME_BACK: Final = ("server", "rate_limit", "key", "credit", "refused_host")
"""Faults of a download after which the result may still be there."""


class _Stored(Model):
    """What is stored of a job: before it is sent, and with `sent` as soon as the provider has answered."""

    id: str
    sent_at: AwareDatetime
    sent: Submitted | None = None


class JobLife:
    """One attempt at a job."""

    def __init__(self, connections: Connections, place: Place, rows: Rows, recipe: Recipe, ctx: RenderContext) -> None:
        self._provider: Provider = connections.provider
        self._ctx, self._rows, self._recipe, self._place = ctx, rows, recipe, place
        checkpoint = ctx.checkpoint or {}
        self._may_send = not checkpoint.get("look")
        self._stored = _Stored.model_validate(checkpoint["job"]) if "job" in checkpoint else None
        job = RemoteJob(
            id=self._stored.id if self._stored else str(uuid.uuid4()),
            model=str(recipe.settings["model"]),
            inputs=rows.input_of(recipe),
            recipe=recipe,
            options=connections.options,
            generation_id=ctx.workdir.name,
            attempt=ctx.attempt,
            sent_at=self._stored.sent_at if self._stored else datetime.now(UTC),
        )
        self._work = Work(self._provider, connections, place, ctx, job)

    def run(self) -> Artifact:
        """Go on from what is stored, to the result.

        Raises:
            RenderFailed: there is no result, and there will be none.
            NeedsAttention: a person must look.
            RenderCancelled: the job was cancelled; its text is what the provider answered.
        """
        try:
            return self._finish(self._sent_job())
        except RenderCancelled:
            sent = self._stored.sent if self._stored else None
            raise RenderCancelled(self._work.stop(sent) if sent else "") from None

    def _sent_job(self) -> Submitted:
        if self._stored is None:
            if not self._may_send:
                raise self._unknown("nothing is stored of it")
            return self._prepare()
        if self._stored.sent is not None:
            logger.info("%s has the job as %s; it is followed again", self._place.name, self._stored.sent.id)
            return self._stored.sent
        return self._find("videogen ended while it was sent")

    def _prepare(self) -> Submitted:
        """Upload the pictures, store the intent, and send the job."""
        self._ctx.report(0, 0, "sending", f"Sending it to {self._place.name}")
        work = self._work
        try:
            inputs = self._rows.input_of(self._recipe, self._picture)
        except RemoteFault as fault:
            raise self._place.failure(fault) from None
        work.job = replace(work.job, inputs=inputs, sent_at=datetime.now(UTC))
        self._save(_Stored(id=work.job.id, sent_at=work.job.sent_at))
        return self._send()

    def _picture(self, path: Path) -> Any:
        return self._provider.picture(self._work.http, path, self._work.job.options)

    def _send(self) -> Submitted:
        """Send the job, once. What is not known after that is looked for, and never sent again by itself."""
        try:
            sent = self._provider.submit(self._work.http, self._work.job)
        except RemoteFault as fault:
            if fault.is_refusal and fault.kind == "not_found":
                text = f"{fault.message.rstrip('.')}. See whether its `model` and `base_url` are right"
                raise self._place.failure(RemoteFault("invalid", text)) from None
            if fault.is_refusal:
                raise self._place.failure(fault) from None
            reason = fault.message
        except RenderEnd:
            raise
        except Exception:  # the provider's module does not understand the answer
            logger.exception("the answer of %s was not understood", self._place.name)
            reason = "its answer was not understood"
        else:
            return self._keep(sent)
        self._may_send = False
        return self._find(reason)

    def _find(self, reason: str) -> Submitted:
        """Look for a job that may have been sent."""
        if type(self._provider).find is Provider.find:
            raise self._unknown(reason, f"videogen has no way to find it there: see {self._place.look_at}.")
        for _ in range(_LOOKS):
            try:
                found = self._provider.find(self._work.http, self._work.job)
            except RemoteFault as fault:
                raise self._unknown(self._place.describe(fault)) from None
            if found is not None:
                return self._keep(found)
            self._work.pause(self._work.first_wait)
        if self._provider.find_is_certain and self._may_send:
            return self._prepare()  # the provider does not have it for certain
        raise self._unknown(reason)

    def _unknown(self, reason: str, advice: str = "") -> NeedsAttention:
        reason = self._work.connections.without_key(reason).rstrip(".")
        text = f"It is not known whether {self._place.name} has this job: {reason}. {advice}"
        return self._work.attention(text.strip())

    def _keep(self, sent: Submitted) -> Submitted:
        """Store what the provider answered. From here on, the job is followed by its id."""
        logger.info("%s has the job as %s", self._place.name, sent.id)
        job = self._work.job
        self._stored = _Stored(id=job.id, sent_at=job.sent_at, sent=sent)  # a cancel finds it also if `save` raises
        self._save(self._stored)
        if sent.cost is not None:
            self._ctx.spent(sent.cost)
        return sent

    def _save(self, stored: _Stored) -> None:
        # `step` makes it a checkpoint that another attempt goes on from.
        step = {} if stored.sent is None else {"step": 0}
        self._ctx.save({"job": stored.model_dump(mode="json", by_alias=True), **step})

    def _finish(self, sent: Submitted) -> Artifact:
        """Follow the job, and fetch its result at once. If it is not there, its address is asked for once more."""
        follower = Follower(self._work, sent)
        for is_last in (False, True):
            update = follower.result()
            try:
                return self._fetch(update)
            except RemoteFault as fault:
                logger.warning("the result could not be fetched: %s", fault.message)
                if fault.kind in _MAY_COME_BACK:
                    raise self._work.attention(self._place.describe(fault), sent) from None
                if is_last:
                    raise self._place.failure(fault) from None
        raise AssertionError("the last one returns or raises")

    def _fetch(self, update: Update) -> Artifact:
        content_type, name = _CONTENT_TYPES[self._recipe.type]
        target = self._ctx.workdir / name
        text, shown = f"Fetching the result from {self._place.name}", -1

        def watch(size: int, total: int) -> None:
            nonlocal shown
            self._ctx.wait(0.0)
            percent = 100 * size // total if total else 0
            if percent != shown:
                shown = percent
                self._ctx.report(percent, 100 if total else 0, "downloading", text)

        self._ctx.report(0, 0, "downloading", text)
        work = self._work
        download = Download(work.connections, work.http, work.pause, work.first_wait)
        if type(self._provider).join is Provider.join:
            download.fetch(update.results[0], target, watch)
        else:
            parts = [target.with_name(f"part-{number}") for number in range(len(update.results))]
            for result, part in zip(update.results, parts, strict=True):
                download.fetch(result, part, watch)
            self._provider.join(parts, target, self._recipe, lambda _: self._ctx.wait(0.0))
        # Only the file knows its size and length.
        return Artifact(path=target, content_type=content_type, width=0, height=0, fps=self._recipe.fps, num_frames=0)
