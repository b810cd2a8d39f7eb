"""The defaults of the settings on a Hugging Face Space, from the Space's own variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

HUB: Final = "https://huggingface.co"
# Only Hugging Face's own proxies can reach a Space, and its pages show it in a frame.
_ON_A_SPACE: Final = {
    "trusted_proxies": "*",
    "frame_ancestors": "'self' https://huggingface.co https://*.hf.space",
}


def space_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """The defaults on a Space; with `hf_oauth` in its README also its own provider."""
    values: dict[str, Any] = dict(_ON_A_SPACE)
    if environ.get("OAUTH_CLIENT_ID") and "VIDEOGEN_OIDC_ISSUER" not in environ:
        values |= {
            "oidc_issuer": environ.get("OPENID_PROVIDER_URL") or HUB,
            "oidc_client_id": environ["OAUTH_CLIENT_ID"],
            "oidc_client_secret": environ.get("OAUTH_CLIENT_SECRET", ""),
            "oidc_scopes": environ.get("OAUTH_SCOPES") or "openid profile",
            "oidc_title": "Hugging Face",
            # A person, or an organisation, of whose name there is no person.
            "admin_users": environ.get("SPACE_AUTHOR_NAME", ""),
        }
        if host := environ.get("SPACE_HOST", "").split(",")[0].strip():
            # The only address to which the provider sends anybody back.
            values["base_url"] = f"https://{host}"
    return values
