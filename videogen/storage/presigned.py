"""Links to objects of a bucket that browsers reach: signed for minutes (SigV4), with the headers of the answer.

obstore signs links too, but cannot name the headers: a download would lose its file name.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from videogen.core.errors import ConfigError

OPTION: Final = "public"
"""The option of VIDEOGEN_STORAGE_URL with the address at which browsers reach the bucket."""
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
# Nothing else may stand in it: it becomes a part of a Content-Security-Policy.
_ORIGIN: Final = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])((?::[0-9]+)?)")
_PORTS: Final = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links to the objects of one bucket."""

    origin: str
    """Such as `https://files.example.org`."""
    root: str
    """The path of the place in the bucket, with slashes at both ends."""
    region: str
    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    def url(self, key: str, seconds: int, content_type: str, disposition: str, at: datetime | None = None) -> str:
        """A link that works for so many seconds; `at`: from when on."""
        stamp = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        query = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self.key_id}/{scope}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
            "response-content-disposition": disposition,
            "response-content-type": content_type,
        } | ({"X-Amz-Security-Token": self.token} if self.token else {})
        path = quote(self.root + key, safe="/-_.~")
        text = urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")
        request = f"GET\n{path}\n{text}\nhost:{urlsplit(self.origin).netloc}\n\nhost\nUNSIGNED-PAYLOAD"
        signed = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        proof = f"AWS4{self.secret}".encode()
        for part in (*scope.split("/"), signed):
            proof = hmac.digest(proof, part.encode(), "sha256")
        return f"{self.origin}{path}?{text}&X-Amz-Signature={proof.hex()}"


def links_of(url: str, setting: str) -> Links | None:
    """The links of a storage URL; None where it names no public address.

    Raises:
        ConfigError: the address is none, or there is no key to sign with.
    """
    parts = urlsplit(url)
    origin = parse_qs(parts.query).get(OPTION, [""])[0].rstrip("/")
    if not origin:
        return None
    if (found := _ORIGIN.fullmatch(origin)) is None:
        raise ConfigError(
            setting, f"{OPTION}= and an address such as https://files.example.org, without a path", origin
        )
    key_id, secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    if not key_id or not secret:
        raise ConfigError(setting, f"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY with {OPTION}=, to sign links", "none")
    given = [
        *parse_qs(parts.query).get("region", []),
        os.environ.get("AWS_REGION"),
        os.environ.get("AWS_DEFAULT_REGION"),
    ]
    scheme, host, port = found.groups()
    # As browsers send it in `Host`, which is signed.
    address = host.lower() if port == _PORTS[scheme] else host.lower() + port
    root = "/" + "".join(f"{part}/" for part in (parts.netloc, *parts.path.split("/")) if part)
    region = next((name for name in given if name), "us-east-1")
    return Links(f"{scheme}://{address}", root, region, key_id, secret, os.environ.get("AWS_SESSION_TOKEN", ""))
