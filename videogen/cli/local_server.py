"""An app of one's own for one command: the API and the renderers, without the page, in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from videogen.cli.exit_codes import UsageError

READY: Final = "Ready on "
STOP_SECONDS: Final = 20.0
"""The renderer may take a moment to reach its next checkpoint."""


class Embedded:
    """The child. It ends with this process, whatever happens to it; what it was rendering stays in the data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "videogen", "serve", "--embedded"],
                env=_environment(self.data_dir),
                # Its end of this pipe tells it that we are gone.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # Ctrl-C is for this process; the child is stopped in good order.
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
                told = log.read().strip().splitlines()
                raise UsageError(
                    told[-1].removeprefix("videogen cannot start. ") if told else "It ended without a word."
                )
            except BaseException:
                self.close()
                raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop it in good order; what it renders goes on with the next one."""
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


def data_folder(environ: Mapping[str, str]) -> Path:
    """Where an app of one's own keeps everything: `VIDEOGEN_DATA_DIR`, else ./data if there is one, else the user's."""
    if given := environ.get("VIDEOGEN_DATA_DIR"):
        return Path(given)
    if Path("data", "videogen.sqlite").is_file():
        return Path("data")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "videogen" / "data"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "videogen"


def _environment(data_dir: Path) -> dict[str, str]:
    # How the app would be reached from elsewhere is no matter of this one.
    hidden = ("VIDEOGEN_BASE_URL", "VIDEOGEN_ROOT_PATH", "VIDEOGEN_API_URL", "VIDEOGEN_SHARE")
    client = ("VIDEOGEN_URL", "VIDEOGEN_TOKEN")
    env = {key: value for key, value in os.environ.items() if key not in (*hidden, *client)}
    env |= {"VIDEOGEN_HOST": "127.0.0.1", "VIDEOGEN_PORT": "0", "VIDEOGEN_DATA_DIR": str(data_dir.resolve())}
    if env.get("VIDEOGEN_WORKERS") == "0":
        env["VIDEOGEN_WORKERS"] = "1"
    return env
