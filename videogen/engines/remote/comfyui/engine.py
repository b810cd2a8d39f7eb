"""The engine kind `comfyui`: one workflow file, on one ComfyUI server."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from videogen.engines.base import Recipe, RenderRequest
from videogen.engines.configured import configured_settings
from videogen.engines.remote.comfyui.provider import ComfyUI
from videogen.engines.remote.comfyui.workflow import Workflow, read_workflow
from videogen.engines.remote.engine import RemoteEngine
from videogen.engines.spec import EngineSpec


def create(spec: EngineSpec) -> ComfyUIEngine:
    """Make the engine of a spec, whose `model` is the path of a workflow file.

    Raises:
        ConfigError: a key or value is wrong, or the file is no workflow that fits.
    """
    if not spec.model:
        raise spec.error("model", "the path of a workflow file", spec.model)
    return ComfyUIEngine(spec, read_workflow(spec))


class ComfyUIEngine(RemoteEngine):
    """Renders with a workflow. Its settings are the marked inputs; the recipe has what the workflow fixes."""

    def __init__(self, spec: EngineSpec, workflow: Workflow) -> None:
        """
        Raises:
            ConfigError: a key or value is wrong.
        """
        rows = {name: mark.row.model_dump(by_alias=True) for name, mark in workflow.marks.items()}
        options = {"makes": workflow.type, **spec.options, "inputs": rows}
        super().__init__(spec.model_copy(update={"options": options}), ComfyUI(workflow))
        self._workflow, self._fixed = workflow, workflow.fixed()
        self.title = spec.title or "ComfyUI"
        self.description = "A workflow that a ComfyUI server runs."
        seconds = self._fixed_seconds
        if seconds and "duration_seconds" in self.settings.model_fields:
            usual = EngineSpec(id=spec.id, kind=spec.kind, defaults={"duration_seconds": seconds}, source=spec.source)
            self.settings = configured_settings(self.settings, usual)

    def normalise(self, request: RenderRequest) -> Recipe:
        """See `Engine.normalise`. What no setting sets is as the workflow has it, if that is known."""
        recipe = super().normalise(request)
        marks, fixed = self._workflow.marks.keys(), self._fixed
        changes: dict[str, Any] = {
            name: max(2, int(fixed[name]) // 2 * 2)
            for name in ("width", "height")
            if name in fixed and name not in marks
        }
        if recipe.type == "video":
            fps = recipe.fps if "fps" in marks else max(1, round(fixed.get("fps", recipe.fps)))
            seconds = recipe.duration_seconds
            if not {"seconds", "num_frames"} & marks:
                seconds = self._fixed_seconds or seconds
            changes |= {"fps": fps, "num_frames": max(1, round(seconds * fps))}
        # Only the name: whose paths these are is nobody's business.
        own = {"model": Path(self.spec.model).name, "workflow": self._workflow.digest, **_shown(fixed, marks)}
        return recipe.model_copy(update={**changes, "settings": {**recipe.settings, **own}})

    @property
    def _fixed_seconds(self) -> float | None:
        """The length of the workflow as it is; None if it does not say."""
        fixed = self._fixed
        if "num_frames" in fixed and "fps" in fixed:
            return round(fixed["num_frames"] / fixed["fps"], 2)
        return fixed.get("seconds")


def _shown(fixed: Mapping[str, int | float], marked: Collection[str]) -> dict[str, Any]:
    """What the workflow fixes, for the settings of a recipe."""
    return {f"workflow_{name}": value for name, value in fixed.items() if name not in marked}
