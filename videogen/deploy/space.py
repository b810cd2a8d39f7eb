"""The folder of a Space of Hugging Face: its README with the front matter, how it is built, and a wheel of videogen.

The front matter follows https://huggingface.co/docs/hub/spaces-config-reference. A Space with the SDK Docker is built
from the Dockerfile. One with the SDK Gradio gets the packages of requirements.txt installed together with
`gradio[oauth,mcp]`, before its other files are there; so its app.py unpacks the wheel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any, Final, Self, get_args

from huggingface_hub import SpaceCardData
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]
from jinja2 import Environment, PackageLoader, StrictUndefined

from videogen.core.errors import StartError
from videogen.core.version import __version__
from videogen.deploy.settings import SECRETS, VARIABLES, Sdk
from videogen.deploy.wheel import locked_requirements, write_wheel

PORT: Final = 7860
PYTHON: Final = "3.13"
ENGINE_FILES: Final = "engines"
"""The folder in the Space with the files that its engines come from."""
_HELD_BACK: Final = re.compile(r"pydantic(-core)?==")
"""Packages that `gradio[mcp]` wants older than the lock file has them; a Space installs it too."""
_ONLY_BUILDS: Final = re.compile(r"(hatchling|trove-classifiers|pathspec|pluggy)==")
_THUMBNAIL: Final = Path(__file__).parents[1] / "engines" / "procedural" / "presets" / "golden-sea.webp"


class DeployError(StartError, code="cannot_deploy"):
    """The folder cannot be made."""


@dataclass(frozen=True, slots=True)
class Space:
    """What is to be deployed."""

    id: str
    """OWNER/NAME."""
    sdk: Sdk
    engines: tuple[str, ...]
    """As the Space names them: files are in its folder `engines`."""
    files: tuple[Path, ...] = ()
    """The files that engines come from."""

    @classmethod
    def of(cls, space_id: str, sdk: str, engines: str) -> Self:
        """Check what was asked for.

        Raises:
            DeployError: one of the values is not allowed; one line.
        """
        owner, slash, name = space_id.partition("/")
        try:
            validate_repo_id(space_id)
        except HFValidationError:
            slash = ""
        if not (owner and slash and name):
            allowed = "OWNER/NAME of letters, digits, -, _ and ., such as anna/videogen"
            raise DeployError(f"the Space's name: expected {allowed}, got {space_id!r}.")
        if sdk not in get_args(Sdk):
            raise DeployError(f"--sdk: expected docker or gradio, got {sdk!r}.")
        given = tuple(part.strip() for part in engines.split(",") if part.strip())
        if sdk == "gradio" and any(engine.partition(":")[0] == "diffusers" for engine in given):
            raise DeployError(
                "--engines: diffusers needs a GPU that stays; use --sdk docker, and give the Space a GPU."
            )
        files = tuple(file for engine in given if (file := _file_of(engine)))
        return cls(space_id, sdk, tuple(map(_in_space, given)), files)  # type: ignore[arg-type]

    @property
    def variables(self) -> Mapping[str, str]:
        """The Space's variables; a duplicate of the Space has them too."""
        return {"VIDEOGEN_ENGINES": ",".join(self.engines)} if self.engines else {}

    @property
    def extras(self) -> str:
        """The extras of videogen that the engines need, as in a requirement."""
        return "[diffusers]" if any(engine.partition(":")[0] == "diffusers" for engine in self.engines) else ""


def _file_of(engine: str) -> Path | None:
    """The file that an engine comes from, where it is one.

    Raises:
        DeployError: there is no such file.
    """
    path = Path(engine if engine.endswith(".toml") else engine.rpartition(":")[0])
    if path.suffix not in (".py", ".toml"):
        return None
    if not path.is_file():
        raise DeployError(f"--engines: expected a file that exists, got {str(path)!r}.")
    return path


def _in_space(engine: str) -> str:
    path = _file_of(engine)
    return engine if path is None else f"{ENGINE_FILES}/{path.name}{engine.removeprefix(str(path))}"


def card(space: Space, gradio: str) -> SpaceCardData:
    """The front matter of the README.

    Args:
        space: the Space.
        gradio: the version of Gradio that the wheel runs with.
    """
    own: dict[str, Any] = (
        {"sdk": "docker", "app_port": PORT}
        if space.sdk == "docker"
        else {"sdk": "gradio", "sdk_version": gradio, "python_version": PYTHON, "app_file": "app.py"}
    )
    return SpaceCardData(
        title=space.id.partition("/")[2],
        emoji="🎬",
        colorFrom="indigo",
        colorTo="yellow",
        **own,
        pinned=False,
        license="apache-2.0",
        hf_oauth=True,
        hf_oauth_scopes=["inference-api"],
        short_description="Videos from prompts; no work is ever lost",
        tags=["video-generation", "text-to-video", "image-to-video", "videogen"],
        thumbnail=f"https://huggingface.co/spaces/{space.id}/resolve/main/thumbnail.webp",
        startup_duration_timeout="30m",
    )


def write(space: Space, folder: Path) -> None:
    """Write the Space into a folder that is new or empty.

    Raises:
        DeployError: the folder is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DeployError(f"--out: expected a folder that is new or empty, got {str(folder)!r}.")
    folder.mkdir(parents=True, exist_ok=True)
    lock = locked_requirements()
    wheel = write_wheel(folder)
    if space.files:
        (folder / ENGINE_FILES).mkdir()
    for file in space.files:
        copyfile(file, folder / ENGINE_FILES / file.name)
    copyfile(_THUMBNAIL, folder / "thumbnail.webp")
    pins = dict(line.split("==", 1) for line in _pins(lock))
    values = {"space": space, "wheel": wheel.name, "port": PORT, "python": PYTHON, "version": __version__}
    front = card(space, pins["gradio"].split()[0]).to_yaml()
    _render("README.md", folder, **values, front=front, secrets=SECRETS, settings=VARIABLES)
    (folder / ".gitattributes").write_text(
        "*.whl filter=lfs diff=lfs merge=lfs -text\n*.webp filter=lfs diff=lfs merge=lfs -text\n"
    )
    if space.sdk == "docker":
        (folder / "requirements.lock").write_text(lock)
        _render("Dockerfile", folder, **values)
    else:
        kept = [line for line in _pins(lock) if not (_HELD_BACK.match(line) or _ONLY_BUILDS.match(line))]
        (folder / "requirements.txt").write_text("\n".join(kept) + "\n")
        _render("app.py", folder, **values)


def _pins(lock: str) -> list[str]:
    """The packages of a lock file, without the hashes."""
    return [line.removesuffix(" \\") for line in lock.splitlines() if re.match(r"[a-z0-9]", line)]


def _render(name: str, folder: Path, **values: Any) -> None:
    environment = Environment(  # noqa: S701 - none of these files is HTML
        loader=PackageLoader("videogen.deploy"), undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    (folder / name).write_text(environment.get_template(f"{name}.jinja").render(values))
