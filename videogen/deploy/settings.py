"""What can be set for a Space. Variables are public, and a duplicate gets them; secrets are neither."""

from __future__ import annotations

from typing import Final, Literal

Sdk = Literal["docker", "gradio"]

VARIABLES: Final = {
    "VIDEOGEN_SNAPSHOT_URL": "where snapshots and files are kept over a sleep and a rebuild, such as "
    "`s3://BUCKET/videogen?endpoint=https://s3.hf.co/NAMESPACE`",
    "VIDEOGEN_SNAPSHOT_SECONDS": "how often a snapshot is taken while something changes",
    "VIDEOGEN_ENGINES": "the engines; `procedural` needs no GPU and no key",
}
SECRETS: Final = {
    "VIDEOGEN_SNAPSHOT_KEY": "encrypts the snapshots",
    "AWS_ACCESS_KEY_ID": "with the next one, opens the bucket of `VIDEOGEN_SNAPSHOT_URL`",
    "AWS_SECRET_ACCESS_KEY": "see above",
    "HF_TOKEN": "for engines that ask the Hub: gated models, and services paid by your account",
    "VIDEOGEN_ADMIN_TOKEN": "opens the operator's page",
}
