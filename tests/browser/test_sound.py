"""A result with sound is played with sound, and has a volume control; one without has neither."""

import base64

import pytest
from playwright.sync_api import expect

from tests.support.videos import write_video
from tests.support.zips import exported_file, exported_generation, manifest, zip_bytes

IMPORT = """
async (zip) => {
  const body = Uint8Array.from(atob(zip), (letter) => letter.charCodeAt(0));
  const headers = { "Content-Type": "application/zip" };
  return (await fetch("api/v1/import", { method: "POST", headers, body })).json();
}
"""


@pytest.fixture
def two_results(tmp_path):
    """An export of two videos, the second with sound."""
    files, entries = {}, []
    for name, sound in (("gen_silent", ""), ("gen_loud", "aac")):
        path = f"videos/{name}.mp4"
        files[path] = write_video(tmp_path / name, sound=sound, movflags="+faststart").read_bytes()
        result = exported_file(path, files[path])
        entries.append(exported_generation(name, prompt=name, width=64, height=48, hasAudio=bool(sound), result=result))
    return zip_bytes(files | {"manifest.json": manifest(*entries)})


def test_the_volume_control_is_there_only_where_there_is_sound(tab, two_results):
    imported = tab.evaluate(IMPORT, base64.b64encode(two_results).decode())
    volume = tab.find("#result-video .volume-control-wrapper")
    for generation, is_loud in zip(imported["generationIds"], (False, True), strict=True):
        tab.history(generation).locator(".card").click()
        tab.shows(generation, "completed")
        tab.can_play()
        expect(volume).to_be_visible(visible=is_loud)
        # Its event follows what `can_play` looks at.
        tab.wait_for("isLoud => document.querySelector('#result-video video').muted !== isLoud", is_loud)
