"""Presets: fill the form with one, and keep, rename and delete one's own."""

from __future__ import annotations

from dataclasses import replace

from videogen.core.security import new_id
from videogen.schemas.generations import GenerationCreate
from videogen.ui.form import values_of
from videogen.ui.handlers.registry import Click, FormValues, fills, handles
from videogen.ui.own_presets import (
    MAX_PRESETS,
    MAX_TEXT,
    MAX_TITLE,
    OwnPreset,
    own_values,
    read_presets,
    write_presets,
)
from videogen.ui.tab import Dialog, Notice, Tab


@fills("preset")
async def fill_preset(tab: Tab, click: Click) -> FormValues:
    """An engine's preset. Its own seed only where it was asked for; else the person's, or none."""
    engine_id, _, preset_id = click.text("preset").partition("/")
    engine = tab.site.engine(engine_id)
    preset = next((one for one in engine.presets if one.id == preset_id), None) if engine else None
    if engine is None or preset is None:
        return {}
    text = tab.texts.preset_text
    wanted = GenerationCreate(
        type=preset.type,
        prompt=text(engine_id, preset_id, "prompt") or preset.prompt,
        negative_prompt=preset.negative_prompt,
        settings=preset.settings,
    )
    return _filled(tab, click, text(engine_id, preset_id, "title") or preset.title, values_of(wanted, engine))


@fills("own-preset")
async def fill_own_preset(tab: Tab, click: Click) -> FormValues:
    """A preset of the person's own, with the settings that its engine has now."""
    preset = _own(tab, click)
    engine = tab.site.engine(preset.form["engine"]) if preset else None
    if preset is None or engine is None:
        return {}
    names = values_of(GenerationCreate(prompt=""), engine).keys()
    return _filled(tab, click, preset.title, {name: one for name, one in preset.form.items() if name in names})


def _filled(tab: Tab, click: Click, title: str, values: FormValues) -> FormValues:
    typed = str(tab.form.get("seed") or "")
    # What an earlier preset has brought is not the person's own seed.
    seed = click.text("seed") or ("" if typed == tab.preset_seed else typed)
    tab.preset_seed = click.text("seed")
    what = tab.texts.gettext("reuse.quoted", words=title)
    tab.notice = Notice(tab.texts.gettext("reuse.filled", what=what), form_back=True)
    return {**values, "seed": seed, "image_id": "", "last_id": "", "extend_id": ""}


@fills("random-seed")
async def random_seed(_tab: Tab, _click: Click) -> FormValues:
    """Have a seed drawn."""
    return {"seed": ""}


@fills("ask-preset")
async def ask_preset(tab: Tab, _click: Click) -> FormValues:
    """Ask for the name under which the form is kept. Nothing is filled in."""
    prompt = str(tab.form.get("prompt") or "").strip()
    if not prompt:
        tab.notice = Notice(tab.texts.gettext("preset.empty"), "warning")
    elif len(tab.presets) >= MAX_PRESETS:
        tab.notice = Notice(tab.texts.gettext("preset.full", most=MAX_PRESETS), "warning")
    else:
        form = own_values(tab.form)
        tab.dialog = Dialog(
            "preset", {"id": "", "title": prompt.splitlines()[0].split(",")[0][:MAX_TITLE], "form": form}
        )
    return {}


@handles("rename-preset")
async def rename_preset(tab: Tab, click: Click) -> None:
    """Ask for another name."""
    if (preset := _own(tab, click)) is not None:
        tab.dialog = Dialog("preset", {"id": preset.id, "title": preset.title, "form": preset.form})


@handles("keep-preset")
async def keep_preset(tab: Tab, click: Click) -> None:
    """Keep the form under the name that was typed in the dialog; or give the preset that name."""
    title = click.text("title").strip()[:MAX_TITLE]
    if tab.dialog is None or tab.dialog.name != "preset" or not title:
        return
    asked, tab.dialog = tab.dialog.values, None
    if asked["id"]:
        presets = [replace(one, title=title) if one.id == asked["id"] else one for one in tab.presets]
    else:
        presets = [*tab.presets, OwnPreset(new_id("pre"), title, asked["form"])]
    _store(tab, presets)
    tab.notice = Notice(tab.texts.gettext("preset.renamed" if asked["id"] else "preset.saved", title=title))


@handles("delete-preset")
async def delete_preset(tab: Tab, click: Click) -> None:
    """Delete one; the notice brings it back."""
    if (preset := _own(tab, click)) is not None:
        tab.deleted_presets = tab.presets
        _store(tab, [one for one in tab.presets if one.id != preset.id])
        tab.notice = Notice(tab.texts.gettext("preset.deleted", title=preset.title), undo_do="restore-presets")


@handles("restore-presets")
async def restore_presets(tab: Tab, _click: Click) -> None:
    """Bring back what was deleted last, at its place; what was kept since stays."""
    known = {one.id for one in tab.deleted_presets}
    _store(tab, [*tab.deleted_presets, *(one for one in tab.presets if one.id not in known)])
    tab.notice = None


@handles("presets")
async def presets_of_browser(tab: Tab, click: Click) -> None:
    """Another tab of this browser has kept or deleted one."""
    tab.presets = read_presets(click.text("kept", MAX_TEXT))


@handles("presets-refused")
async def presets_refused(tab: Tab, _click: Click) -> None:
    """The browser has stored nothing."""
    tab.notice = Notice(tab.texts.gettext("preset.forbidden"), "warning")


def _own(tab: Tab, click: Click) -> OwnPreset | None:
    return next((one for one in tab.presets if one.id == click.text("preset")), None)


def _store(tab: Tab, presets: list[OwnPreset]) -> None:
    tab.presets = tuple(presets[:MAX_PRESETS])
    tab.presets_text = write_presets(tab.presets)
