import logging
from pathlib import Path

import pytest
from pydantic import ValidationError

from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError, StartError


def test_an_empty_environment_gives_the_defaults_of_the_contract():
    config = AppConfig.from_env({})
    assert (config.host, config.port, config.data_dir) == ("127.0.0.1", 7860, Path("data"))
    assert config.engines == ("procedural",)
    assert config.database == f"sqlite:///{Path('data').resolve() / 'videogen.sqlite'}"


def test_every_setting_is_read_from_its_variable():
    config = AppConfig.from_env(
        {
            "VIDEOGEN_HOST": "0.0.0.0",
            "VIDEOGEN_PORT": " 0 ",
            "VIDEOGEN_ENGINES": "one, two ,",
            "VIDEOGEN_ENGINE": "two",
            "VIDEOGEN_WORKERS": "0",
            "VIDEOGEN_BASE_URL": "https://video.example.org/",
            "VIDEOGEN_ROOT_PATH": "/app/",
            "VIDEOGEN_DATABASE_URL": "sqlite:///elsewhere.sqlite",
            "VIDEOGEN_MAX_SECONDS": "2.5",
        }
    )
    assert (config.host, config.port, config.workers, config.max_seconds) == ("0.0.0.0", 0, 0, 2.5)
    assert config.engines == ("one", "two")
    assert config.engine == "two"
    assert (config.base_url, config.root_path) == ("https://video.example.org", "/app")
    assert config.database == "sqlite:///elsewhere.sqlite"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("VIDEOGEN_PORT", "many"),
        ("VIDEOGEN_PORT", "65536"),
        ("VIDEOGEN_PORT", "-1"),
        ("VIDEOGEN_WORKERS", "1.5"),
        ("VIDEOGEN_WORKERS", "-1"),
        ("VIDEOGEN_ENGINES", " , "),
        ("VIDEOGEN_BASE_URL", "video.example.org"),
        ("VIDEOGEN_BASE_URL", "ftp://video.example.org"),
        ("VIDEOGEN_API_URL", "https://"),
        ("VIDEOGEN_ROOT_PATH", "app"),
        ("VIDEOGEN_DATABASE_URL", "mysql://there"),
        ("VIDEOGEN_FRAME_ANCESTORS", "'none' https://example.org"),
        ("VIDEOGEN_FRAME_ANCESTORS", "https://example.org; script-src *"),
        ("VIDEOGEN_FRAME_ANCESTORS", "javascript:alert(1)"),
        ("VIDEOGEN_MAX_PIXELS", "12"),
        ("VIDEOGEN_MAX_SECONDS", "nan"),
        ("VIDEOGEN_MAX_SECONDS", "inf"),
        ("VIDEOGEN_MAX_QUEUE", "0"),
        ("VIDEOGEN_MAX_PROMPT_CHARS", "two\nlines"),
    ],
)
def test_a_wrong_value_gives_one_line_with_variable_expected_and_got(variable, value):
    with pytest.raises(ConfigError) as caught:
        AppConfig.from_env({variable: value})
    message = str(caught.value)
    assert message.startswith(f"{variable}: expected ")
    assert f"got {value.strip()!r}" in message or "got ()" in message
    assert "\n" not in message
    assert caught.value.variable == variable
    assert isinstance(caught.value, StartError)


def test_a_password_in_a_url_is_not_shown():
    with pytest.raises(ConfigError) as caught:
        AppConfig.from_env({"VIDEOGEN_DATABASE_URL": "mysql://me:my/pass@word@there/data"})
    assert "got 'mysql://***@there/data'" in str(caught.value)
    assert "pass" not in repr(AppConfig(database_url="postgresql://me:pass@there/data", secret_key="k" * 16))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "VIDEOGEN_SECRET_KEY: expected one key for all processes, as the database is PostgreSQL"),
        (
            {"VIDEOGEN_SECRET_KEY": "k" * 16, "VIDEOGEN_SNAPSHOT_URL": "/there"},
            "VIDEOGEN_SNAPSHOT_URL: expected nothing",
        ),
    ],
)
def test_postgresql_needs_a_key_and_has_backups_of_its_own(settings, message):
    with pytest.raises(ConfigError, match=message):
        AppConfig.from_env({"VIDEOGEN_DATABASE_URL": "postgresql://there/data", **settings})


def test_the_message_says_what_the_variable_is_for():
    with pytest.raises(ConfigError, match="port to listen on; 0 means any free one"):
        AppConfig.from_env({"VIDEOGEN_PORT": "x"})


def test_an_unknown_variable_is_logged_and_ignored(caplog):
    with caplog.at_level(logging.WARNING):
        AppConfig.from_env(
            {"VIDEOGEN_COLOUR": "blue", "OTHER": "x", "VIDEOGEN_TEST_THING": "1", "VIDEOGEN_URL": "of the client"}
        )
    assert [record.getMessage() for record in caplog.records] == [
        "VIDEOGEN_COLOUR is not a setting of this version; it is ignored."
    ]


def test_the_settings_are_frozen():
    config = AppConfig()
    with pytest.raises(ValidationError, match="frozen"):
        config.port = 1


@pytest.mark.parametrize(
    ("environ", "sources"),
    [
        ({}, "'self'"),
        ({"SPACE_ID": "me/videogen"}, "'self' https://huggingface.co https://*.hf.space"),
        ({"SPACE_ID": "me/videogen", "VIDEOGEN_FRAME_ANCESTORS": "none"}, "'none'"),
        ({"VIDEOGEN_FRAME_ANCESTORS": "self, https://*.example.org:8443"}, "'self' https://*.example.org:8443"),
        ({"VIDEOGEN_FRAME_ANCESTORS": "'self' http://localhost:* https:"}, "'self' http://localhost:* https:"),
        ({"VIDEOGEN_FRAME_ANCESTORS": "*"}, "*"),
    ],
)
def test_who_may_show_the_app_in_a_frame(environ, sources):
    assert AppConfig.from_env(environ).frame_ancestors == sources


def test_an_empty_value_is_the_default_and_of_proxies_none():
    empty = {f"VIDEOGEN_{name.upper()}": " " for name in AppConfig.model_fields}
    assert AppConfig.from_env(empty) == AppConfig(trusted_proxies=())
