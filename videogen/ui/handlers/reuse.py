"""What was made once, made again: its settings into the form, or its recipe with new seeds at once."""

from __future__ import annotations

from uuid import uuid4

from videogen.core.text import shorten
from videogen.schemas.generations import Generation
from videogen.ui import form, repeat
from videogen.ui.form import EngineForm
from videogen.ui.handlers.registry import Click, FormValues, fills, handles
from videogen.ui.tab import Notice, Tab


@fills("use-settings")
async def use_settings(tab: Tab, click: Click) -> FormValues:
    """The whole form as it was for a generation."""
    generation = await tab.client.get(click.generation_id)
    engine = tab.site.engine(generation.engine)
    return _filled(tab, generation, engine if engine and engine.available else tab.site.engines[0])


@fills("animate")
async def animate(tab: Tab, click: Click) -> FormValues:
    """The form for a video that starts from a finished still."""
    still = await tab.client.get(click.generation_id)
    if (engine := tab.site.animator(still.engine)) is None:
        return {}
    changes = {"type": "video", "image_id": still.file_id or "", "seed": ""}
    return {**_filled(tab, still, engine), **changes}


@fills("extend")
async def extend(tab: Tab, click: Click) -> FormValues:
    """The form for a video that goes on from a finished one: the prompt of its end, its seed, and some seconds more."""
    before = await tab.client.get(click.generation_id)
    if (engine := tab.site.extender(before.engine)) is None:
        return {}
    tab.extended = before
    seconds = min(engine.longest, before.duration_seconds + engine.seconds)
    changes = {"extend_id": before.id, "image_id": "", "last_id": "", "seconds": seconds, "variations": 1}
    if before.shots:
        changes |= {"prompt": before.shots[-1].prompt}
    words = tab.texts.gettext("extend.filled", what=_named(tab, before), length=tab.texts.length(seconds))
    return {**_filled(tab, before, engine, words), **changes}


@fills("end-with")
async def end_with(tab: Tab, click: Click) -> FormValues:
    """The form's video ends with a finished still."""
    still = await tab.client.get(click.generation_id)
    return {"last_id": still.file_id or ""} if tab.takes_last else {}


@fills("form-back")
async def form_back(tab: Tab, _click: Click) -> FormValues:
    """The form as it was before it was filled last."""
    tab.notice = Notice(tab.texts.gettext("reuse.back"))
    return tab.form_before


@handles("again")
async def again(tab: Tab, click: Click) -> None:
    """The same recipe at once, with seeds that are drawn anew; `variations` is how many, in one project."""
    count = click.text("variations", 1)
    variations = int(count) if count.isascii() and count.isdigit() else 1
    wanted = repeat.again(await tab.client.get(click.generation_id), variations)
    project = await tab.client.submit(wanted, str(uuid4()))
    for generation in project.generations:
        tab.board.put(generation)
    tab.board.show_project(project)


def _named(tab: Tab, generation: Generation) -> str:
    return tab.texts.gettext("reuse.quoted", words=shorten(generation.title or generation.prompt, 40))


def _filled(tab: Tab, generation: Generation, engine: EngineForm, begin: str = "") -> FormValues:
    """The form's values for a generation's recipe, and a notice that names it, or begins with `begin`, and says what
    will differ."""
    gettext, made_by = tab.texts.gettext, generation.engine_version
    words = [begin or gettext("reuse.filled", what=_named(tab, generation))]
    if engine.id != generation.engine:
        words.append(gettext("reuse.other_engine", engine=generation.engine))
    elif engine.version != made_by:
        words.append(gettext("reuse.version", then=made_by, engine=engine.title, now=engine.version))
    tab.notice = Notice(" ".join(words), form_back=True)
    return form.values_of(repeat.recipe_of(generation), engine)
