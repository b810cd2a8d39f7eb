import json
import os
import subprocess
import sys
from itertools import pairwise

import av
import numpy as np
import pytest

from videogen.media.encode import SegmentEncoder, VideoShape, join_segments
from videogen.media.playable import examine_video
from videogen.media.probe import probe
from videogen.media.sound import Sound

TAGS = {"title": "Ein Lied über das Meer", "comment": json.dumps({"prompt": "sea\n" * 5000, "seed": 7})}


def picture(index, shape):
    """Noise over a moving edge: uint8, (H, W, 3)."""
    noise = np.random.default_rng(index).integers(0, 60, (shape.height, shape.width, 3), np.uint8)
    noise[:, : (index * 3) % shape.width] += 120
    return noise


def make_video(folder, shape, num_frames, frame=picture):
    """Encode as the engines do: one segment per second, then joined."""
    folder.mkdir(exist_ok=True)
    segments = []
    for start in range(0, num_frames, shape.fps):
        segments.append(folder / f"{start}.mp4")
        with SegmentEncoder(segments[-1], shape) as encoder:
            for index in range(start, min(start + shape.fps, num_frames)):
                encoder.write(frame(index, shape))
    join_segments(segments, folder / "whole.mp4", TAGS)
    return folder / "whole.mp4"


@pytest.mark.parametrize(
    ("fps", "num_frames"), [(24, 60), (24, 1), (24, 25), (8, 16), (1, 3), (2, 5), (7, 20), (60, 121)]
)
def test_a_video_has_every_frame_at_its_time(tmp_path, fps, num_frames):
    path = make_video(tmp_path / "v", VideoShape(64, 64, fps), num_frames)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [frame.pts * stream.time_base for frame in container.decode(stream)]
        container.seek(0)
        stamps = [packet.dts for packet in container.demux(stream) if packet.dts is not None]
    assert [round(float(time * fps), 6) for time in times] == list(range(num_frames))
    assert all(a < b for a, b in pairwise(stamps))
    found = probe(path)
    assert (found.width, found.height, found.fps, found.num_frames) == (64, 64, fps, num_frames)
    assert found.duration_seconds == pytest.approx(num_frames / fps, abs=1e-6)
    assert (found.codec, found.pix_fmt) == ("h264", "yuv420p")


@pytest.mark.parametrize(("channels", "rate"), [(1, 16_000), (2, 44_100)])
def test_a_video_has_its_sound_from_its_start_to_its_end(tmp_path, channels, rate):
    tone = np.sin(np.arange(5 * rate) / rate * 2 * np.pi * 440).astype(np.float32) / 2
    segment = tmp_path / "0.mp4"
    shape = VideoShape(64, 64, 8)
    with SegmentEncoder(segment, shape) as encoder:
        for index in range(16):
            encoder.write(picture(index, shape))
    path = tmp_path / "whole.mp4"
    join_segments([segment], path, TAGS, Sound(np.stack([tone] * channels), rate))
    found = examine_video(path)
    assert (found.has_audio, found.faults, found.duration_seconds) == (True, (), 2.0)
    with av.open(str(path)) as container:
        (audio,) = container.streams.audio
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio)])
        assert (audio.codec_context.name, audio.channels) == ("aac", channels)
        assert len(heard) / audio.rate == pytest.approx(2.0, abs=0.1), "what is longer than the video is cut off"
    steady = heard[audio.rate // 4 : audio.rate]
    waves = np.count_nonzero(np.diff(np.signbit(steady))) / 2 / 0.75
    assert waves == pytest.approx(440, rel=0.02)


def test_frames_are_in_order(tmp_path):
    def grey(index, shape):
        return np.full((shape.height, shape.width, 3), 20 + 10 * index, np.uint8)

    path = make_video(tmp_path / "v", VideoShape(64, 64, 8), 20, grey)
    with av.open(str(path)) as container:
        shown = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    assert shown == pytest.approx([20 + 10 * index for index in range(20)], abs=2)


def test_each_segment_has_one_key_frame_at_its_start(tmp_path):
    path = make_video(tmp_path / "v", VideoShape(64, 64, 8), 24)
    with av.open(str(path)) as container:
        keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.dts is not None]
    assert [index for index, key in enumerate(keys) if key] == [0, 8, 16]


def test_metadata_is_read_back_unchanged(tmp_path):
    metadata = probe(make_video(tmp_path / "v", VideoShape(64, 64, 8), 8)).metadata
    assert {key: metadata[key] for key in TAGS} == TAGS


def test_the_index_comes_before_the_frames(tmp_path):
    data = make_video(tmp_path / "v", VideoShape(64, 64, 8), 8).read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_the_same_frames_give_the_same_bytes(tmp_path):
    shape = VideoShape(322, 182, 8)
    assert make_video(tmp_path / "a", shape, 20).read_bytes() == make_video(tmp_path / "b", shape, 20).read_bytes()


ALONE = f"""
import hashlib, importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("encode", {__file__!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
path = module.make_video(pathlib.Path(sys.argv[1]), module.VideoShape(322, 182, 8), 16)
print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="MALLOC_PERTURB_ is glibc's")
def test_the_bytes_do_not_depend_on_uninitialised_memory(tmp_path):
    digests = []
    for pattern in ("85", "254"):
        environment = {**os.environ, "MALLOC_PERTURB_": pattern, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", ALONE, str(tmp_path / pattern)]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        digests.append(run.stdout)
    assert digests[0] == digests[1]


# Limited-range BT.709 code values of the primaries; BT.601 would have 81, 145 and 41 for the first three.
@pytest.mark.parametrize(
    ("rgb", "yuv"),
    [
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
    ],
)
def test_colours_are_converted_and_tagged_as_bt709(tmp_path, rgb, yuv):
    def flat(index, shape):
        return np.broadcast_to(np.array(rgb, np.uint8), (shape.height, shape.width, 3))

    path = make_video(tmp_path / "v", VideoShape(64, 64, 4), 4, flat)
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        frame = next(container.decode(video=0))
        planes = [int(np.frombuffer(plane, np.uint8)[plane.line_size * 8 + 8]) for plane in frame.planes]
        assert planes == pytest.approx(yuv, abs=2)
        assert frame.to_ndarray(format="rgb24")[32, 32] == pytest.approx(rgb, abs=4)


def test_a_join_that_fails_leaves_the_old_file(tmp_path):
    path = make_video(tmp_path / "v", VideoShape(64, 64, 8), 8)
    before = path.read_bytes()
    with pytest.raises(av.FFmpegError):
        join_segments([tmp_path / "v" / "0.mp4", tmp_path / "missing.mp4"], path, {})
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.glob(".*")] == []
