"""A start where the environment is full of things that other programs left in it."""

import httpx
import pytest
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from tests.support.api import Session
from videogen.core.errors import NotFoundError
from videogen.server import create_app
from videogen.web.problems import documented

IGNORED = {
    "ALL_PROXY": "socks5://127.0.0.1:1080",
    "http_proxy": "ftp://user:hunter2@proxy.example.org",
    "NO_PROXY": "[::1],fd07::/64",
    "SSL_CERT_FILE": "/nowhere/ca.pem",
    "SSL_CERT_DIR": "/nowhere",
    "GRADIO_TEMP_DIR": "/proc/nowhere",
}
HARMLESS = {
    "HTTPS_PROXY": "127.0.0.1:9",
    "REQUESTS_CA_BUNDLE": "/nowhere/ca.pem",
    "GRADIO_SERVER_PORT": "any",
    "GRADIO_NUM_PORTS": "many",
    "GRADIO_ROOT_PATH": "/elsewhere",
    "GRADIO_ALLOWED_PATHS": "/",
    "GRADIO_ANALYTICS_ENABLED": "True",
    "HOME": "/proc/nowhere",
    "XDG_CACHE_HOME": "/proc/nowhere",
    "TMPDIR": "/nowhere",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "ascii",
    "PYTHONDONTWRITEBYTECODE": "1",
    "TZ": "Mars/Base",
}


def test_the_page_is_served_and_a_video_rendered(running_app, monkeypatch):
    with monkeypatch.context() as patch:
        for name in ("HTTP_PROXY", "https_proxy", "all_proxy", "no_proxy", "USER", "LOGNAME"):
            patch.delenv(name, raising=False)
        for name, value in (IGNORED | HARMLESS).items():
            patch.setenv(name, value)
        app = running_app(page=True)
    page = httpx.get(app.base_url, trust_env=False).raise_for_status().text
    assert "/elsewhere" not in page
    with Session(app.base_url) as session:
        assert session.finish(session.submit("bars")["id"])["status"] == "completed"
    app.stop()
    for name in IGNORED:
        assert f"{name} cannot be used" in app.log
    assert not [name for name in HARMLESS if f"{name} cannot be used" in app.log]
    assert "hunter2" not in app.log
    assert "Traceback" not in app.log


def test_errors_are_documented_without_docstrings(monkeypatch):
    """As with PYTHONOPTIMIZE=2."""
    monkeypatch.setattr(NotFoundError, "__doc__", None)
    assert documented(NotFoundError)[404]["description"] == "`not_found`: Not found"


def test_a_malformed_form_is_not_logged(caplog):
    """Its sender gets the answer."""
    assert create_app.__module__  # it is loaded
    with pytest.raises(MultipartParseError):
        MultipartParser(b"b").write(b"no part")
    assert not caplog.records
