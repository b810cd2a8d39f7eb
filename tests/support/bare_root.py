"""A bare Debian in a folder, in the place of a container: a Dockerfile's steps run in it. Needs root and debootstrap.

The packages come from where this machine gets its own: its Debian mirror, its certificates, its settings of pip.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import psutil

SUITE = "trixie"
"""Its Python is 3.13, as in the image python:3.13-slim."""
PYTHON = "/opt/python"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
OF_THIS_MACHINE = re.compile(r"(https?|no)_proxy|PIP_(INDEX_URL|CERT|DEFAULT_TIMEOUT)|SSL_CERT_FILE", re.I)
MINUTES = 60


class BareRoot:
    """One root folder.

    Attributes:
        path: where it lies on this machine.
        env: the variables that its programs get.
        user: who runs them, such as `1000:1000`.
        folder: where they run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env: dict[str, str] = {
            "PATH": f"{PYTHON}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        }
        self.env |= {name: value for name, value in os.environ.items() if OF_THIS_MACHINE.fullmatch(name)}
        self.user, self.folder = "0:0", "/"

    def install(self) -> None:
        """Install Debian with Python, as the image `python:3.13-slim` has it: `python` and `pip` are on the PATH."""
        packages = "ca-certificates,python3,python3-venv"
        command = ["debootstrap", "--variant=minbase", f"--include={packages}", SUITE, str(self.path), *_mirror()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20 * MINUTES)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        self._copy_what_opens_the_network()
        self.run(f"python3 -m venv {PYTHON}")

    def copy(self, path: Path) -> BareRoot:
        """Another root with the same content."""
        subprocess.run(["cp", "-a", str(self.path), str(path)], check=True)
        return BareRoot(path)

    def run(self, command: str, *, network: bool = True, minutes: float = 15, **env: str) -> str:
        """Run a shell command in it, with or without a network but loopback; return what it prints."""
        done = subprocess.run(
            self._inside(command, network=network),
            env={"HOME": self._home(), **self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=minutes * MINUTES,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}"
        return done.stdout

    def start(self, command: str, log: Path, **env: str) -> subprocess.Popen[bytes]:
        """Start a shell command in it, which prints to a file; `kill` ends it with all that it has started.

        Its network is that of the thread that calls this, see `tests.support.networks`.
        """
        with log.open("ab") as output:
            return subprocess.Popen(
                self._inside(command, network=True),
                env={"HOME": self._home(), **self.env, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @staticmethod
    def kill(process: subprocess.Popen[bytes]) -> None:
        """SIGKILL, as for a container: with its first process, everything in it ends."""
        # Not through the death of the parent: that signal is lost where the first process changes its user.
        for first in psutil.Process(process.pid).children():
            first.kill()
        process.wait()

    def _inside(self, command: str, *, network: bool) -> list[str]:
        """The program that runs a shell command in it: with processes of its own, which end with it."""
        inside = ["chroot", f"--userspec={self.user}", str(self.path), "sh", "-ec"]
        inside += [f"cd {shlex.quote(self.folder)}\n{command}"]
        proc = shlex.quote(str(self.path / "proc"))
        mount = f"mount -t proc proc {proc} && " + ("" if network else "ip link set lo up && ")
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *([] if network else ["--net"])]
        return [*unshare, "sh", "-ec", mount + "exec " + shlex.join(inside)]

    def build(self, dockerfile: str, context: Path) -> str:
        """Run the steps of a Dockerfile; return the command that its image starts."""
        entry: list[str] = []
        for step in re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.M)).splitlines():
            word, _, rest = step.partition(" ")
            match word:
                case "" | "FROM" | "EXPOSE" | "STOPSIGNAL":
                    pass
                case "RUN":
                    self.run(rest)
                case "ENV":
                    self._set(rest)
                case "USER":
                    self.user = rest
                case "WORKDIR":
                    self.folder = rest
                    self.run(f"mkdir -p {rest}")
                case "COPY":
                    self._copy(rest.split(), context)
                case "ENTRYPOINT" | "CMD":
                    entry += json.loads(rest)
                case _:
                    raise AssertionError(f"a step that is not known here: {step}")
        return shlex.join(entry)

    def put(self, source: Path, target: str, owner: str = "0:0") -> None:
        """Copy a file or a folder of this machine into it."""
        inside = self.path / target.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", str(source), str(inside)], check=True)
        subprocess.run(["chown", "-R", owner, str(inside)], check=True)

    def _copy(self, words: list[str], context: Path) -> None:
        owner = next((word.partition("=")[2] for word in words if word.startswith("--chown=")), "0:0")
        source, target = (word for word in words if not word.startswith("--"))
        target = str(Path(self.folder, target, Path(source).name if target.endswith("/") else ""))
        self.put(context / source, target, owner)

    def _set(self, assignments: str) -> None:
        pairs = [pair.partition("=") for pair in shlex.split(assignments)]
        self.env |= {name: value.replace("$PATH", self.env["PATH"]) for name, _, value in pairs}

    def _home(self) -> str:
        user = self.user.partition(":")[0]
        entries = (self.path / "etc" / "passwd").read_text().splitlines() if user != "0" else []
        return next((entry.split(":")[5] for entry in entries if entry.split(":")[2] == user), "/root")

    def _copy_what_opens_the_network(self) -> None:
        for file in (CERTIFICATES, Path("/etc/resolv.conf"), Path("/etc/hosts")):
            if file.exists():
                shutil.copy(file, self.path / str(file).lstrip("/"))


def _mirror() -> list[str]:
    """This machine's Debian mirror; nothing where it has none, for debootstrap's own."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Origin: Debian", "Label: Debian"]
    found = subprocess.run(command, capture_output=True, text=True).stdout.split()
    return found[:1]
