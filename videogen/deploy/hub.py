"""Pushes the folder of a Space to the Hub. HF_TOKEN and HF_ENDPOINT are those of huggingface_hub."""

from __future__ import annotations

from pathlib import Path

import httpx
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

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
        PushError: there is no token, or the Hub refuses; one line with what it answered.
    """
    api = HfApi()
    try:
        created = api.create_repo(space.id, repo_type="space", space_sdk=space.sdk, exist_ok=True)
        for name, value in space.variables.items():
            api.add_space_variable(space.id, name, value)
        api.upload_folder(
            repo_id=space.id, folder_path=folder, repo_type="space", commit_message=f"videogen {__version__}"
        )
    except LocalTokenNotFoundError:
        raise PushError("there is no token. Set HF_TOKEN to one that may write, or run `hf auth login`.") from None
    except HfHubHTTPError as error:
        raise PushError(f"the Hub answered {error.response.status_code}: {_reason(error)}") from error
    except (httpx.HTTPError, ValueError) as error:
        raise PushError(f"the Hub cannot be used: {' '.join(str(error).split())}") from error
    return str(created)


def _reason(error: HfHubHTTPError) -> str:
    return " ".join((error.server_message or str(error)).split())
