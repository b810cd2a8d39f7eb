"""One engine of each kind that an author can write."""

import threading

import numpy as np

import videogen
from videogen.engines import Capabilities


@videogen.engine("function", capabilities=Capabilities(types=("video", "image")))
def function(recipe, ctx, image=None):
    """Moving stripes; of the image's colour, if there is one."""
    colour = (200, 120, 40) if image is None else image.mean((0, 1))
    columns = np.arange(recipe.width)
    for index in range(recipe.num_frames):
        frame = np.zeros((recipe.height, recipe.width, 3), np.uint8)
        frame[:, (columns + index) % 8 < 4] = colour
        yield frame


def load_palette():
    return np.arange(256, dtype=np.uint8)[::-1]


@videogen.engine("loaded-function", load=load_palette)
def loaded_function(recipe, model):
    """Colours of a palette that is loaded once."""
    for index in range(recipe.num_frames):
        yield np.full((recipe.height, recipe.width, 3), model[index % 256], np.uint8)


@videogen.engine("loaded-class", capabilities=Capabilities(resume=True))
class LoadedClass:
    """Each frame depends on the one before; the state is saved every five frames."""

    def load(self):
        self.factor = 5

    def render(self, recipe, ctx):
        first, value = (ctx.checkpoint or {}).get("frame", 0), (ctx.checkpoint or {}).get("value", recipe.seed % 251)
        for index in range(first, recipe.num_frames):
            value = (value * self.factor + 1) % 251
            yield np.full((recipe.height, recipe.width, 3), value, np.uint8)
            if index % 5 == 4:
                ctx.save({"frame": index + 1, "value": value})


@videogen.engine("file")
class File:
    """Returns the path of a file that it has written."""

    def render(self, recipe, ctx):
        frames = function.source(recipe, ctx)
        return videogen.engine("inner")(lambda _: frames).render(recipe, ctx).path


@videogen.engine("forgetful", capabilities=Capabilities(resume=True))
def forgetful(recipe):
    """Claims to have checkpoints."""
    yield from function.source(recipe, None)


@videogen.engine("deaf")
def deaf(recipe, ctx):
    """Hangs after its first step, which it reports itself: no cancel can come before that."""
    ctx.report(1, recipe.num_frames, "rendering")
    threading.Event().wait()
    yield from function.source(recipe, None)
