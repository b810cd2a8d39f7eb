"""What must be true of every engine, as tests for pytest. They run it in child processes, as the app does."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest
from pydantic import BaseModel, ValidationError

from videogen.core.errors import InvalidRequestError
from videogen.engines.base import Engine, Recipe, RenderLost, RenderRequest, Source, Span
from videogen.engines.presets import preset_infos
from videogen.engines.process import protocol
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.engines.registry import load_engine, process_policy
from videogen.media.image import probe_image
from videogen.media.probe import probe
from videogen.schemas.engines import Capabilities
from videogen.services.span_recipes import part_recipe, whole_recipe

HEAVY = ("torch", "diffusers", "transformers", "tensorflow", "jax")


class ConformanceJob(RenderHandle):
    """A job of the suite. It knows whether it was stopped by force."""

    was_killed = False

    def __enter__(self) -> Self:
        return self

    def kill(self) -> None:
        self.was_killed = True
        super().kill()


class EngineConformance:
    """What must be true of every engine. Subclass it in a test file, and name the engine:

        class TestMine(EngineConformance):
            engine = "mine.py:mine"

    A test is skipped if the engine does not have what it is about, and all that render if it is not available here.
    """

    engine: ClassVar[str]
    """A reference as in `VIDEOGEN_ENGINES`."""
    prompt: ClassVar[str] = "a red kite over the sea"
    settings: ClassVar[dict[str, Any]] = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 1.0}
    """Of a render that takes little time, as in a request."""
    long_settings: ClassVar[dict[str, Any]] = {"durationSeconds": 20.0}
    """Changes of `settings` for a render that is cancelled or killed before its end."""
    deterministic: ClassVar[bool] = True
    """Whether the same recipe gives the same bytes. Without it, only the shape of results is compared."""
    cancel_seconds: ClassVar[float] = 30.0
    """Seconds in which it must stop when it is cancelled. The app waits for 3."""
    pool: ClassVar[ProcessPool]

    @classmethod
    def setup_class(cls) -> None:
        """Share children between the tests, so that a model is loaded once."""
        cls.pool = ProcessPool()

    @classmethod
    def teardown_class(cls) -> None:
        """End the children."""
        cls.pool.close()

    # What the app asks it

    def test_it_has_all_that_the_app_asks_for(self) -> None:
        made = self._load()
        assert isinstance(made, Engine)
        for name in ("id", "version", "title"):
            assert getattr(made, name), f"{name} is empty"
        assert issubclass(made.settings, BaseModel)
        assert isinstance(made.probe(), Capabilities)
        json.dumps(made.settings.model_json_schema(by_alias=True))

    def test_the_app_imports_no_model_with_it(self) -> None:
        code = (
            "import sys; from videogen.engines.registry import load_engine; "
            f"load_engine({self.engine!r}).probe(); print(*({set(HEAVY)!r} & sys.modules.keys()))"
        )
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
        run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert run.stdout.split() == [], "import it in `load` or `render`, not at the top of the module"

    def test_its_defaults_are_valid(self) -> None:
        made = self._load()
        recipe = made.normalise(RenderRequest(type=made.probe().types[0], prompt=self.prompt))
        assert (recipe.engine, recipe.engine_version) == (made.id, made.version)

    def test_the_same_request_gives_the_same_recipe_which_survives_json(self) -> None:
        first, second = self._recipe(), self._recipe()
        assert first.digest == second.digest
        assert Recipe.model_validate_json(first.model_dump_json(by_alias=True)).digest == first.digest

    def test_a_seed_is_drawn_if_none_is_given(self) -> None:
        assert self._recipe(seed=None).seed != self._recipe(seed=None).seed

    def test_a_wrong_setting_is_refused(self) -> None:
        with pytest.raises((ValidationError, InvalidRequestError)):
            self._recipe(no_such_setting=1)

    def test_its_presets_are_valid(self) -> None:
        made = self._load()
        assert len(preset_infos(made, "")) == len(getattr(made, "presets", None) or ())

    # A job

    def test_a_job_reports_its_progress_and_ends_once_with_a_video(self, tmp_path: Path) -> None:
        self._needs("video")
        recipe = self._recipe()
        messages = self._run(recipe, tmp_path)
        assert messages[0].t == "started"
        assert messages[-1].t == "done", messages[-1]
        assert sum(map(protocol.is_end, messages)) == 1
        assert [message for message in messages if isinstance(message, protocol.Progress)], "it reports no step"
        artifact = _artifact(messages)
        found = probe(artifact.path)
        assert (found.width, found.height, found.num_frames) == (recipe.width, recipe.height, recipe.num_frames)
        assert found.fps == pytest.approx(recipe.fps)

    def test_a_job_makes_an_image(self, tmp_path: Path) -> None:
        self._needs("image")
        recipe = self._recipe(kind="image")
        artifact = _artifact(self._run(recipe, tmp_path))
        assert artifact.content_type.startswith("image/")
        assert probe_image(artifact.path) == (recipe.width, recipe.height)

    def test_a_job_starts_from_an_image(self, tmp_path: Path) -> None:
        if not self._needs("video").image_input:
            pytest.skip("it takes no image")
        file = _picture(tmp_path / "input.png")
        recipe = self._recipe(input_digest=_digest(file)).model_copy(update={"input_path": file})
        assert recipe.input_digest == _digest(file), "normalise() must keep input_digest"
        assert self._run(recipe, tmp_path / "work")[-1].t == "done"

    def test_a_job_ends_with_an_image(self, tmp_path: Path) -> None:
        if not (capabilities := self._needs("video")).last_frame:
            pytest.skip("it takes no last frame")
        first, last = (_picture(tmp_path / name) for name in ("first.png", "last.png"))
        images: dict[str, str | None] = {"last_digest": _digest(last)}
        if capabilities.image_input:
            images["input_digest"] = _digest(first)
        recipe = self._recipe(**images)
        assert recipe.last_digest == images["last_digest"], "normalise() must keep last_digest"
        paths = {"last_path": last} | ({"input_path": first} if capabilities.image_input else {})
        assert self._run(recipe.model_copy(update=paths), tmp_path / "work")[-1].t == "done"

    def test_a_job_goes_on_from_a_video(self, tmp_path: Path) -> None:
        made = self._load()
        if not (self._needs("video").image_input or hasattr(made, "extend")):
            pytest.skip("it has no `extend`, and takes no image")
        first = self._recipe()
        artifact = _artifact(self._run(first, tmp_path / "first"))
        frame = artifact.frame_paths.get(first.num_frames)
        source = Source(digest=_digest(artifact.path), frame_digest=_digest(frame) if frame else None)
        digest = source.frame_digest or source.digest
        part = part_recipe(made, self._request(), first, digest)
        assert part.input_digest in (digest, None), "extend() and normalise() must keep input_digest, or clear it"
        kept = Span(num_frames=first.num_frames, kept_from=0, prompt=first.prompt, recipe=first)
        whole = whole_recipe(part, [kept], [part], source)
        assert Recipe.model_validate_json(whole.model_dump_json(by_alias=True)).digest == whole.digest
        whole = whole.model_copy(update={"source_path": artifact.path, "source_frame_path": frame})
        longer = _artifact(self._run(whole, tmp_path / "whole"))
        found = probe(longer.path)
        assert (found.width, found.height, found.num_frames) == (whole.width, whole.height, whole.num_frames)
        pairs = zip(_frames(artifact.path), _frames(longer.path), strict=False)
        assert all(before == after for before, after in pairs), "what is kept must stay as it is"

    def test_jobs_in_sequence_give_the_same_as_each_alone(self, tmp_path: Path) -> None:
        self._needs("video")
        pids = []
        results = []
        for number in (1, 2):
            with self._start(self._recipe(), tmp_path / f"{number}") as render:
                results.append(self._result(list(render.messages())))
            pids.append(render.pid)
        assert results[0] == results[1]
        if process_policy(self.engine).mode == "per_job":
            assert pids[0] != pids[1]
        else:
            assert pids[0] == pids[1], "a failure, or a job that does not end, costs the loaded child"

    def test_a_cancelled_job_stops_by_itself(self, tmp_path: Path) -> None:
        self._needs("video")
        with self._start(self._recipe(**self.long_settings), tmp_path, grace=self.cancel_seconds) as render:
            messages = render.messages()
            _read_until(messages, (protocol.Progress, protocol.Preview))
            render.cancel()
            end = list(messages)[-1]
            assert end.t == "cancelled", "it was done before the cancel: give it longer `long_settings`"
            assert not render.was_killed, f"it went on for {self.cancel_seconds:g} s: call ctx.raise_if_cancelled()"

    def test_a_job_whose_process_is_killed_is_done_by_its_next_attempt(self, tmp_path: Path) -> None:
        resumes = self._needs("video").resume
        recipe = self._recipe(**self.long_settings)
        with self._start(recipe, tmp_path / "killed") as render:
            messages = render.messages()
            _read_until(messages, (protocol.Checkpoint,) if resumes else (protocol.Progress, protocol.Preview))
            os.kill(render.pid, signal.SIGKILL)
            with suppress(RenderLost):
                end = list(messages)[-1]
                pytest.fail(f"it was done before the kill ({end.t}): give it longer `long_settings`")
        again = self._run(recipe, tmp_path / "killed", attempt=2)
        started = again[0]
        assert isinstance(started, protocol.Started)
        assert (started.resumed_at is not None) == resumes, "capabilities.resume must say whether it has checkpoints"
        assert self._result(again) == self._result(self._run(recipe, tmp_path / "unbroken"))

    # Helpers

    def _load(self) -> Engine:
        return load_engine(self.engine)

    def _needs(self, kind: str) -> Capabilities:
        """Skip the test if the engine does not make this type, or is not available here."""
        capabilities = self._load().probe()
        if not capabilities.available:
            pytest.skip(f"not available here: {capabilities.reason}")
        if kind not in capabilities.types:
            pytest.skip(f"it makes no {kind}")
        return capabilities

    def _request(
        self, kind: Any = None, input_digest: str | None = None, last_digest: str | None = None, **settings: Any
    ) -> RenderRequest:
        values = {"seed": 7, **self.settings, **settings}
        return RenderRequest(
            type=kind or self._load().probe().types[0],
            prompt=self.prompt,
            settings={name: value for name, value in values.items() if value is not None},
            input_digest=input_digest,
            last_digest=last_digest,
        )

    def _recipe(self, kind: Any = None, **request: Any) -> Recipe:
        return self._load().normalise(self._request(kind, **request))

    def _start(self, recipe: Recipe, workdir: Path, *, attempt: int = 1, grace: float = 3.0) -> ConformanceJob:
        job = protocol.RenderJob(
            engine=self.engine, recipe=recipe, generation_id=workdir.name, workdir=workdir, attempt=attempt
        )
        return ConformanceJob(job, self.pool, grace=grace)

    def _run(self, recipe: Recipe, workdir: Path, attempt: int = 1) -> list[protocol.Message]:
        with self._start(recipe, workdir, attempt=attempt) as render:
            return list(render.messages())

    def _result(self, messages: list[protocol.Message]) -> object:
        artifact = _artifact(messages)
        if self.deterministic:
            return hashlib.sha256(artifact.path.read_bytes()).hexdigest()
        return artifact.model_dump(exclude={"path", "poster_path"})


def _picture(path: Path) -> Path:
    from PIL import Image

    Image.radial_gradient("L").resize((120, 90)).convert("RGB").save(path)
    return path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _frames(path: Path) -> list[bytes]:
    import av

    with av.open(str(path)) as video:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in video.decode(video=0)]


def _artifact(messages: list[protocol.Message]) -> Any:
    end = messages[-1]
    assert isinstance(end, protocol.Done), end
    return end.artifact


def _read_until(messages: Iterator[protocol.Message], kinds: tuple[type[protocol.Message], ...]) -> None:
    """Read up to the first message of one of these kinds: progress from step 1 on, a checkpoint with a step."""
    for message in messages:
        counts = "step" in message.data if isinstance(message, protocol.Checkpoint) else getattr(message, "step", 1) > 0
        if isinstance(message, kinds) and counts:
            return
    pytest.fail(f"it ended without one of {', '.join(kind.__name__ for kind in kinds)}")
