"""Tokens, keys and signed links."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import time
from pathlib import Path
from typing import Final

from videogen.core.errors import StartError

LINK_SECONDS = 24 * 3600
"""How long a media link is valid at least."""
_LINK_STEP = 3600
SECRET_FILE = "secret.key"  # noqa: S105 (a name)
"""The secret in the data folder."""


def new_id(prefix: str) -> str:
    """Create an id with 120 random bits, such as `gen_...`."""
    return f"{prefix}_{secrets.token_urlsafe(15)}"


def new_token() -> str:
    """Create a session token with 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """SHA-256 of a token, in hex. A random token needs no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_slug() -> str:
    """Create the secret part of a share link: 144 random bits as 24 characters that are safe in a URL."""
    return secrets.token_urlsafe(18)


def load_secret(data_dir: Path, given: str) -> bytes:
    """The app's secret: `given`, or the one in the data folder, which is created (mode 600) if it does not exist.

    Raises:
        StartError: the file cannot be read or written, or has fewer than 16 bytes.
    """
    if given:
        return given.encode()
    path = data_dir / SECRET_FILE
    try:
        # Written to a temporary file and then linked: two first starts at once get the same, complete secret.
        if not path.exists():
            temporary = data_dir / f".secret.{secrets.token_hex(4)}"
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)
            except FileExistsError:
                pass
            finally:
                temporary.unlink()
        secret = path.read_bytes().strip()
    except OSError as problem:
        raise StartError(f"The secret in {path} cannot be read or written: {problem.strerror}.") from problem
    if len(secret) < 16:
        raise StartError(f"{path}: expected a secret of at least 16 bytes, got {len(secret)}. Remove it for a new one.")
    return secret


class Signer:
    """Signs links to files with HMAC-SHA-256, and derives keys for other uses from the same secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"media-links", "sha256")
        self._secret = secret

    def derive(self, purpose: str) -> str:
        """A key for `purpose`, in hex. It reveals nothing about the secret."""
        return hmac.digest(self._secret, purpose.encode(), "sha256").hex()

    def sign(self, file_id: str, expires: int) -> str:
        """The signature of a link to `file_id` that is valid until `expires` (seconds since the epoch)."""
        return hmac.digest(self._key, f"{file_id}:{expires}".encode(), "sha256").hex()[:32]

    def link(self, file_id: str, now: float | None = None) -> str:
        """The query of a signed link. It is the same within an hour, so that browsers can use their cache."""
        now = time.time() if now is None else now
        expires = (int(now) // _LINK_STEP + 1) * _LINK_STEP + LINK_SECONDS
        return f"exp={expires}&sig={self.sign(file_id, expires)}"

    def verify(self, file_id: str, expires: str, signature: str, now: float | None = None) -> bool:
        """Whether a link has our signature and has not expired."""
        now = time.time() if now is None else now
        if not (expires.isascii() and expires.isdigit() and len(expires) < 16 and signature.isascii()):
            return False
        return hmac.compare_digest(self.sign(file_id, int(expires)), signature) and now <= int(expires)


WEBHOOK_PREFIX: Final = "whsec_"
"""What the secret of a webhook begins with; the rest is the key in base64."""


def is_webhook_secret(secret: str) -> bool:
    """Whether this is a secret of a webhook, with a key of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(WEBHOOK_PREFIX), validate=True)
    except ValueError:
        return False
    return secret.startswith(WEBHOOK_PREFIX) and 24 <= len(key) <= 64


def webhook_signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature` of the Standard Webhooks specification."""
    key = base64.b64decode(secret.removeprefix(WEBHOOK_PREFIX))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def instance_of(secret: bytes) -> str:
    """What identifies the app of a secret to clients, over restarts and ports."""
    return Signer(secret).derive("instance")[:24]


class SessionTokens:
    """Makes session tokens that are known as ours before anything of them is stored.

    A token is 256 random bits, a point, and their MAC. The id of its session follows from it, so that it is the same
    before and after the session is stored.
    """

    def __init__(self, signer: Signer) -> None:
        self._key = signer.derive("session-token").encode()

    def new(self) -> str:
        """Create a token. It opens an empty session until something is stored in it."""
        value = new_token()
        return f"{value}.{self._mac(value)}"

    def is_ours(self, token: str) -> bool:
        """Whether `new` made this token, here or in another process with the same secret."""
        value, _, mac = token.partition(".")
        return token.isascii() and hmac.compare_digest(self._mac(value), mac)

    def session_id(self, token: str) -> str:
        """The id of the session that a token of ours was made for."""
        return f"ses_{self._mac(f'id of {token}', size=15)}"

    def _mac(self, value: str, size: int = 18) -> str:
        digest = hmac.digest(self._key, value.encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:size]).decode()
