"""Pictures become a video: one file for each frame, or an animated WebP."""

import pytest
from PIL import Image

from videogen.media.picture_sequence import is_animated_webp, join_pictures
from videogen.media.playable import examine_video
from videogen.media.probe import BrokenMediaError

SIZE = (64, 48)


def colours(count, size=SIZE):
    return [Image.new("RGB", size, (20 * number, 100, 200)) for number in range(count)]


def save_all(folder, pictures):
    paths = [folder / f"{number}.png" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        picture.save(path)
    return paths


def webp(path, count, duration=125):
    first, *rest = colours(count)
    first.save(path, "WEBP", save_all=count > 1, append_images=rest, duration=duration)
    return path


def test_a_sequence_becomes_a_video_that_every_browser_plays(tmp_path):
    seen = []
    target = tmp_path / "made.mp4"
    join_pictures(save_all(tmp_path, colours(9)), target, 8, seen.append)
    found = examine_video(target)
    assert (found.width, found.height, found.fps, found.faults) == (*SIZE, 8.0, ())
    assert found.duration_seconds == pytest.approx(9 / 8, abs=0.01)
    assert (0, 9) in seen
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".mp4"}


def test_an_animated_webp_keeps_its_own_rate(tmp_path):
    path, target = webp(tmp_path / "a.webp", 6), tmp_path / "made.mp4"
    assert is_animated_webp(path)
    join_pictures([path], target, 30, lambda _: None)
    found = examine_video(target)
    assert (found.fps, found.faults) == (8.0, ())
    assert found.duration_seconds == pytest.approx(6 / 8, abs=0.01)


def test_an_odd_size_loses_a_pixel(tmp_path):
    target = tmp_path / "made.mp4"
    join_pictures(save_all(tmp_path, colours(4, (65, 49))), target, 4, lambda _: None)
    assert (examine_video(target).width, examine_video(target).height) == SIZE


@pytest.mark.parametrize("content", [b"", b"RIFF\0\0\0\0WEBPVP8 ", b"\x89PNG\r\n\x1a\n" + b"\0" * 20])
def test_other_files_are_no_animated_webp(tmp_path, content):
    path = tmp_path / "a.webp"
    path.write_bytes(content)
    assert not is_animated_webp(path)
    assert not is_animated_webp(webp(tmp_path / "still.webp", 1))


def test_pictures_of_several_sizes_or_broken_ones_are_refused(tmp_path):
    paths = save_all(tmp_path, [*colours(2), *colours(1, (32, 32))])
    with pytest.raises(BrokenMediaError, match="32 x 32 pixels, not 64 x 48"):
        join_pictures(paths, tmp_path / "made.mp4", 8, lambda _: None)
    paths[1].write_bytes(b"no picture")
    with pytest.raises(BrokenMediaError, match="cannot be read to its end"):
        join_pictures(paths[:2], tmp_path / "made.mp4", 8, lambda _: None)
    assert not (tmp_path / "made.mp4").exists()
