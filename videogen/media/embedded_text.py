"""Finds the JSON texts that a picture or a video carries, in a child process with limits on time and memory.

What was made here carries its recipe as a comment. Programs that save such a file again move it to another place: so
all texts are looked at, whatever they are called. The child is `python -m videogen.media.embedded_text`: it reads the
file from standard input, and prints each text as a line of JSON.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

from PIL import Image

from videogen.core.errors import InvalidRequestError, UnsupportedMediaTypeError
from videogen.media.limited_process import FILE_SECONDS, MAX_PIXELS, TOO_MUCH, answer, run_child, start_child
from videogen.media.types import HEAD_BYTES, Kind, kind_of

ACCEPTED: Final = "a PNG, JPEG, WebP, MP4 or MOV file"
MAX_BYTES: Final = 1_000_000
"""Of one text; a longer one is left out."""
MAX_TEXTS: Final = 8
_BLANKS: Final = "\0 \r\n\t"
_END: Final = "end"
_BROKEN: Final = "broken"


def embedded_json(file: BinaryIO) -> list[str]:
    """The texts in a PNG, JPEG, WebP, MP4 or MOV that begin like a JSON object, at most `MAX_TEXTS`. Blocks.

    Args:
        file: seekable, with a descriptor, at its start.

    Raises:
        UnsupportedMediaTypeError: the first bytes are those of another format.
        InvalidRequestError: the file is not whole, has too many pixels, or takes too much time or memory to read.
        StorageError: the child could not be started.
    """
    head = file.read(HEAD_BYTES)
    if kind_of(head) is None:
        got = "an empty file" if not head else f"a file that begins with {head[:8]!r}"
        raise UnsupportedMediaTypeError(f"file: expected {ACCEPTED}, got {got}.")
    file.seek(0)
    *lines, last = run_child(__name__, file, FILE_SECONDS) or [""]
    if last != _END:
        got = "a broken or a huge one" if last == _BROKEN else TOO_MUCH
        raise InvalidRequestError.of([{"field": "file", "expected": f"{ACCEPTED} that is whole", "got": got}])
    return [str(json.loads(line)) for line in lines]


def _texts(file: BinaryIO, kind: Kind) -> Iterator[object]:
    """All texts of a file, as text or as bytes. Pictures are decoded: PNGs may have texts behind their pixels."""
    if kind == "MP4":
        # Imported here: it takes long, and pictures do not need it.
        import av

        # Without the format, FFmpeg would choose it by the content. Playlists, for example, name other files to read.
        with av.open(file, format="mp4", options={"protocol_whitelist": "file"}) as container:
            yield from container.metadata.values()
            for stream in container.streams:
                yield from stream.metadata.values()
        return
    with Image.open(file, formats=[kind]) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"more than {MAX_PIXELS} pixels")
        image.load()
        yield from map(_as_utf8, image.info.values())
        yield from map(_as_utf8, image.getexif().values())


def _as_utf8(value: object) -> object:
    """A text as it was meant: many programs write UTF-8 where PNG (but in its iTXt) and EXIF have Latin-1."""
    if type(value) is not str:
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def find_json(file: BinaryIO) -> list[str]:
    """The texts that `embedded_json` returns. A file may make it take any time and memory: call it in the child.

    Raises:
        Exception: any, for a broken file.
    """
    kind = kind_of(file.read(HEAD_BYTES))
    file.seek(0)
    if kind is None:
        raise ValueError("another format")
    found: dict[str, None] = {}  # in their order, each once
    for value in _texts(file, kind):
        text = value.decode(errors="replace") if isinstance(value, bytes) else value
        text = text.strip(_BLANKS) if isinstance(text, str) else ""
        if text.startswith("{") and len(text.encode(errors="replace")) <= MAX_BYTES and len(found) < MAX_TEXTS:
            found[text] = None
    return list(found)


def _main() -> None:
    signal.alarm(start_child())
    file = sys.stdin.buffer
    file.seek(0)  # the parent has read its first bytes with the same descriptor
    try:
        found = find_json(file)
    except MemoryError:
        return
    except Exception:
        answer(_BROKEN)
        return
    for text in found:
        answer(json.dumps(text))
    answer(_END)


if __name__ == "__main__":
    _main()
