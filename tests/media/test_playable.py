"""Every file that an engine may make: it is played by every browser afterwards, or refused in words."""

import base64
import os
from io import BytesIO

import av
import numpy as np
import pytest
from PIL import Image

from tests.support.videos import FPS, write_video
from videogen.core.errors import StorageError
from videogen.media import limited_process
from videogen.media.playable import (
    NotPlayableError,
    WrongDurationError,
    examine_video,
    playable_picture,
    playable_video,
)
from videogen.media.probe import BrokenMediaError, read_boxes

FASTSTART = {"movflags": "+faststart"}
FAULTS = {
    # name of the file: how it is made, a part of its fault, whether its pictures are copied
    "late-index.mp4": ({}, "index at its end", True),
    "fragments.mp4": ({"movflags": "+frag_keyframe+empty_moov"}, "fragments", True),
    "quicktime.mov": ({"container": "mov"}, "quicktime", True),
    "other-name.bin": (FASTSTART, "a name that ends with .bin", True),
    "yuv444.mp4": ({"pix_fmt": "yuv444p"} | FASTSTART, "yuv444p", False),
    "ten-bits.mp4": ({"pix_fmt": "yuv420p10le"} | FASTSTART, "High 10", False),
    "odd.mp4": ({"pix_fmt": "yuv444p", "size": (63, 47)} | FASTSTART, "yuv444p", False),
    "level.mp4": ({"level": "6.2"} | FASTSTART, "level 6.2", False),
    "mpeg4.mp4": ({"codec": "mpeg4"} | FASTSTART, "mpeg4", False),
    "hevc.mp4": ({"codec": "libx265", "x265-params": "log-level=none"} | FASTSTART, "hevc", False),
    "vp9.webm": ({"codec": "libvpx-vp9", "container": "webm"}, "vp9", False),
    "h264.mkv": ({"container": "matroska"}, "matroska", False),
    "motion-jpeg.avi": ({"codec": "mjpeg", "pix_fmt": "yuvj420p", "container": "avi"}, "mjpeg", False),
    "picture.gif": ({"codec": "gif", "pix_fmt": "rgb8", "container": "gif", "size": (63, 47)}, "gif", False),
}
BROKEN = {
    "text": b"hello, this is no video at all\n" * 9,
    "page": b"<!doctype html><title>502 Bad Gateway</title>",
    "empty": b"",
    "playlist": b"#EXTM3U\n#EXTINF:1,\nother.mp4\n",
    "boxes": b"\x00\x00\x00\x08ftyp\x00\x00\x00\x08moov",
}


def ignore(progress):
    """The watcher of a conversion that nobody watches."""


def brightness(path):
    """The mean of each frame."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]


def encoder_of(name):
    return FAULTS[name][0].get("codec", "libx264")


@pytest.mark.parametrize("sound", ["", "aac"])
def test_a_file_that_is_fine_stays_as_it_is(tmp_path, sound):
    path = write_video(tmp_path / "video.mp4", sound=sound, **FASTSTART)
    before, calls = path.read_bytes(), []
    made, found = playable_video(path, 1.0, calls.append)
    assert (made, path.read_bytes(), calls) == (path, before, [])
    assert (found.width, found.height, found.fps, found.has_audio) == (64, 48, FPS, bool(sound))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_repaired(tmp_path, name):
    if encoder_of(name) not in av.codecs_available:
        pytest.skip(f"this build of FFmpeg has no {encoder_of(name)}")
    options, fault, copied = FAULTS[name]
    path = write_video(tmp_path / name, **options)
    found = examine_video(path)
    assert fault in " ".join(found.faults)
    assert found.copy_video == copied
    before = brightness(path)
    made, after = playable_video(path, 1.0, ignore)
    assert made == path.with_suffix(".mp4")
    assert examine_video(made).faults == ()
    assert (after.width, after.height) == tuple(size // 2 * 2 for size in options.get("size", (64, 48)))
    assert after.duration_seconds == pytest.approx(1.0, abs=0.13)
    assert np.abs(np.subtract(brightness(made)[: len(before)], before)).max() < 6, "the frames stay in their order"
    boxes = read_boxes(made)
    assert boxes.index(b"moov") < boxes.index(b"mdat")
    assert {file.name for file in tmp_path.iterdir()} == {path.name, made.name}


def test_what_is_only_remuxed_keeps_its_pictures_to_the_bit(tmp_path):
    path = write_video(tmp_path / "video.mp4")

    def packets():
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(video=0)]

    before = packets()
    playable_video(path, 1.0, ignore)
    assert packets() == before


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("aac.mp4", {"sound": "aac"}),
        ("aac.mkv", {"sound": "aac", "container": "matroska"}),
        ("pcm.mov", {"sound": "pcm_s16le", "container": "mov"}),
        ("opus.webm", {"sound": "libopus", "codec": "libvpx-vp9", "container": "webm"}),
        ("mp3.mp4", {"sound": "libmp3lame"} | FASTSTART),
        ("mp3.avi", {"sound": "libmp3lame", "container": "avi"}),
    ],
)
def test_sound_is_kept(tmp_path, name, options):
    made, found = playable_video(write_video(tmp_path / name, **options), 1.0, ignore)
    assert found.has_audio
    with av.open(str(made)) as container:
        (audio,) = container.streams.audio
        assert (audio.codec_context.name, audio.rate, audio.channels) == ("aac", 48_000, 2)
        frames = [frame.to_ndarray() for frame in container.decode(audio)]
    samples = np.concatenate(frames, axis=1)
    assert samples.shape[1] / 48_000 == pytest.approx(1.0, abs=0.1)
    tone = np.abs(np.fft.rfft(samples[0, 4_800:43_200]))
    assert tone.argmax() * 48_000 / 38_400 == pytest.approx(440, abs=3), "the tone that was written"


def test_sound_of_another_kind_does_not_cost_the_pictures(tmp_path):
    found = examine_video(write_video(tmp_path / "video.mp4", sound="libmp3lame", **FASTSTART))
    assert (found.copy_video, found.copy_audio) == (True, False)


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_video_is_refused_in_one_line(tmp_path, kind):
    path = tmp_path / f"{kind}.mp4"
    path.write_bytes(BROKEN[kind])
    with pytest.raises(BrokenMediaError, match=rf"^{kind}\.mp4: expected a whole video, got .+ Render it again\.$"):
        playable_video(path, 1.0, ignore)


def test_a_video_without_frames_is_refused(tmp_path):
    with pytest.raises(BrokenMediaError, match="without"):
        examine_video(write_video(tmp_path / "none.mp4", seconds=0))


@pytest.mark.parametrize("options", [{}, FASTSTART], ids=["index at its end", "index first"])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_a_video_that_is_cut_short_is_refused(tmp_path, options, share):
    path = write_video(tmp_path / "cut.mp4", **options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(BrokenMediaError, match="expected a whole video"):
        playable_video(path, 1.0, ignore)


def test_a_video_whose_last_frame_is_damaged_is_refused(tmp_path):
    path = write_video(tmp_path / "video.mp4", size=(256, 192), g="1", **FASTSTART)
    with av.open(str(path)) as container:
        last = [packet for packet in container.demux(video=0) if packet.size][-1]
        position, size = last.pos, last.size
    data = bytearray(path.read_bytes())
    data[position : position + size] = bytes(size)
    path.write_bytes(data)
    with pytest.raises(BrokenMediaError, match="expected a whole video"):
        examine_video(path)


@pytest.mark.parametrize("seconds", [0.5, 1.5, 4.0])
def test_a_video_of_another_duration_than_its_recipe_is_refused(tmp_path, seconds):
    path = write_video(tmp_path / "video.mp4", seconds=seconds, **FASTSTART)
    with pytest.raises(WrongDurationError, match=rf"expected a video of 1\.00 seconds.* got {seconds:.2f}\."):
        playable_video(path, 1.0, ignore)


def test_a_video_that_is_larger_than_browsers_play_is_refused_before_it_is_converted(tmp_path):
    path = write_video(tmp_path / "wide.mp4", codec="mpeg4", size=(8000, 1400), seconds=0.25)
    with pytest.raises(NotPlayableError, match=r"8000 x 1400 pixels .* Choose a smaller size\."):
        playable_video(path, 0.25, lambda _: pytest.fail("it was converted"))


def test_a_conversion_reports_its_progress_and_can_be_ended(tmp_path):
    path = write_video(tmp_path / "long.webm", codec="libvpx-vp9", container="webm", seconds=40, size=(320, 192))
    seen = []

    def watch(progress):
        if progress is not None:
            seen.append(progress)
            if len(seen) == 2:
                raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        playable_video(path, 40, watch)
    (zero, total), (first, _) = seen
    assert 0 == zero < first < total == 40 * FPS
    assert [file.name for file in tmp_path.iterdir()] == ["long.webm"], "nothing half done is left"


def test_a_full_disk_is_no_fault_of_the_video(tmp_path):
    path = write_video(tmp_path / "video.mp4")
    (tmp_path / ".video.mp4.part").symlink_to("/dev/full")  # every byte is refused: no space left on device
    with pytest.raises(OSError, match="No space left") as caught:
        playable_video(path, 1.0, ignore)
    assert not isinstance(caught.value, BrokenMediaError)
    assert [file.name for file in tmp_path.iterdir()] == ["video.mp4"]


def test_without_a_child_nothing_is_converted_and_nothing_lost(tmp_path, monkeypatch):
    path = write_video(tmp_path / "video.mp4")
    before = path.read_bytes()
    for program in ("/nothing", "/bin/false"):
        monkeypatch.setattr(limited_process.sys, "executable", program)
        with pytest.raises(StorageError):
            playable_video(path, 1.0, ignore)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "options", "suffix"),
    [
        ("still.png", {}, ".png"),
        ("still.webp", {"lossless": True}, ".webp"),
        ("still.jpg", {"quality": 95}, ".png"),
        ("still.tiff", {}, ".png"),
        ("still.bmp", {}, ".png"),
    ],
)
def test_a_picture_becomes_one_that_every_browser_shows(tmp_path, name, options, suffix):
    path = tmp_path / name
    Image.new("RGB", (64, 48), (200, 60, 30)).save(path, **options)
    made, found = playable_picture(path)
    assert (made.suffix, found.width, found.height, found.faults) == (suffix, 64, 48, ())
    assert (made == path) == (path.suffix == suffix)
    with Image.open(made) as image:
        assert np.abs(np.subtract(image.convert("RGB").getpixel((9, 9)), (200, 60, 30))).max() <= 3


@pytest.mark.parametrize("cut", [0, 30, 200])
def test_a_picture_that_is_not_whole_is_refused(tmp_path, cut):
    path = tmp_path / "still.png"
    Image.effect_noise((64, 48), 90).save(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BrokenMediaError, match=r"still\.png: expected a whole picture"):
        playable_picture(path)


def test_a_file_of_another_machine_is_read_in_a_child_with_the_same_verdict(tmp_path):
    video, picture = write_video(tmp_path / "video.mp4", sound="aac", **FASTSTART), tmp_path / "still.png"
    assert playable_video(video, 1.0, ignore, is_foreign=True) == playable_video(video, 1.0, ignore)
    Image.new("RGB", (64, 48)).save(picture)
    assert playable_picture(picture, is_foreign=True) == playable_picture(picture)
    video.write_bytes(BROKEN["page"])
    with pytest.raises(BrokenMediaError, match=r"^video\.mp4: expected a whole video, got a file that begins with .+"):
        playable_video(video, 1.0, ignore, is_foreign=True)


@pytest.mark.parametrize("options", [FASTSTART, {}])
def test_a_file_of_another_machine_comes_with_a_poster_also_if_it_is_converted(tmp_path, options):
    _, found = playable_video(write_video(tmp_path / "video.mp4", **options), 1.0, ignore, is_foreign=True)
    with Image.open(BytesIO(base64.b64decode(found.poster))) as poster:
        assert (poster.format, poster.size) == ("JPEG", (64, 48))


def test_a_file_that_hangs_its_reader_ends_the_child_alone(tmp_path, monkeypatch):
    path = tmp_path / "endless.mp4"
    os.mkfifo(path)  # nobody writes to it, so that opening it never returns
    monkeypatch.setattr(limited_process, "FILE_SECONDS", 1)
    with pytest.raises(BrokenMediaError, match="too much time or memory"):
        playable_video(path, 1.0, ignore, is_foreign=True)
