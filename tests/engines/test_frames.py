import threading

import numpy as np
import pytest

from videogen.engines.base import RenderCancelled, RenderFailed
from videogen.engines.frames import render_at, render_sequence
from videogen.engines.registry import load_engine
from videogen.media.probe import probe


class Stopped(Exception):
    """Stands for a death at a frame."""


class Frames:
    """Makes stripes by frame number; records the numbers, and cancels at a frame if it is given one."""

    def __init__(self, recipe, stop_at=None):
        self.recipe = recipe
        self.asked = []
        self._stop_at = stop_at

    def __call__(self, index):
        if index == self._stop_at:
            raise Stopped
        self.asked.append(index)
        frame = np.zeros((self.recipe.height, self.recipe.width, 3), np.uint8)
        frame[:, index % 8 :: 8] = (250, 200, 10 * index % 250)
        return frame


@pytest.fixture
def recipe(recipe_for):
    return recipe_for("bars")


def whole(recorder, recipe, tmp_path):
    return render_at(recipe, recorder(tmp_path / "unbroken"), Frames(recipe)).path.read_bytes()


def test_every_frame_is_reported_and_the_first_is_a_preview(recorder, recipe):
    ctx = recorder()
    artifact = render_at(recipe, ctx, Frames(recipe), "what was understood")
    assert ctx.steps == list(range(1, 21))
    assert ctx.reports[0] == (0, 20, "preparing", "what was understood")
    assert ctx.reports[-1] == (20, 20, "finishing", "what was understood")
    assert ctx.previews[0].tobytes() == Frames(recipe)(0).tobytes()
    assert [saved["step"] for saved in ctx.saved] == [8, 16, 20]
    probed = probe(artifact.path)
    assert (probed.num_frames, probed.duration_seconds) == (20, 2.5)
    assert artifact.poster_path.is_file()


@pytest.mark.parametrize("stop_at", [0, 1, 7, 8, 9, 15, 16, 19])
def test_a_resumed_render_has_the_same_bytes_as_an_unbroken_one(recorder, recipe, tmp_path, stop_at):
    ctx = recorder()
    with pytest.raises(Stopped):
        render_at(recipe, ctx, Frames(recipe, stop_at))
    again, frames = recorder(checkpoint=ctx.saved[-1] if ctx.saved else None), Frames(recipe)
    artifact = render_at(recipe, again, frames)
    assert frames.asked == list(range(stop_at // 8 * 8, 20))
    assert again.reports[0][0] == stop_at // 8 * 8
    assert artifact.path.read_bytes() == whole(recorder, recipe, tmp_path)
    assert not list(ctx.workdir.rglob("*.part"))


def test_a_render_that_was_lost_at_its_end_makes_no_frame_again(recorder, recipe, tmp_path):
    ctx = recorder()
    render_at(recipe, ctx, Frames(recipe)).path.unlink()
    frames = Frames(recipe)
    artifact = render_at(recipe, recorder(checkpoint=ctx.saved[-1]), frames)
    assert frames.asked == []
    assert artifact.path.read_bytes() == whole(recorder, recipe, tmp_path)


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def swap(path):
    path.write_bytes(path.with_name("00002.mp4").read_bytes())


@pytest.mark.parametrize("spoil", [cut, swap, lambda path: path.unlink()])
def test_a_render_resumes_before_a_segment_that_does_not_fit_the_checkpoint(recorder, recipe, tmp_path, spoil):
    ctx = recorder()
    render_at(recipe, ctx, Frames(recipe))
    spoil(ctx.workdir / "segments" / "00001.mp4")
    frames = Frames(recipe)
    artifact = render_at(recipe, recorder(checkpoint=ctx.saved[-1]), frames)
    assert frames.asked[0] == 8
    assert artifact.path.read_bytes() == whole(recorder, recipe, tmp_path)


@pytest.mark.parametrize("change", [{"recipe": "another"}, {"encoder": "another"}, {"segments": 0}])
def test_segments_of_another_recipe_or_encoder_are_not_used(recorder, recipe, change):
    ctx = recorder()
    render_at(recipe, ctx, Frames(recipe))
    frames = Frames(recipe)
    render_at(recipe, recorder(checkpoint={**ctx.saved[-1], **change}), frames)
    assert frames.asked[0] == 0


@pytest.mark.parametrize("checkpoint", [None, {}, {"segments": 2}])
def test_segments_without_a_checkpoint_are_not_used(recorder, recipe, checkpoint):
    render_at(recipe, recorder(), Frames(recipe))
    frames = Frames(recipe)
    render_at(recipe, recorder(checkpoint=checkpoint), frames)
    assert frames.asked[0] == 0


def test_a_sequence_saves_no_checkpoint(recorder, recipe):
    ctx = recorder(checkpoint={"segments": 2, "step": 16, "recipe": recipe.digest})
    render_sequence(recipe, ctx, map(Frames(recipe), range(20)))
    assert ctx.saved == []
    assert ctx.steps[0] == 1


@pytest.mark.parametrize("step", [0, 1, 8, 13])
def test_a_cancel_takes_effect_at_the_next_frame(recorder, recipe, step):
    frames = Frames(recipe)
    with pytest.raises(RenderCancelled):
        render_at(recipe, recorder(cancel_at=step), frames)
    assert len(frames.asked) == step


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("wrong-shape", "wrong_frame", r"Frame 1: expected uint8 of shape \(64, 96, 3\), got shape \(96, 64, 3\)\. "),
        ("wrong-type", "wrong_frame", r"Frame 0: expected uint8 .*, got float64 of shape \(64, 96, 3\)\. Scale it "),
        ("no-array", "wrong_frame", r"Frame 0: expected uint8 .*, got list\. Convert it "),
        ("too-few", "wrong_frame_count", r"Expected 20 frames \(recipe\.num_frames\), got 19\."),
        ("too-many", "wrong_frame_count", r"Expected 20 frames \(recipe\.num_frames\), got more\."),
        ("no-generator", "render_failed", r"expected a function that yields frames, got one that returns NoneType"),
    ],
)
def test_each_kind_of_wrong_frame_has_its_message(recorder, recipe_for, name, code, message):
    attribute = name.replace("-", "_")
    recipe, ctx = recipe_for(attribute, width=96), recorder()
    engine = load_engine(recipe_for.reference(attribute))
    with pytest.raises(RenderFailed, match=message) as caught:
        engine.render(recipe, ctx)
    assert caught.value.code == code
    assert not (ctx.workdir / "video.mp4").exists()


def test_frames_made_ahead_on_threads_come_in_order(recorder, recipe, tmp_path):
    asked, lock = [], threading.Lock()

    def frame_at(index):
        with lock:
            asked.append((index, threading.current_thread()))
        return np.full((recipe.height, recipe.width, 3), 10 * index, np.uint8)

    alone = render_at(recipe, recorder(tmp_path / "alone"), frame_at)
    together = render_at(recipe, recorder(tmp_path / "together"), frame_at, "", 3)
    assert together.path.read_bytes() == alone.path.read_bytes()
    assert sorted(index for index, _ in asked) == sorted(2 * list(range(recipe.num_frames)))
    assert len({thread for _, thread in asked}) > 1


def test_a_failure_on_a_thread_is_raised_and_ends_all_threads(recorder, recipe):
    def torn(index):
        raise RuntimeError("torn")

    with pytest.raises(RuntimeError, match="torn"):
        render_at(recipe, recorder(), torn, "", 2)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("frames")]
