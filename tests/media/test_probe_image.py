import numpy as np
import pytest
from PIL import Image

from videogen.core.atomic_files import replacing
from videogen.media.encode import SegmentEncoder, VideoShape, join_segments
from videogen.media.image import write_poster, write_preview
from videogen.media.probe import BrokenMediaError, probe

SHAPE = VideoShape(64, 48, 8)


def checks(index):
    """A checker pattern: uint8, (48, 64, 3)."""
    board = (np.indices((48, 64)).sum(0) // 8 + index) % 2 * 200 + 20
    return np.repeat(board[..., None], 3, 2).astype(np.uint8)


def video(folder, frames):
    with SegmentEncoder(folder / "s.mp4", SHAPE) as encoder:
        for frame in frames:
            encoder.write(frame)
    join_segments([folder / "s.mp4"], folder / "v.mp4", {"title": "t"})
    return folder / "v.mp4"


def black():
    return np.zeros((48, 64, 3), np.uint8)


def test_a_truncated_video_is_refused(tmp_path):
    data = video(tmp_path, [checks(index) for index in range(8)]).read_bytes()
    cut = tmp_path / "cut.mp4"
    for length in (*range(0, len(data), max(1, len(data) // 60)), len(data) - 1):
        cut.write_bytes(data[:length])
        with pytest.raises(BrokenMediaError, match=r"cut\.mp4: expected a whole video, got .+"):
            probe(cut)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00\x00\x00\x08ftyp", b"\x00" * 4096])
def test_a_file_that_is_no_video_is_refused(tmp_path, content):
    (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(BrokenMediaError, match=r"x\.mp4"):
        probe(tmp_path / "x.mp4")


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(BrokenMediaError, match=r"gone\.mp4"):
        probe(tmp_path / "gone.mp4")


def poster_of(tmp_path, frames):
    write_poster(video(tmp_path, frames), tmp_path / "p.jpg")
    with Image.open(tmp_path / "p.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (64, 48))
        return np.asarray(image, np.float64)


def test_the_poster_is_the_frame_at_a_third(tmp_path):
    frames = [checks(0) // (1 + index) for index in range(9)]
    assert poster_of(tmp_path, frames).mean() == pytest.approx(frames[3].mean(), abs=3)


def test_the_poster_avoids_a_black_frame(tmp_path):
    frames = [black() for _ in range(5)] + [checks(0) for _ in range(4)]
    assert poster_of(tmp_path, frames).std() > 50


def test_the_poster_avoids_a_nearly_black_frame(tmp_path):
    frames = [checks(0) // 20 for _ in range(5)] + [checks(0) for _ in range(4)]
    assert poster_of(tmp_path, frames).mean() > 50


@pytest.mark.parametrize("count", [1, 2, 8])
def test_a_black_video_has_a_poster(tmp_path, count):
    assert poster_of(tmp_path, [black() for _ in range(count)]).max() < 8


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1280, 720), (480, 270)), ((64, 48), (64, 48)), ((3840, 64), (480, 8)), ((2000, 2), (480, 1))],
)
def test_a_preview_is_small_and_keeps_its_aspect_ratio(tmp_path, size, expected):
    write_preview(np.zeros((size[1], size[0], 3), np.uint8), tmp_path / "preview.jpg")
    with Image.open(tmp_path / "preview.jpg") as image:
        assert (image.format, image.size) == ("JPEG", expected)
    assert [path.name for path in tmp_path.iterdir()] == ["preview.jpg"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")

    def write_half():
        with replacing(path) as part:
            part.write_text("half of the n")
            assert path.read_text() == "old"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
