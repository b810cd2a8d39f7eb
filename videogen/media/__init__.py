"""Video and pictures on disk: encode, probe, poster. Everything written is whole or not there."""

from videogen.media.durable import replacing, write_durably
from videogen.media.encode import ENCODER, SegmentEncoder, VideoShape, join_segments
from videogen.media.image import write_poster, write_preview
from videogen.media.probe import BrokenMedia, Probe, probe

__all__ = [
    "ENCODER",
    "BrokenMedia",
    "Probe",
    "SegmentEncoder",
    "VideoShape",
    "join_segments",
    "probe",
    "replacing",
    "write_durably",
    "write_poster",
    "write_preview",
]
