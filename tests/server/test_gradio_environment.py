"""Variables of the environment with which Gradio could not be loaded."""

import importlib
import os
import sys
from pathlib import Path

import httpx
import pytest

from videogen.core.network import unusable_variables
from videogen.server.gradio_environment import gradio_environment

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_network_variables(monkeypatch):
    for name in (*NAMES, *map(str.lower, NAMES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1080", "socksio"),
        ("all_proxy", "socks5h://127.0.0.1:1080", "socksio"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:1", "Unknown scheme"),
        ("http_proxy", "http://[::1", "Invalid port"),
        ("NO_PROXY", "localhost,[::1]", "Invalid port"),
        ("no_proxy", "fd07::/64", "Invalid"),
        ("SSL_CERT_FILE", "/nowhere.pem", "No such file"),
        ("SSL_CERT_FILE", os.devnull, "no certificate"),
    ],
)
def test_what_stops_httpx_is_named_and_hidden(monkeypatch, caplog, name, value, reason):
    monkeypatch.setenv(name, value)
    with pytest.raises(Exception):  # noqa: B017, PT011 - of many kinds
        httpx.Client()
    (got,) = unusable_variables().items()
    assert got[0] == name
    assert reason in got[1]
    with gradio_environment():
        httpx.Client().close()
    assert os.environ[name] == value
    assert f"{name} cannot be used" in caplog.text


@pytest.mark.parametrize(
    "variables",
    [
        {"HTTP_PROXY": "127.0.0.1:3128", "https_proxy": "https://user:pass@proxy.example.org", "ALL_PROXY": ""},
        {"NO_PROXY": "localhost,127.0.0.1,::1,.example.org,10.0.0.0/8,http://here.example.org"},
        {"NO_PROXY": "*", "ALL_PROXY": "socks5://127.0.0.1:1080"},
        {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "/nowhere", "REQUESTS_CA_BUNDLE": "/nowhere.pem"},
    ],
)
def test_what_does_not_stop_httpx_stays(monkeypatch, caplog, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with gradio_environment():
        httpx.Client().close()
        assert {name: os.environ[name] for name in variables} == variables
    assert not caplog.records


def test_the_warning_does_not_show_a_password(monkeypatch, caplog):
    monkeypatch.setenv("HTTPS_PROXY", "ftp://user:hunter2@proxy.example.org")
    with gradio_environment():
        pass
    assert "HTTPS_PROXY" in caplog.text
    assert "hunter2" not in caplog.text


def test_settings_of_gradio_have_no_effect(monkeypatch, tmp_path):
    for name in ("GRADIO_NUM_PORTS", "GRADIO_ROOT_PATH"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "kept"))
    with gradio_environment():
        assert [name for name in os.environ if name.startswith("GRADIO_")] == ["GRADIO_TEMP_DIR"]
    assert os.environ["GRADIO_NUM_PORTS"] == "x"
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path / "kept")


def test_a_folder_of_gradio_that_cannot_be_used_is_replaced(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "gradio").write_text("a file where the folder should be")
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    with gradio_environment():
        assert Path(os.environ["GRADIO_TEMP_DIR"]).parent == tmp_path


def test_gradio_makes_no_type_stubs_when_it_is_loaded(monkeypatch):
    """It takes half of its import; see `benchmarks/start.py`."""
    import gradio
    import gradio.component_meta as loaded

    monkeypatch.setattr(gradio, "component_meta", loaded)
    monkeypatch.delitem(sys.modules, loaded.__name__)
    with gradio_environment():
        again = importlib.import_module(loaded.__name__)
    assert again is not loaded
    again.create_or_modify_pyi(object, "NotAComponent", [])  # the original looks for the source of the class
    assert again.ComponentMeta.__new__.__globals__["create_or_modify_pyi"] is again.create_or_modify_pyi
