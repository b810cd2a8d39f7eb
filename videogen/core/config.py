"""The settings of the app, read once from the environment."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from videogen.core.database_settings import DatabaseSettings, shown
from videogen.core.errors import ConfigError
from videogen.core.security import is_webhook_secret
from videogen.core.space_settings import space_settings

PREFIX: Final = "VIDEOGEN_"
_OF_THE_CLIENT: Final = ("url", "token")
_SOURCE: Final = re.compile(
    r"'self'|'none'|\*|https?:|(https?://)?(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(:(\d{1,5}|\*))?"
)
RATE_OFF: Final = "off"
"""The value of a rate without a limit."""
_RATE: Final = re.compile(r"[1-9][0-9]{0,8}/([1-9][0-9]{0,5} ?)?(second|minute|hour|day)s?")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{16,}")
_NAMES: Final = ("allowed_users", "allowed_orgs", "admin_users")
logger = logging.getLogger(__name__)


class AppConfig(DatabaseSettings):
    """The settings, each named `VIDEOGEN_<FIELD>` in the environment."""

    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(default=7860, ge=0, le=65535, description="port to listen on; 0 means any free one")
    snapshot_url: str = Field(
        default="", description="where snapshots go: a folder, or s3://bucket/prefix?endpoint=...; empty means none"
    )
    snapshot_seconds: float = Field(
        default=60.0, ge=1, le=86_400, description="how much may be lost with the disk: a snapshot in every such time"
    )
    snapshot_key: str = Field(
        default="", repr=False, description="encrypts the snapshots; empty means they are not encrypted"
    )
    base_url: str = Field(default="", description="public address, if it is not the one that browsers ask for")
    root_path: str = Field(default="", description="path under which a proxy shows the app, such as /videogen")
    trusted_proxies: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"),
        description="comma-separated addresses or networks whose X-Forwarded-* headers are believed; * means any",
    )
    frame_ancestors: str = Field(
        default="'self'",
        description="who may show the app in a frame, as in the CSP: 'self', 'none', *, https://example.org",
    )
    share: bool = Field(default=False, description="get a public address through Gradio's share tunnel")
    api_url: str = Field(default="", description="where the page finds the API; empty means this process")
    engines: tuple[str, ...] = Field(
        default=("procedural",),
        min_length=1,
        description="comma-separated names, kind:model, module:attribute, file.py:attribute, or TOML files",
    )
    engine: str = Field(
        default="", description="engine used when a request names none; empty means the first that can render here"
    )
    workers: int = Field(
        default=1, ge=0, le=64, description="renderers of each engine that states no concurrency; 0 means serve only"
    )
    reload_engines: bool = Field(default=False, description="load an engine again when its file has changed")
    max_active_per_session: int = Field(default=20, ge=1, description="queued and running generations of one session")
    max_active_per_address: int = Field(default=50, ge=1, description="queued and running generations of one address")
    max_queue: int = Field(default=200, ge=1, description="queued generations of everybody")
    max_prompt_chars: int = Field(default=2000, ge=1, le=100_000, description="characters in a prompt")
    max_pixels: int = Field(default=1920 * 1080, ge=4096, description="width times height")
    max_seconds: float = Field(default=20.0, gt=0, le=600, description="seconds of one video")
    max_upload_mb: float = Field(default=20.0, gt=0, le=1000, description="megabytes of one uploaded file")
    max_import_mb: float = Field(default=4096.0, gt=0, description="megabytes of one zip to import, also unpacked")
    max_body_kb: int = Field(
        default=1024, ge=16, le=1_000_000, description="kilobytes of the body of any other request"
    )
    max_streams_per_session: int = Field(default=20, ge=1, description="open event streams of one session")
    max_streams_per_address: int = Field(default=64, ge=1, description="open event streams of one address")
    max_storage_mb_per_session: float = Field(
        default=0.0, ge=0, description="megabytes of all files of one session; 0 means no limit"
    )
    max_storage_gb: float = Field(default=0.0, ge=0, description="gigabytes of all files; 0 means no limit")
    rate_sessions: str = Field(default="60/hour", description="new sessions of one address")
    rate_submits: str = Field(default="300/hour", description="generations of one session, and of one address")
    rate_claims: str = Field(default="10/5 minutes", description="wrong codes of one address")
    rate_uploads: str = Field(default="60/hour", description="images and zips of one session, and of one address")
    lease_seconds: float = Field(default=10.0, ge=1, le=600, description="how long a silent worker keeps its job")
    stall_seconds: float = Field(
        default=300.0, ge=0, description="how long a renderer may say nothing before it is killed; 0 means for ever"
    )
    max_attempts: int = Field(default=3, ge=1, le=20, description="renderers that one job may lose")
    quota_seconds_per_day: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="seconds of video of one session in 24 hours, for each engine that states no quota; 0: no limit",
    )
    retention_hours: float = Field(
        default=0.0, ge=0, le=876_000, description="hours that a result is kept from its end or last Keep; 0: for ever"
    )
    retention_favorites: Literal["keep", "same"] = Field(
        default="keep", description="favourites: keep for ever, or the same as all others"
    )
    retention_shared: Literal["keep", "same"] = Field(
        default="keep", description="what has a public link: keep while it has, or the same as all others"
    )
    trash_minutes: float = Field(
        default=60.0, gt=0, le=525_600, description="minutes in which a deletion on the page can be undone"
    )
    reserve_mb: int = Field(default=100, ge=0, description="megabytes that must be free before anything is rendered")
    admin_token: str = Field(
        default="", repr=False, description="opens the operator's page /admin and its API; empty means there are none"
    )
    oidc_issuer: str = Field(default="", description="OpenID provider to sign in with; empty means nobody signs in")
    oidc_client_id: str = Field(default="", validate_default=True, description="this app's id at the OpenID provider")
    oidc_client_secret: str = Field(default="", repr=False, description="this app's secret at the OpenID provider")
    oidc_scopes: str = Field(default="openid profile", description="scopes to ask the OpenID provider for")
    oidc_title: str = Field(default="", max_length=60, description="name of the OpenID provider on the page")
    require_login: bool = Field(default=False, description="whether only people who have signed in may use the app")
    allowed_users: tuple[str, ...] = Field(
        default=(), description="comma-separated user names; nobody else may use the app, but for allowed_orgs"
    )
    allowed_orgs: tuple[str, ...] = Field(
        default=(), description="comma-separated organisations or groups whose members may use the app"
    )
    admin_users: tuple[str, ...] = Field(default=(), description="comma-separated user names that may open /admin")
    metrics_token: str = Field(
        default="", repr=False, description="opens /metrics to other machines; empty means to this machine alone"
    )
    moderation: str = Field(
        default="", description="function that checks requests and results: module:attribute, file.py:attribute, a name"
    )
    moderation_seconds: float = Field(default=10.0, gt=0, le=600, description="seconds that one such check may take")
    webhook_hosts: tuple[str, ...] = Field(
        default=(),
        description="comma-separated hosts that webhooks may reach at private addresses, by http and at any port; "
        "* means any",
    )
    webhook_secret: str = Field(
        default="", repr=False, description="signs the messages of all webhooks, instead of a key for each"
    )
    log_format: Literal["text", "json"] = Field(default="text", description="of the lines on standard error")

    @field_validator("engines", "trusted_proxies", "webhook_hosts", *_NAMES, mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator(*_NAMES)
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.lower() for name in value)

    @field_validator("oidc_scopes")
    @classmethod
    def _scopes(cls, value: str) -> str:
        scopes = value.replace(",", " ").split()
        if "openid" not in scopes:
            raise ValueError("names with spaces between them, openid among them")
        return " ".join(scopes)

    @field_validator("oidc_client_id", "require_login", *_NAMES)
    @classmethod
    def _with_provider(cls, value: Any, info: ValidationInfo) -> Any:
        if value and not info.data.get("oidc_issuer"):
            raise ValueError("nothing, or a provider to sign in with (VIDEOGEN_OIDC_ISSUER)")
        return value

    @field_validator("oidc_client_id")
    @classmethod
    def _with_client(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("oidc_issuer"):
            raise ValueError("an id, as a provider is set (VIDEOGEN_OIDC_ISSUER)")
        return value

    @field_validator("base_url", "api_url", "oidc_issuer")
    @classmethod
    def _http(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
            raise ValueError("an http(s) address such as https://video.example.org, or nothing")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for network in value:
                ip_network("0.0.0.0/0" if network == "*" else network)
        except ValueError:
            raise ValueError("addresses or networks such as 10.0.0.0/8, or *, or nothing") from None
        return value

    @field_validator("frame_ancestors")
    @classmethod
    def _sources(cls, value: str) -> str:
        # Shells and Docker's env files differ in what they do with quotes.
        sources = [f"'{part}'" if part in ("self", "none") else part for part in value.replace(",", " ").split()]
        if not all(map(_SOURCE.fullmatch, sources)) or not sources or ("'none'" in sources and len(sources) > 1):
            raise ValueError("'self', 'none', * or origins such as https://*.example.org, with spaces between them")
        return " ".join(sources)

    @field_validator("root_path")
    @classmethod
    def _path(cls, value: str) -> str:
        if value and not value.startswith("/"):
            raise ValueError("a path that begins with /, or nothing")
        return value.rstrip("/")

    @field_validator("rate_sessions", "rate_submits", "rate_claims", "rate_uploads")
    @classmethod
    def _rate(cls, value: str) -> str:
        value = value.lower()
        if value in ("0", RATE_OFF):
            return RATE_OFF
        if _RATE.fullmatch(value) is None:
            raise ValueError("a rate such as 60/hour or 10/5 minutes (second, minute, hour, day), or off for no limit")
        return value

    @field_validator("admin_token", "metrics_token")
    @classmethod
    def _token(cls, value: str) -> str:
        if value and not _TOKEN.fullmatch(value):
            raise ValueError("at least 16 letters, digits or -._~+/=, or nothing")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: str) -> str:
        if value and not is_webhook_secret(value):
            raise ValueError("whsec_ and 24 to 64 bytes in base64, or nothing")
        return value

    @field_validator("snapshot_key")
    @classmethod
    def _passphrase(cls, value: str) -> str:
        if value and len(value) < 16:
            raise ValueError("at least 16 characters, or nothing")
        return value

    @property
    def login_is_required(self) -> bool:
        """Whether anonymous use is refused: by itself, or because only some may use the app."""
        return self.require_login or bool(self.allowed_users or self.allowed_orgs)

    @property
    def keeps_data(self) -> bool:
        """Whether what is stored outlives a restart. A Space loses its disk, and has then only its snapshots."""
        return "SPACE_ID" not in os.environ or bool(self.snapshot_url)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings.

        Raises:
            ConfigError: a value is not allowed; one line with the variable, what is allowed, and the value.
        """
        environ = os.environ if environ is None else environ
        given = {key: value for key, value in environ.items() if key.startswith(PREFIX)}
        values: dict[str, Any] = space_settings(environ) if "SPACE_ID" in environ else {}
        for key, value in given.items():
            field = key.removeprefix(PREFIX).lower()
            if field in cls.model_fields:
                # Empty is the default, as `${X:-}` of a compose file; of proxies it means none.
                if value.strip() or field == "trusted_proxies":
                    values[field] = value.strip()
            elif not field.startswith("test_") and field not in _OF_THE_CLIENT:
                # It may be a setting of a newer or an older release, which is no reason to stop.
                logger.warning("%s is not a setting of this version; it is ignored.", key)
        try:
            return cls(**values)
        except ValidationError as problem:
            first = problem.errors()[0]
            field = str(first["loc"][0])
            wanted = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            expected = f"{wanted} ({cls.model_fields[field].description})"
            raise ConfigError(PREFIX + field.upper(), expected, shown(field, first["input"])) from None
