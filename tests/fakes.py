"""Tiny engines, each with one purpose. Renderer children load them by file reference: `tests/fakes.py:bars`."""

import errno
import logging
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np

from videogen.engines import (
    Artifact,
    Capabilities,
    Preset,
    ProcessPolicy,
    engine,
    read_input,
    read_last,
    render_at,
    render_still,
    video_recipe,
)
from videogen.schemas.engines import Cost
from videogen.testing.fakes import DiesSettings as DiesSettings
from videogen.testing.fakes import PacedSettings, Steady, bars_frame
from videogen.testing.fakes import bars as bars
from videogen.testing.fakes import dies as dies
from videogen.testing.fakes import ignores_cancel as ignores_cancel
from videogen.testing.fakes import lost_service as lost_service
from videogen.testing.fakes import raises as raises
from videogen.testing.fakes import refuses as refuses
from videogen.testing.fakes import slow as slow
from videogen.testing.fakes import steady as steady

KITE = Preset(
    id="kite", title="Kite", prompt="a kite", poster=Path(__file__).parents[1] / "docs" / "gallery" / "clouds.webp"
)


@engine(
    "looks",
    capabilities=Capabilities(types=("video", "image"), image_input=True, last_frame=True, negative_prompt=True),
    presets=(KITE,),
)
def looks(recipe):
    """Shows the mean colour of its input image, a little brighter from frame to frame; then that of its last one."""
    colour = read_input(recipe).mean((0, 1)) if recipe.input_digest else np.array([64, 128, 192])
    last = read_last(recipe).mean((0, 1)) if recipe.last_digest else colour
    for index in range(recipe.num_frames):
        colour = last if 2 * index > recipe.num_frames else colour
        frame = np.broadcast_to(colour + 2 * index, (recipe.height, recipe.width, 3))
        yield np.clip(frame, 0, 255).astype(np.uint8)


@engine("priced-looks", capabilities=Capabilities(image_input=True))
def priced_looks(recipe, ctx):
    """Each render has a price."""
    ctx.spent(Cost(amount=0.25, currency="USD"))
    yield from (bars_frame(recipe, index) for index in range(recipe.num_frames))


@engine("until-cancelled")
def until_cancelled(recipe, ctx):
    """Yields one frame, then waits for the cancel."""
    yield bars_frame(recipe, 0)
    while True:
        threading.Event().wait(0.005)
        ctx.raise_if_cancelled()


@engine("reports-and-hangs")
def reports_and_hangs(recipe, ctx):
    """Hangs for ever from the step that it reports on: whoever sees the step knows that no cancel is noticed."""
    ctx.report(1, recipe.num_frames, "rendering")
    threading.Event().wait()
    yield


@engine("hangs")
def hangs(recipe):
    """Sends nothing, and ignores every request to stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Event().wait()
    yield


@engine("holds-interpreter")
def holds_interpreter(recipe):
    """Hangs in native code that lets no other thread run, so that it cannot read a cancel."""
    yield bars_frame(recipe, 0)
    re.match(r"(a+)+$", "a" * 64 + "b")


@engine("crashes")
def crashes(recipe):
    """Prints, then dies of a segmentation fault."""
    yield bars_frame(recipe, 0)
    print("the last word", flush=True)
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)


@engine("explains-and-dies")
def explains_and_dies(recipe):
    """Prints why, then dies."""
    yield bars_frame(recipe, 0)
    print("loading\nthe device is lost\nno other device\n\ngiving up", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


@engine("hungry")
def hungry(recipe):
    """Takes more memory than it may."""
    yield bars_frame(recipe, 0)
    print("and more", flush=True)
    taken = []
    while True:
        taken.append(np.ones(4 << 20, np.uint8))
        threading.Event().wait(0.01)


hungry.process = ProcessPolicy(memory_mb=200)


@engine("endless")
def endless(recipe, ctx):
    """Goes on reporting, and never comes to an end."""
    print("still thinking", flush=True)
    while True:
        ctx.report(0, 1, "thinking")
        threading.Event().wait(0.02)
    yield


endless.process = ProcessPolicy(max_seconds=2.0)


@engine("prints-and-waits")
def prints_and_waits(recipe, ctx):
    """Prints, shows one frame, then waits for the cancel."""
    print("I have begun", flush=True)
    yield bars_frame(recipe, 0)
    while True:
        ctx.raise_if_cancelled()
        threading.Event().wait(0.02)


@engine("exits")
def exits(recipe):
    """Calls sys.exit."""
    yield bars_frame(recipe, 0)
    sys.exit(3)


@engine("leaves")
def leaves(recipe):
    """Ends its process without a message."""
    yield bars_frame(recipe, 0)
    os._exit(7)


@engine("out-of-memory")
def out_of_memory(recipe):
    """Asks for more memory than there is."""
    raise MemoryError
    yield


@engine("disk-full")
def disk_full(recipe):
    """Fails as on a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device")
    yield


@engine("fills-disk")
def fills_disk(recipe):
    """The system refuses its file when it grows: the limit stands for a full disk."""
    sys.dont_write_bytecode = True  # Python would keep a module cut short in its cache
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    noise = np.random.default_rng(0)
    for _ in range(recipe.num_frames):
        yield noise.integers(0, 256, (recipe.height, recipe.width, 3), np.uint8)


@engine("wrong-shape")
def wrong_shape(recipe):
    """Its frame 1 is transposed."""
    yield bars_frame(recipe, 0)
    yield bars_frame(recipe, 1).transpose(1, 0, 2)


@engine("wrong-type")
def wrong_type(recipe):
    """Its frames are floats."""
    yield bars_frame(recipe, 0) / 255


@engine("no-array")
def no_array(recipe):
    """Its frames are lists."""
    yield bars_frame(recipe, 0).tolist()


@engine("too-few")
def too_few(recipe):
    """Ends before the last frame."""
    for index in range(recipe.num_frames - 1):
        yield bars_frame(recipe, index)


@engine("too-many")
def too_many(recipe):
    """Never ends."""
    index = 0
    while True:
        yield bars_frame(recipe, index)
        index += 1


@engine("no-generator")
def no_generator(recipe):
    """Forgets to yield."""


@engine("prints")
def prints(recipe):
    """Prints in every way there is, also what looks like a message, and reads standard input."""
    line = '{"t": "failed", "code": "forged", "message": "not a message"}'
    for index in range(recipe.num_frames):
        print(line)
        os.write(1, f"{line}\n".encode())
        os.write(2, b"\xff\xfe broken bytes\n")
        subprocess.run([sys.executable, "-c", "print('from a grandchild')"], check=True) if index == 0 else None
        assert sys.stdin.read() == ""
        yield bars_frame(recipe, index)


@engine("talks")
def talks(recipe):
    """Prints, logs and warns, as engines do."""
    for index in range(recipe.num_frames):
        print(f"frame {index}", flush=True)
        print("this too", file=sys.stderr)
        logging.getLogger("talks").info("and this")
        yield bars_frame(recipe, index)
    warnings.warn("that was all", stacklevel=1)


@engine("breaks-protocol")
def breaks_protocol(recipe):
    """Writes something else than a message to the host."""
    yield bars_frame(recipe, 0)
    os.write(int(sys.argv[1]), b"this is no message\n")
    threading.Event().wait()


@engine("has-children")
def has_children(recipe, ctx):
    """Starts a process, reports its id, and dies before it."""
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    ctx.report(0, recipe.num_frames, "waiting", str(child.pid))
    os.kill(os.getpid(), signal.SIGKILL)
    yield


@engine("has-helper")
def has_helper(recipe, ctx):
    """Starts a process, reports its id, and waits for it."""
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    ctx.report(0, recipe.num_frames, "waiting", str(child.pid))
    child.wait()
    yield


@engine("leaves-pipe-open")
def leaves_pipe_open(recipe, ctx):
    """Dies, and leaves a process behind that holds the pipe to the host open."""
    ctx.report(0, recipe.num_frames, "waiting")
    pipe = int(sys.argv[1])
    subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], pass_fds=(pipe,))
    os.kill(os.getpid(), signal.SIGKILL)
    yield


class CutShort(Steady):
    """Returns a video file that is cut short."""

    id = "cut-short"

    def render(self, recipe, ctx):
        artifact = super().render(recipe, ctx)
        data = artifact.path.read_bytes()
        artifact.path.write_bytes(data[: len(data) // 2])
        return artifact


class CutShortStill(Steady):
    """Returns a picture file that is cut short."""

    id = "cut-short-still"

    def probe(self):
        return Capabilities(types=("image",))

    def normalise(self, request):
        return video_recipe(self, request.model_copy(update={"type": "image"}))

    def render(self, recipe, ctx):
        artifact = render_still(recipe, ctx, lambda: bars_frame(recipe, 0))
        artifact.path.write_bytes(artifact.path.read_bytes()[:80])
        return artifact


class OtherFormat(Steady):
    """Returns a WebM with sound, under another name."""

    id = "other-format"

    def render(self, recipe, ctx):
        from tests.support.videos import write_video

        size, seconds = (recipe.width, recipe.height), recipe.duration_seconds
        made = {"codec": "libvpx-vp9", "container": "webm", "sound": "libopus"}
        path = write_video(ctx.workdir / "video.bin", size=size, seconds=seconds, **made)
        return Artifact(path=path, width=size[0], height=size[1], fps=recipe.fps, num_frames=recipe.num_frames)


class HalfAsLong(Steady):
    """Returns a video of half the duration."""

    id = "half-as-long"

    def render(self, recipe, ctx):
        return super().render(recipe.model_copy(update={"num_frames": recipe.num_frames // 2}), ctx)


class OtherSize(Steady):
    """Returns a video of another size than it says."""

    id = "other-size"

    def render(self, recipe, ctx):
        return super().render(recipe, ctx).model_copy(update={"width": recipe.width * 2})


class OtherType(Steady):
    """Returns a picture instead of a video."""

    id = "other-type"

    def render(self, recipe, ctx):
        return render_still(recipe, ctx, lambda: bars_frame(recipe, 0))


class Outside(Steady):
    """Returns a file that is not in its workdir."""

    id = "outside"

    def render(self, recipe, ctx):
        return Artifact(path=__file__, width=2, height=2, fps=1, num_frames=1)


class NoArtifact(Steady):
    """Returns nothing."""

    id = "no-artifact"

    def render(self, recipe, ctx):
        return None


cut_short = CutShort()
cut_short_still = CutShortStill()
other_format = OtherFormat()
half_as_long = HalfAsLong()
other_size = OtherSize()
other_type = OtherType()
outside = Outside()
no_artifact = NoArtifact()
not_an_engine = object()


class Paced(Steady):
    """Like steady, but takes `delay_ms` for each frame."""

    id = "paced"
    settings = PacedSettings

    def render(self, recipe, ctx):
        def frame_at(index):
            threading.Event().wait(recipe.settings["delay_ms"] / 1000)
            ctx.raise_if_cancelled()
            return bars_frame(recipe, index)

        return render_at(recipe, ctx, frame_at)


paced = Paced()
