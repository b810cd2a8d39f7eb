"""An app for one command: the API and the renderers, without the page, in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, Self

from videogen.cli.exit_codes import UsageError

READY: Final = "Ready on "
STOP_SECONDS: Final = 20.0
"""A renderer stops at its next checkpoint, which can take some seconds."""


class LocalServer:
    """The child process. It always ends with this process; unfinished generations stay in the data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "videogen", "serve", "--embedded"],
                env=_environment(self.data_dir),
                # The child ends when this pipe is closed, even if this process is killed.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # Ctrl-C goes to this process only, which then stops the child gracefully.
                start_new_session=True,
            )
            self._process = process
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    if line.startswith(READY):
                        self.url = line.removeprefix(READY).strip()
                        return self
                process.wait(STOP_SECONDS)
                log.seek(0)
                lines = log.read().strip().splitlines() or ["The local app ended without a message."]
                raise UsageError(lines[-1].removeprefix("videogen cannot start. "))
            except BaseException:
                self.close()
                raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the child gracefully. The next one continues what it was rendering."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()
        process.stdout.close()


def data_folder() -> Path:
    """The data folder of a local app: `VIDEOGEN_DATA_DIR`, else ./data if it has a database, else the user's."""
    if configured := os.environ.get("VIDEOGEN_DATA_DIR"):
        return Path(configured)
    if Path("data", "videogen.sqlite").is_file():
        return Path("data")
    from platformdirs import user_data_path

    folder = user_data_path("videogen", appauthor=False)
    # On macOS this is the configuration folder too.
    return folder / "data" if sys.platform == "darwin" else folder


def _environment(data_dir: Path) -> dict[str, str]:
    # Settings for a public app, which must not apply to a local one.
    hidden = ("VIDEOGEN_BASE_URL", "VIDEOGEN_ROOT_PATH", "VIDEOGEN_API_URL", "VIDEOGEN_SHARE")
    client = ("VIDEOGEN_URL", "VIDEOGEN_TOKEN")
    env = {key: value for key, value in os.environ.items() if key not in (*hidden, *client)}
    env |= {"VIDEOGEN_HOST": "127.0.0.1", "VIDEOGEN_PORT": "0", "VIDEOGEN_DATA_DIR": str(data_dir.resolve())}
    if env.get("VIDEOGEN_WORKERS") == "0":
        env["VIDEOGEN_WORKERS"] = "1"
    return env
