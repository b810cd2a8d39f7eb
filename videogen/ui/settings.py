"""What the page must know of the app around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir

from fastapi import Request

from videogen.core.security import new_token
from videogen.schemas.engines import EngineInfo
from videogen.ui import form
from videogen.ui.form_fields import engine_forms
from videogen.ui.page_client import VisitorHeaders
from videogen.ui.tab import Site
from videogen.ui.tabs import TabLimits


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What the page must know of the app around it."""

    api_url: str | Callable[[], str]
    """Where the API is, without `/api/v1`; a callable is asked at the first visit."""
    engines: Sequence[EngineInfo]
    """What the form offers."""
    limits: form.Limits = field(default_factory=form.Limits)
    api_is_elsewhere: bool = False
    """Whether a browser finds another API than this one below the page's own address, or none."""
    root_path: str = ""
    """The path under which a proxy shows the app."""
    upload_folder: Path = field(default_factory=lambda: Path(gettempdir(), "videogen-uploads"))
    """Where chosen images lie for a few minutes; a folder for them alone."""
    count_upload: Callable[[Request], None] = lambda _request: None
    """Counts an uploaded image for its visitor. Raises LimitExceededError."""
    new_token: Callable[[], str] = new_token
    """Makes a signed token for a visitor who has none."""
    tabs: TabLimits = field(default_factory=TabLimits)
    visitor_headers: VisitorHeaders = lambda _address: {}
    """Makes the headers with which the page names its visitor to the API, from the address."""
    keeps_data: bool = True
    """Whether what is stored outlives a restart; where it does not, the page says so."""
    recent_loss: Callable[[], str] = lambda: ""
    """As of when the data is, where something was lost in a restore from a snapshot; else empty."""
    links_from_api: Callable[[], bool] = lambda: True
    """Whether the API knows the public address of shared links; where it does not, the browser does."""
    login: str = ""
    """The name of the provider to sign in with; empty: nobody signs in."""
    requires_login: bool = False
    """Whether only people who have signed in may use the app."""

    @property
    def site(self) -> Site:
        """What is the same for all tabs."""
        return Site(
            engine_forms(self.engines, self.limits),
            max_upload_bytes=int(self.limits.max_upload_mb * 1_000_000),
            links_from_api=self.links_from_api,
            keeps_data=self.keeps_data,
            recent_loss=self.recent_loss,
            login=self.login,
            requires_login=self.requires_login,
        )
