"""Makes exports, whole and broken ones."""

import hashlib
import io
import json
import zipfile

import numpy as np
from PIL import Image

from videogen.media.encode import SegmentEncoder, VideoShape

AT = "2026-11-01T12:00:00Z"


def video_bytes(folder, shade=90, frames=8):
    """An MP4 file of 64 x 64 pixels."""
    path = folder / f"{shade}.mp4"
    with SegmentEncoder(path, VideoShape(64, 64, 8)) as encoder:
        for _ in range(frames):
            encoder.write(np.full((64, 64, 3), shade, np.uint8))
    return path.read_bytes()


def picture_bytes(kind="JPEG"):
    data = io.BytesIO()
    Image.new("RGB", (64, 64), (90, 60, 30)).save(data, kind)
    return data.getvalue()


def exported_file(path, data):
    """The entry of a file in a manifest."""
    return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "sizeBytes": len(data)}


def exported_generation(origin="gen_a", **changes):
    """The entry of a generation in a manifest."""
    entry = {"id": origin, "type": "video", "status": "completed", "prompt": "a ship", "engine": "bars"}
    entry |= {"engineVersion": "1", "settings": {"width": 64, "height": 64, "durationSeconds": 1, "fps": 8}, "seed": 7}
    entry |= {"width": 64, "height": 64, "fps": 8, "durationSeconds": 1.0, "createdAt": AT, "finishedAt": AT}
    return entry | changes


def manifest(*generations, **changes):
    entry = {"format": "videogen-export", "version": 1, "exportedAt": AT, "generations": list(generations)}
    return json.dumps(entry | changes).encode()


def zip_bytes(files, compression=zipfile.ZIP_STORED):
    """A zip with these files: their contents by name."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def export_bytes(video, origin="gen_a", **changes):
    """An export of one video."""
    path = f"videos/{origin}.mp4"
    entry = exported_generation(origin, result=exported_file(path, video), **changes)
    return zip_bytes({path: video, "manifest.json": manifest(entry)})
