"""Arrays and files to videos and pictures. A file is written whole or not at all."""

from videogen.core.atomic_files import replacing, write_durably
from videogen.media.encode import ENCODER, SegmentEncoder, VideoShape, join_segments
from videogen.media.image import probe_image, write_jpeg, write_poster, write_preview, write_still
from videogen.media.probe import BrokenMediaError, Probe, probe

__all__ = [
    "ENCODER",
    "BrokenMediaError",
    "Probe",
    "SegmentEncoder",
    "VideoShape",
    "join_segments",
    "probe",
    "probe_image",
    "replacing",
    "write_durably",
    "write_jpeg",
    "write_poster",
    "write_preview",
    "write_still",
]
