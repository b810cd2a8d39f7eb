"""Pushes the folder of a Space to the Hub. HF_TOKEN and HF_ENDPOINT are those of huggingface_hub."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

# The base of its errors, of whichever httpx it uses.
from huggingface_hub.errors import HTTPError as TransportError  # type: ignore[attr-defined]

from videogen.core.errors import StartError
from videogen.core.version import __version__
from videogen.deploy.space import Space


class PushError(StartError, code="not_pushed"):
    """The Hub has not taken the Space."""


def push(space: Space, folder: Path) -> str:
    """Create the Space where it is not there yet, set its variables, and upload the folder.

    Returns:
        the Space's address.

    Raises:
        PushError: the Hub refuses, or cannot be reached; one line with what it answered.
    """
    api = HfApi()
    try:
        created = api.create_repo(space.id, repo_type="space", space_sdk=space.sdk, exist_ok=True)
        for name, value in space.variables.items():
            api.add_space_variable(space.id, name, value)
        api.upload_folder(
            repo_id=space.id, folder_path=folder, repo_type="space", commit_message=f"videogen {__version__}"
        )
    except HfHubHTTPError as error:
        raise PushError(f"the Hub answered {error.response.status_code}: {_reason(error)}") from error
    except (TransportError, OSError, ValueError) as error:
        raise PushError(f"the Hub cannot be used: {' '.join(str(error).split())}") from error
    return str(created)


def _reason(error: HfHubHTTPError) -> str:
    reason = " ".join((error.server_message or str(error)).split())
    hint = " Set HF_TOKEN to a token that may write, or run `hf auth login`."
    return reason + (hint if error.response.status_code in (401, 403) else "")
