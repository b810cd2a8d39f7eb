"""What is done with a file that was given to the page: an image to start from or to end with, or settings that come
back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import anyio.to_thread

from videogen.client import ApiError, ClientError
from videogen.schemas.generations import File, FileSettings, Generation
from videogen.ui import form
from videogen.ui.form import LIKE_IMAGE
from videogen.ui.handlers.registry import Click, FormValues, fills, handles
from videogen.ui.start_image import like_image, takes_last
from videogen.ui.tab import Notice, Tab
from videogen.ui.uploads import media_type

_TEXT_MARKS: Final = (b"tEXt", b"zTXt", b"iTXt", b"EXIF")
"""Chunks of a PNG or WebP that may hold settings."""
_REFUSALS: Final = {
    "no_settings": "files.no_settings",
    "unsupported_media_type": "files.wrong_type",
    "invalid_request": "files.broken",
}
_NO_IMAGE: Final[FormValues] = {"image_id": ""}


async def take_file(tab: Tab, path: Path, name: str, engine_id: object) -> FormValues:
    """What a file means for the form: its settings, if it carries any, else an image to start from. One to end with is
    taken as a picture, whatever it carries.

    Args:
        tab: gets the message about it.
        path: of the file.
        name: as the person knows it.
        engine_id: the engine that is chosen.
    """
    kind, may_carry = await anyio.to_thread.run_sync(_look_at, path)
    if not may_carry or (kind is not None and tab.awaits_last):
        return await _start_from(tab, path, name, engine_id)
    try:
        found = await tab.client.read_settings(path)
    except ApiError as refusal:
        if kind is not None and refusal.code == "no_settings":
            return await _start_from(tab, path, name, engine_id)
        key = _REFUSALS.get(refusal.code)
        tab.notice = Notice(tab.texts.gettext(key, name=name) if key else tab.texts.refusal(refusal), "warning")
        return {}
    tab.offered = None
    if kind is not None:
        with suppress(ClientError):
            tab.offered = (name, await tab.client.upload(path))
    return _settings(tab, found, name)


def _look_at(path: Path) -> tuple[str | None, bool]:
    """The media type of an image, and whether it is worth to look for settings in the file."""
    kind = media_type(path)
    return kind, kind is None or (kind != "image/jpeg" and any(mark in path.read_bytes() for mark in _TEXT_MARKS))


async def _start_from(tab: Tab, path: Path, name: str, engine_id: object) -> FormValues:
    engine = tab.site.engine(str(engine_id))
    if engine is None or not (engine.image or tab.awaits_last):
        title = engine.title if engine else str(engine_id)
        tab.notice = Notice(tab.texts.gettext("files.no_image", name=name, engine=title), "warning")
        return {}
    try:
        image = await tab.client.upload(path)
    except ApiError as refusal:
        names = {"file": tab.texts.gettext("form.image")}
        tab.notice = Notice(tab.texts.refusal(refusal, names), "warning")
        return {}
    return _with_image(tab, image)


def _with_image(tab: Tab, image: File) -> FormValues:
    if tab.awaits_last:
        tab.last_image, tab.awaits_last, tab.notice = image, False, None
        return {"last_id": image.id}
    tab.image, tab.offered, tab.notice = image, None, None
    return {"image_id": image.id, "shape": LIKE_IMAGE}


@handles("too-large")
async def too_large(tab: Tab, click: Click) -> None:
    """A file was chosen that is too large to be sent: its `name`, and its `size` in bytes."""
    size, texts = click.data.get("size"), tab.texts
    values = {"name": click.text("name"), "most": texts.size(tab.site.max_upload_bytes)}
    tab.notice = Notice(
        texts.gettext("files.too_large", size=texts.size(size if isinstance(size, int) else 0), **values), "warning"
    )


@fills("use-image")
async def use_image(tab: Tab, _click: Click) -> FormValues:
    """Start from the picture whose settings have come back, too."""
    return _with_image(tab, tab.offered[1]) if tab.offered else {}


@fills("no-image")
async def no_image(tab: Tab, _click: Click) -> FormValues:
    """Start from no image."""
    tab.image = None
    return _NO_IMAGE


@fills("no-extend")
async def no_extend(tab: Tab, _click: Click) -> FormValues:
    """Go on from no video."""
    tab.extended = None
    return {"extend_id": ""}


@handles("last-frame")
async def last_frame(tab: Tab, _click: Click) -> None:
    """Take the next picture as the one to end with; or, at the second click, as one to start from after all."""
    tab.awaits_last = tab.takes_last and not tab.awaits_last


@fills("no-last-frame")
async def no_last_frame(tab: Tab, _click: Click) -> FormValues:
    """End with no image."""
    tab.last_image = None
    return {"last_id": ""}


def _settings(tab: Tab, found: FileSettings, name: str) -> FormValues:
    """The form's values for the settings of a file, and a notice that says what differs."""
    gettext, wanted = tab.texts.gettext, found.request
    engine = tab.site.engine(wanted.engine or "") or tab.site.engines[0]
    titles = {f"settings.{one.name}": one.title for one in engine.fields}
    words = [gettext("files.settings", name=name)]
    if engine.id != found.engine:
        words.append(gettext("reuse.other_engine", engine=found.engine))
    elif engine.version != found.engine_version:
        words.append(gettext("reuse.version", then=found.engine_version, engine=engine.title, now=engine.version))
    if found.had_image and wanted.input_file_id is None:
        words.append(gettext("reuse.image"))
    if found.had_last_frame and wanted.last_frame_file_id is None:
        words.append(gettext("reuse.last_frame"))
    for warning in found.warnings:
        if warning.field != "engine":
            fault = {"field": warning.field, "expected": warning.expected, "got": warning.got}
            used = "" if warning.used in (None, "") else gettext("files.used", value=str(warning.used))
            words.append(f"{tab.texts.expected(fault, titles)} {used}".strip())
    tab.notice = Notice(" ".join(words), form_back=True)
    return form.values_of(wanted, engine)


async def look_up_images(tab: Tab, values: Mapping[str, Any]) -> bool:
    """Bring `tab.image`, `tab.last_image` and `tab.extended` to what the form names, which may come from a draft or a
    generation. Whether there is an image to start from."""
    tab.image = await _look_up(tab, tab.image, values["image_id"])
    tab.last_image = await _look_up(tab, tab.last_image, values["last_id"])
    tab.extended = await _look_up_video(tab, values.get("extend_id"))
    return tab.image is not None


async def _look_up_video(tab: Tab, generation_id: object) -> Generation | None:
    if not isinstance(generation_id, str) or not generation_id:
        return None
    if tab.extended is not None and tab.extended.id == generation_id:
        return tab.extended
    try:
        return await tab.client.get(generation_id)
    except ApiError as refusal:
        if refusal.status != 404:
            raise
        tab.notice = Notice(tab.texts.gettext("extend.gone"), "warning")
        return None


async def _look_up(tab: Tab, known: File | None, image_id: object) -> File | None:
    if not isinstance(image_id, str) or not image_id:
        return None
    if known is not None and known.id == image_id:
        return known
    try:
        return await tab.client.file(image_id)
    except ApiError as refusal:
        if refusal.status != 404:
            raise
        tab.notice = Notice(tab.texts.gettext("image.gone"), "warning")
        return None


def fit_image(tab: Tab, values: Mapping[str, Any]) -> tuple[int, int] | None:
    """Bring `tab.size` to what the form asks for, with `tab.image`. The size in pixels of the image's own shape.

    Args:
        tab: whose form it is.
        values: the fields `type`, `shape`, `detail`, `engine`, `width` and `height`.
    """
    engine = tab.site.engine(str(values["engine"]))
    tab.like_image = values["shape"] == LIKE_IMAGE
    tab.takes_image = engine is not None and engine.image and tab.extended is None
    tab.takes_video = engine is not None and engine.extend and values["type"] == "video"
    tab.takes_last = takes_last(engine, values["type"], tab.image or tab.extended)
    tab.awaits_last = tab.awaits_last and tab.takes_last
    typed: tuple[Any, Any] = values["width"], values["height"]
    if tab.like_image and tab.image is not None and engine is not None:
        short = int(values["detail"] if values["detail"] in engine.details else engine.details[0])
        tab.size = like_image((tab.image.width, tab.image.height), short, engine)
        return tab.size
    try:
        tab.size = form.pixels(values["shape"], values["detail"], engine, typed)
    except form.FormError:
        tab.size = None
    return None
