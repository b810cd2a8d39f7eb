"""Files as they leave this machine: compressed where that is worth it, and encrypted where there is a passphrase.

A sealed file is a header (magic, flags, 16 random bytes), then chunks, each with its length. Encrypted chunks are
AES-256-GCM under a key of their own for each file; their nonce is their number and whether they are the last, so that
a chunk that is changed, moved or missing is noticed.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_MAGIC: Final = b"VGS1"
_COMPRESSED, _ENCRYPTED = 1, 2
_CHUNK: Final = 1 << 20
_LENGTH: Final = struct.Struct(">I")
_WORTH_IT: Final = 0.9
_MAX_CHUNK: Final = _CHUNK + 65536


class SealError(OSError):
    """A sealed file is cut short, was changed, or belongs to another key."""


class Sealed(NamedTuple):
    """What is known of the content of a sealed file."""

    size: int
    digest: str
    """SHA-256 of the content, in hex."""


class Sealer:
    """Seals and opens files, with the key of one passphrase or without."""

    def __init__(self, passphrase: str = "", salt: bytes = b"") -> None:
        """`salt`: of the place where the files are; deriving the key takes a tenth of a second, once."""
        self._key = Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode()) if passphrase else None

    @property
    def encrypts(self) -> bool:
        """Whether there is a passphrase."""
        return self._key is not None

    def proof(self, text: bytes) -> str:
        """A text that only this passphrase and salt give, to recognise them; empty without a passphrase."""
        return hmac.digest(self._key, text, "sha256").hex() if self._key is not None else ""

    def seal_text(self, text: str) -> str:
        """Encrypt a short text, as a text; without a passphrase, or where it is empty, it stays as it is."""
        if not text or self._key is None:
            return text
        salt = os.urandom(16)
        cipher = self._cipher(salt)
        assert cipher is not None
        return (salt + cipher.encrypt(_nonce(0, last=True), text.encode(), _MAGIC)).hex()

    def open_text(self, sealed: str) -> str:
        """The text that was sealed. Raises SealError where it was changed."""
        if not sealed or self._key is None:
            return sealed
        data = bytes.fromhex(sealed)
        cipher = self._cipher(data[:16])
        assert cipher is not None
        return _decrypt(cipher, _nonce(0, last=True), data[16:], _MAGIC).decode()

    def seal(self, source: BinaryIO, target: Path, *, compress: bool = False) -> Sealed:
        """Seal all that `source` has. Raises OSError where it cannot be read or written."""
        salt, digest, size = os.urandom(16), hashlib.sha256(), 0
        cipher = self._cipher(salt)
        chunk = source.read(_CHUNK)
        compress = compress and len(zlib.compress(chunk, 1)) < _WORTH_IT * len(chunk)
        with target.open("wb") as file:
            file.write(_MAGIC + bytes([compress * _COMPRESSED | (cipher is not None) * _ENCRYPTED]) + salt)
            number = 0
            while True:
                following = source.read(_CHUNK)
                digest.update(chunk)
                size += len(chunk)
                data = zlib.compress(chunk, 1) if compress else chunk
                if cipher is not None:
                    data = cipher.encrypt(_nonce(number, last=not following), data, None)
                file.write(_LENGTH.pack(len(data)) + data)
                if not following:
                    break
                chunk, number = following, number + 1
        return Sealed(size, digest.hexdigest())

    def open(self, source: Path, target: Path) -> Sealed:
        """Write the content of a sealed file to `target`.

        Raises:
            SealError: it is not whole, or cannot be opened with this key.
            OSError: a file cannot be read or written.
        """
        digest, size, number = hashlib.sha256(), 0, 0
        with source.open("rb") as sealed, target.open("wb") as file:
            head = sealed.read(len(_MAGIC) + 17)
            if len(head) < len(_MAGIC) + 17 or not head.startswith(_MAGIC):
                raise SealError("it is not a sealed file, or is cut short")
            flags, cipher = head[len(_MAGIC)], self._cipher(head[-16:])
            if bool(flags & _ENCRYPTED) != (cipher is not None):
                raise SealError("it is encrypted" if cipher is None else "it is not encrypted")
            length = sealed.read(_LENGTH.size)
            while length:
                data = _read_chunk(sealed, length)
                length = sealed.read(_LENGTH.size)
                if cipher is not None:
                    data = _decrypt(cipher, _nonce(number, last=not length), data)
                if flags & _COMPRESSED:
                    data = _inflate(data)
                digest.update(data)
                size, number = size + len(data), number + 1
                file.write(data)
        return Sealed(size, digest.hexdigest())

    def _cipher(self, salt: bytes) -> AESGCM | None:
        if self._key is None:
            return None
        return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"videogen file").derive(self._key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _read_chunk(sealed: BinaryIO, length: bytes) -> bytes:
    wanted = _LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else _MAX_CHUNK
    data = sealed.read(wanted) if wanted < _MAX_CHUNK else b""
    if len(data) != wanted:
        raise SealError("it is cut short")
    return data


def _decrypt(cipher: AESGCM, nonce: bytes, data: bytes, about: bytes | None = None) -> bytes:
    try:
        return cipher.decrypt(nonce, data, about)
    except InvalidTag:
        raise SealError("it was changed, is cut short, or has another key") from None


def _inflate(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, _CHUNK)
    except zlib.error:
        raise SealError("it was changed") from None
    if not unpacker.eof:
        raise SealError("it was changed")
    return content
