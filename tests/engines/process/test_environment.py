import pytest

from videogen.engines.process import protocol
from videogen.engines.process.spawn import child_environment

CURIOUS = """
import os
from videogen.engines import ProcessPolicy, RenderFailed, engine

@engine("curious")
def curious(recipe):
    raise RenderFailed(" ".join(sorted(os.environ)))

@engine("trusted")
def trusted(recipe):
    raise RenderFailed(" ".join(sorted(os.environ)))

trusted.process = ProcessPolicy(environment=("MY_KEY", "HF_TOKEN"))
"""
NEEDED = ("PATH", "HOME", "LC_ALL", "TZ", "TMPDIR", "HF_HOME", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "https_proxy")
SECRETS = ("VIDEOGEN_SECRET_KEY", "VIDEOGEN_DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "MY_KEY", "HF_TOKEN", "OTHER")


@pytest.fixture
def names_in_child(run, job_for, monkeypatch, tmp_path):
    """The names of the variables that an engine sees in a child."""
    for name in (*NEEDED, *SECRETS):
        monkeypatch.setenv(name, "1" if name != "TMPDIR" else str(tmp_path))
    (tmp_path / "curious.py").write_text(CURIOUS)

    def names(engine):
        end = run(job_for("bars").model_copy(update={"engine": f"{tmp_path / 'curious.py'}:{engine}"}))[-1]
        assert isinstance(end, protocol.Failed)
        return set(end.message.split())

    return names


def test_a_child_has_what_it_needs_and_no_secret_of_the_server(names_in_child):
    names = names_in_child("curious")
    assert names >= {*NEEDED, "PYTHONPATH"}
    assert not names & {*SECRETS}


def test_an_engine_gets_the_variables_that_it_names_and_no_other(names_in_child):
    assert names_in_child("trusted") & {*SECRETS} == {"MY_KEY", "HF_TOKEN"}


@pytest.mark.parametrize("name", ["VIDEOGEN_ADMIN_TOKEN", "VIDEOGEN_DATA_DIR", "HUGGINGFACE_API_KEY", "LC_SECRET"])
def test_a_name_that_looks_like_a_secret_or_a_setting_of_the_server_is_left_out(monkeypatch, name):
    monkeypatch.setenv(name, "x")
    assert name not in child_environment()
    assert child_environment([name])[name] == "x"
