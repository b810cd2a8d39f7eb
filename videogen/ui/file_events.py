"""Gradio's events around files: the upload button, and the fields that decide what becomes of an image."""

from __future__ import annotations

from typing import Any, Final

import anyio.to_thread
import gradio as gr

from videogen.ui.events import Events
from videogen.ui.form import LIKE_IMAGE
from videogen.ui.form_fields import FormFields
from videogen.ui.handlers.files import fit_image, look_up_images, take_file
from videogen.ui.handlers.registry import FormValues
from videogen.ui.tab import Notice, Tab
from videogen.ui.texts import SHAPES, mark
from videogen.ui.uploads import Uploads

FITTED: Final = ("image_id", "last_id", "extend_id", "type", "shape", "detail", "engine", "width", "height")


def upload_button() -> gr.UploadButton:
    """The one place for files. What is dropped or pasted anywhere on the page comes here: `static/files.js`."""
    return gr.UploadButton(mark("files.choose"), size="md", elem_id="file")


# As plain data: given the button's own value, Gradio would copy the file into its cache, and keep it.
PLAIN: Final = "(file, _, ...values) => [null, file && { path: file.path, name: file.orig_name }, ...values]"


class FileEvents:
    """The functions that Gradio calls. The session is the last input of each."""

    def __init__(self, events: Events, fields: FormFields, uploads: Uploads) -> None:
        self._events, self._fields, self._uploads = events, fields, uploads

    async def given(self, request: gr.Request, _button: None, file: Any, *values: Any) -> list[Any]:
        """A file was chosen: its `path` and its `name`. The values are those of the form's fields, and the session.

        Returns:
            nothing for the button, so that the same file can be chosen again; and the new values of the form.
        """
        *fields, session = values
        tab, named = self._events.tab_of(session, request), self._fields.named(fields)
        new = await self._events.run(tab, self._take(tab, file if isinstance(file, dict) else {}, named["engine"]))
        if new:
            tab.form_before = named
        return [None, *self._fields.updates(new or {}, tab.texts.gettext)]

    async def _take(self, tab: Tab, file: dict[str, Any], engine_id: object) -> FormValues:
        path = await anyio.to_thread.run_sync(self._uploads.find, file.get("path"))
        if path is None:
            tab.notice = Notice(tab.texts.gettext("files.gone"), "warning")
            return {}
        name = file.get("name")
        try:
            return await take_file(tab, path, name[:100] if isinstance(name, str) else path.name, engine_id)
        finally:
            await anyio.to_thread.run_sync(self._uploads.remove, path)

    async def fit(self, request: gr.Request, *values: Any) -> list[Any]:
        """An image, or what the size depends on, has changed. The values are those of `FITTED`, and the session.

        Returns:
            new values of the fields `image_id`, `last_id`, `extend_id`, `shape`, `width` and `height`.
        """
        *fields, session = values
        tab, named = self._events.tab_of(session, request), dict(zip(FITTED, fields, strict=True))
        has_image = bool(await self._events.run(tab, look_up_images(tab, named)))
        keep = gr.skip()
        shape = keep
        stranded = not has_image and named["shape"] == LIKE_IMAGE
        if stranded or has_image != tab.offers_own_shape:
            tab.offers_own_shape = has_image
            named["shape"] = "16:9" if stranded else named["shape"]
            words = {**SHAPES, **({LIKE_IMAGE: "form.like_image"} if has_image else {})}
            choices = [(tab.texts.gettext(word), value) for value, word in words.items()]
            shape = gr.update(choices=choices, value=named["shape"])
        size = fit_image(tab, named)
        tab.ring()
        images = [keep if one else "" for one in (tab.image, tab.last_image, tab.extended)]
        return [*images, shape, *(size or (keep, keep))]
