"""moto's S3 in a process of its own, which a test may stop, freeze and start again with an empty bucket.

    with S3Server() as s3:
        s3.url, s3.environment

Run as a program it serves at the port that it is given.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any, Self

from tests.support import processes
from tests.support.nginx import free_port

BUCKET = "videogen"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    # obstore refuses plain http otherwise.
    "AWS_ALLOW_HTTP": "true",
}


class S3Server:
    """One server with one bucket."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """boto3's client, for what a test looks up itself."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            region_name="us-east-1",
        )

    def keys(self, prefix: str = "") -> list[str]:
        """The keys of the objects that begin with this."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.support.s3_server", str(self.port)]
        self._process = processes.start(command, stdin=subprocess.DEVNULL, env=os.environ | ENVIRONMENT)
        while self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    self.client().create_bucket(Bucket=BUCKET)
                    return self
            time.sleep(0.05)
        raise RuntimeError("moto did not start.")

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def freeze(self) -> None:
        """It stands still, with all its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def serve(port: int) -> None:
    """Serve until this process ends."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False).start()
    signal.pause()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
