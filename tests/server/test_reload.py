"""One server whose engines change while it serves: a file is edited, or what an engine needs comes and goes."""

import threading
from pathlib import Path

import pytest

from tests.support.api import Session

GOOD = """
import numpy as np
import videogen
from pydantic import Field
from videogen.engines import VideoSettings

class Settings(VideoSettings):
    {name}: int = Field(default=1, ge=0, le=9)

@videogen.engine("own", title="Own", version="{version}", settings=Settings)
def own(recipe):
    print("version {version}", flush=True)
    yield from [np.full((recipe.height, recipe.width, 3), 90, np.uint8)] * recipe.num_frames
"""


NEEDS_A_MODEL = """
from pathlib import Path

import numpy as np
import videogen
from videogen.schemas.engines import Capabilities


@videogen.engine("needy", title="Needy")
class Needy:
    def probe(self):
        there = Path({model!r}).exists()
        return Capabilities(available=there, reason=None if there else "Its model is not here.")

    def render(self, recipe):
        yield from [np.zeros((recipe.height, recipe.width, 3), np.uint8)] * recipe.num_frames
"""


class Edited:
    """A server with the engine of a file that is edited."""

    def __init__(self, file, session):
        self.file, self.session = file, session

    def engine(self, name="own"):
        return next(one for one in self.session.get("/engines").json()["items"] if one["id"] == name)

    def page(self):
        return self.session.http.get("/").text

    def write(self, text, is_loaded):
        """Save the file, and read the engine until it is loaded again."""
        self.file.write_text(text)
        return self.until(self.engine, is_loaded)

    def until(self, read, condition):
        """Read again and again; the server looks at its files twice a second."""
        for _ in range(400):
            if condition(value := read()):
                return value
            threading.Event().wait(0.05)
        raise AssertionError(f"it stayed {value}")

    def log_of_a_render(self):
        ended = self.session.finish(self.session.submit("own")["id"])
        assert ended["status"] == "completed", ended
        return self.session.get(f"/generations/{ended['id']}/log").text


@pytest.fixture(scope="module")
def edited(module_app, tmp_path_factory):
    file = Path(tmp_path_factory.mktemp("edited"), "own.py")
    file.write_text(GOOD.format(name="steps", version="1"))
    file.with_name("needy.py").write_text(NEEDS_A_MODEL.format(model=str(file.with_name("model"))))
    engines = [f"{file}:own", "bars", f"{file.with_name('needy.py')}:Needy"]
    app = module_app(engines=engines, page=True, reload_engines=True)
    with Session(app.base_url) as session:
        yield Edited(file, session)


def test_an_edit_changes_the_next_job_the_schema_and_the_page(edited):
    assert "version 1" in edited.log_of_a_render()
    assert "Steps" in edited.page()
    engine = edited.write(GOOD.format(name="wobble", version="2"), lambda engine: engine["version"] == "2")
    assert "wobble" in engine["settingsSchema"]["properties"]
    assert "version 2" in edited.log_of_a_render()
    assert "Steps" not in edited.until(edited.page, lambda page: "Wobble" in page)


def test_a_broken_file_makes_it_unavailable_with_the_reason_and_the_next_good_one_mends_it(edited):
    engine = edited.write("import no_such_thing\n", lambda engine: not engine["available"])
    assert "'no_such_thing'" in engine["reason"]
    refused = edited.session.try_submit("own")
    assert refused.status_code == 422
    assert "no_such_thing" in refused.json()["detail"]
    assert edited.session.finish(edited.session.submit("bars")["id"])["status"] == "completed", "the others go on"
    edited.write(GOOD.format(name="steps", version="3"), lambda engine: engine["available"])
    assert "version 3" in edited.log_of_a_render()


def test_what_an_engine_needs_may_come_and_go_which_the_page_shows_and_its_jobs_wait_for(edited):
    model, absent = edited.file.with_name("model"), "Needy (not available)"
    assert edited.engine("needy")["reason"] == "Its model is not here."
    assert absent in edited.page()
    model.touch()
    assert edited.engine("needy")["available"]
    assert "Needy" in edited.until(edited.page, lambda page: absent not in page)
    edited.session.post("/queue/pause")
    waiting = edited.session.submit("needy")["id"]
    model.unlink()
    edited.until(edited.page, lambda page: absent in page)
    edited.session.post("/queue/resume")
    held = edited.until(lambda: edited.session.read(waiting), lambda one: one["stage"] == "engine_unavailable")
    assert (held["status"], held["message"]) == ("queued", "Its model is not here."), "nothing is lost"
    model.touch()
    assert edited.session.finish(waiting)["status"] == "completed"
