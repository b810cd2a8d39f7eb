"""docs/engines/remote.md is true: its provider in one file is run as it is printed, and its lists are complete."""

import os
import re
import signal
import tomllib
from contextlib import suppress

import pytest

from tests.support.app import ROOT
from tests.support.engine_docs import documented_engines
from tests.support.providers.acme import AcmeStandIn
from tests.support.stand_in import serve
from videogen.engines.base import RenderLost, RenderRequest
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.protocol import RenderJob
from videogen.engines.registry import load_engine
from videogen.engines.remote.faults import MEANINGS
from videogen.engines.remote.options import InputRow, RemoteOptions

PAGE = (ROOT / "docs/engines/remote.md").read_text()
CODE = re.search(r"^```python\n# acme\.py\n(.*?)^```$", PAGE, re.M | re.S)[1]


@pytest.fixture(scope="module")
def served_acme():
    acme = AcmeStandIn()
    with serve(acme.app) as acme.served, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACME_KEY", acme.key)
        patch.setenv("REPLICATE_API_TOKEN", "r8_0")
        yield acme


@pytest.fixture(scope="module")
def engines(served_acme, tmp_path_factory):
    """The engines of the page."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "acme.py").write_text(CODE)
    return documented_engines("remote", folder, served_acme.served.url)


@pytest.fixture
def acme(served_acme):
    served_acme.renders.clear()
    served_acme.held.clear()
    served_acme.silent.clear()
    served_acme.served.requests.clear()
    return served_acme


@pytest.fixture
def start(engines, children, tmp_path):
    """Starts an attempt at one job."""
    settings = {"width": 64, "height": 64, "durationSeconds": 1.0, "seed": 5}
    recipe = load_engine(engines["acme"]).normalise(RenderRequest(prompt="a kite", settings=settings))

    def start(attempt=1):
        job = RenderJob(engine=engines["acme"], recipe=recipe, generation_id="gen_a", workdir=tmp_path, attempt=attempt)
        return RenderHandle(job, children)

    return start


def kill(render):
    os.kill(render.pid, signal.SIGKILL)
    with suppress(RenderLost):
        list(render.messages())


def test_it_is_one_file_of_about_forty_lines():
    lines = [line for line in CODE.splitlines() if line.strip()]
    assert len(lines) <= 50, "the base should do more"
    assert len(lines) - sum(line.startswith('        "') for line in lines) <= 40, "without its two tables"


def test_a_job_is_sent_and_its_result_comes(acme, start):
    with start() as render:
        messages = list(render.messages())
    assert messages[-1].t == "done", messages[-1]
    artifact = messages[-1].artifact
    assert (artifact.width, artifact.height, artifact.num_frames) == (64, 64, 24)
    (sent,) = acme.served.asked("POST")
    assert sent.json["model"] == "acme-3"
    assert sent.json["input"] == {"prompt": "a kite", "size": "64x64", "seconds": 1, "seed": 5, "style": "plain"}
    assert {"waiting", "rendering", "downloading"} <= {one.stage for one in messages if one.t == "progress"}


@pytest.mark.parametrize(("switch", "method"), [("silent", "POST"), ("held", "GET")])
def test_a_kill_before_the_answer_or_while_it_runs_doubles_nothing(acme, start, switch, method):
    getattr(acme, switch).set()
    with start() as render:
        acme.served.wait_for(method, "/renders")
        kill(render)
    getattr(acme, switch).clear()
    with start(attempt=2) as render:
        assert list(render.messages())[-1].t == "done"
    assert acme.served.posts() == 1


def test_a_cancel_reaches_it(acme, start):
    acme.held.set()
    with start() as render:
        acme.served.wait_for("GET", "/renders/")
        render.cancel()
        end = list(render.messages())[-1]
    assert (end.t, end.message) == ("cancelled", "Acme answered stopped.")


def test_a_wrong_key_fails_in_the_words_of_the_service(acme, start):
    acme.key, key = "another", acme.key
    try:
        with start() as render:
            end = list(render.messages())[-1]
    finally:
        acme.key = key
    assert end.code == "key_refused"
    assert "Acme refused the key in ACME_KEY. It answered: This key is not known." in end.message
    assert acme.renders == {}


def test_the_table_of_inputs_on_the_page_makes_the_form_and_the_input(engines):
    engine = load_engine(engines["kling"])
    settings = {"durationSeconds": 10, "aspectRatio": "9:16", "camera": "pan"}
    recipe = engine.normalise(RenderRequest(prompt="a kite", settings=settings))
    assert engine._rows.input_of(recipe) == {
        "prompt": "a kite", "duration": 10, "aspect_ratio": "9:16", "camera": "pan", "strength": 0.5,
        "watermark": False, "extra": {"tier": "fast"},
    }  # fmt: skip


def test_the_page_says_what_each_key_each_row_and_each_code_is():
    keys = {name for name in RemoteOptions.model_fields if f"| `{name}` |" not in PAGE}
    rows = {field.alias or name for name, field in InputRow.model_fields.items()}
    codes = {meaning.code for meaning in MEANINGS.values()} | {"deadline_exceeded"}
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE.partition("## Faults")[2].partition("\n## ")[0], re.M))
    assert keys == set()
    assert {name for name in rows if f"`{name}`" not in PAGE} == set()
    assert listed == codes


def test_each_configuration_on_the_page_is_toml():
    blocks = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S)
    assert len([tomllib.loads(block) for block in blocks]) == 2
