"""Every way of zipping an export again can be read. What is malicious is refused in words before it is unpacked."""

import copy
import io
import stat
import struct
import unicodedata
import zipfile
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.zips import exported_file, exported_generation, manifest, zip_bytes
from videogen.core.errors import NotAnExportError
from videogen.services import import_archive
from videogen.services.import_archive import extract, open_export

VIDEO, POSTER = b"a video " * 999, b"a poster " * 99
NAMES = ("videos/gen_a.mp4", "posters/gen_a.jpg")
GERMAN = ("videos/über-東京.mp4", "posters/über-東京.jpg")
MAX_BYTES = 10**7
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


def entries(names=NAMES):
    """An export: the contents of its files by name."""
    video, poster = names
    entry = exported_generation(result=exported_file(video, VIDEO), poster=exported_file(poster, POSTER))
    return {video: VIDEO, poster: POSTER, "manifest.json": manifest(entry)}


class Pipe(io.RawIOBase):
    """A file that cannot seek, so that zipfile writes data descriptors."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


class UnmarkedName(zipfile.ZipInfo):
    """Its name is written as UTF-8 without the flag for it, as macOS does."""

    def _encodeFilenameFlags(self):
        return self.filename.encode(), self.flag_bits & ~0x800


def zipped(files, compression=DEFLATED, *, pipe=False, zip64=False, rename=lambda name: name, utf8_flag=True):
    """A zip. `rename` gives the names that are written; without `utf8_flag` they are not marked as UTF-8."""
    out = Pipe() if pipe else io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo("x") if utf8_flag else UnmarkedName("x")
            info.compress_type = compression
            info.filename = rename(name)
            with archive.open(info, "w", force_zip64=zip64) as target:
                target.write(content)
    return bytes(out.data) if pipe else out.getvalue()


def within(folder, files):
    return {f"{folder}/": b""} | {f"{folder}/{name}": content for name, content in files.items()}


FINDER = within("videogen-export-2026-11-28", entries(GERMAN)) | {
    "videogen-export-2026-11-28/.DS_Store": b"\0" * 6148,
    "__MACOSX/._videogen-export-2026-11-28": b"AppleDouble",
    "__MACOSX/videogen-export-2026-11-28/videos/._gen_a.mp4": b"AppleDouble",
    "__MACOSX/videogen-export-2026-11-28/._manifest.json": b"AppleDouble",
}
AGAIN = {
    "Finder": zipped(FINDER, pipe=True, utf8_flag=False, rename=lambda name: unicodedata.normalize("NFD", name)),
    "Finder, marked names": zipped(FINDER, pipe=True, rename=lambda name: unicodedata.normalize("NFD", name)),
    "zip -r on a drive of a Mac": zipped(within("a b", entries()) | {"a b/videos/._gen_a.mp4": b"", "a b/._x": b""}),
    "Explorer": zipped(within("x", entries()) | {"x/desktop.ini": b"[a]", "x/videos/Thumbs.db": b"a"}),
    "Explorer, without folders": zipped(entries() | {"Desktop.ini": b"[a]"}),
    "7-Zip": zipped({"videos/": b"", "posters/": b""} | entries(GERMAN), STORED),
    "backslashes": zipped(within("x", entries(GERMAN)), rename=lambda name: name.replace("/", "\\")),
    "data descriptors": zipped(entries(), STORED, pipe=True),
    "zip64": zipped(within("x", entries()), zip64=True),
    "UTF-8 that is not marked": zipped(entries(GERMAN), utf8_flag=False),
    "a dot before each name": zipped({f"./{name}": content for name, content in entries().items()}),
    "two folders": zipped(within("a", within("b", entries()))),
    "a comment and a note": zipped(entries() | {"readme.txt": b"mine"})[:-2] + b"\x05\x00hello",
}


@pytest.mark.parametrize("way", AGAIN)
def test_an_export_that_was_zipped_again_can_be_read(way, tmp_path):
    path = tmp_path / "upload.zip"
    path.write_bytes(AGAIN[way])
    with open_export(path, MAX_BYTES) as export:
        (entry,) = export.manifest.generations
        for number, (file, content) in enumerate(((entry.result, VIDEO), (entry.poster, POSTER))):
            extract(export, file, tmp_path / str(number))
            assert (tmp_path / str(number)).read_bytes() == content


def read(path, max_bytes=MAX_BYTES):
    """Read a zip as an import does."""
    with open_export(path, max_bytes) as export:
        for number, file in enumerate(import_archive._references(export.manifest)):
            extract(export, file, path.with_name(str(number)))


def refuse(tmp_path, data, max_bytes=MAX_BYTES):
    """The words with which a zip is refused."""
    path = tmp_path / "upload.zip"
    path.write_bytes(data)
    with pytest.raises(NotAnExportError) as caught:
        read(path, max_bytes)
    assert len(caught.value.detail) < 400
    return caught.value.detail


@pytest.mark.parametrize(
    "name", ["../evil", "videos/../../evil", "/evil", "C:/evil", "C:evil", "..\\evil", "\\\\host\\evil", "C:\\evil"]
)
def test_a_path_that_leads_elsewhere_is_refused(name, tmp_path):
    words = refuse(tmp_path, zipped({name: b"x"} | entries()))
    assert "plain file names" in words
    assert {path.name for path in tmp_path.iterdir()} == {"upload.zip"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_a_link_or_a_device_is_refused(kind, tmp_path):
    out = io.BytesIO(zip_bytes(entries()))
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo("videos/link.mp4")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert "a link or a device" in refuse(tmp_path, out.getvalue())


def named_often(count):
    """An export of few bytes, whose manifest names its one file for many generations."""
    file = exported_file(NAMES[0], VIDEO)
    many = (exported_generation(f"gen_{number}", result=file) for number in range(count))
    return zip_bytes({NAMES[0]: VIDEO, "manifest.json": manifest(*many)}, DEFLATED)


def test_a_file_that_the_manifest_names_twice_is_refused(tmp_path):
    assert "named twice" in refuse(tmp_path, named_often(2))
    assert "named twice" in refuse(tmp_path, named_often(2000))


def test_what_is_named_counts_before_it_is_unpacked(tmp_path):
    data = zipped(entries())
    assert "at most 8000 bytes when unpacked" in refuse(tmp_path, data, 8000)
    with open_export(tmp_path / "upload.zip", len(VIDEO + POSTER)) as export:
        assert len(export.members) == 3


def entry_twice(name):
    """An export with a further entry in its table of contents for the bytes of its video."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in entries().items():
            archive.writestr(path, content)
        further = copy.copy(archive.getinfo(NAMES[0]))
        further.filename = name
        archive.filelist.append(further)
    return out.getvalue()


def test_files_that_share_bytes_are_refused(tmp_path):
    assert "those of another file" in refuse(tmp_path, entry_twice("videos/gen_b.mp4"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("é", "e\u0301"), ("a", "a"), ("a\\b", "a/b")], ids=ascii)
def test_two_files_with_the_same_name_are_refused(names, tmp_path):
    first, second = names
    same = {"first": first, "second": second}
    data = zipped(dict.fromkeys(same, b"x") | entries(), rename=lambda name: same.get(name, name))
    assert "each file once" in refuse(tmp_path, data)


def test_names_that_differ_in_case_are_two_files_and_neither_is_written_under_its_name(tmp_path):
    path = tmp_path / "upload.zip"
    path.write_bytes(zipped({"VIDEOS/GEN_A.MP4": b"other"} | entries()))
    with open_export(path, MAX_BYTES) as export:
        extract(export, export.manifest.generations[0].result, tmp_path / "0")
    assert (tmp_path / "0").read_bytes() == VIDEO
    assert {path.name for path in tmp_path.iterdir()} == {"upload.zip", "0"}


def test_a_bomb_is_refused_by_its_ratio(tmp_path):
    assert "unpacks to at most 200 times" in refuse(tmp_path, zipped(entries() | {"videos/b.mp4": bytes(5_000_000)}))


def test_a_file_that_is_larger_than_it_says_is_cut_and_refused(tmp_path):
    data = zipped(entries(), STORED)
    size = struct.pack("<I", len(VIDEO))
    at = data.rindex(size)
    words = refuse(tmp_path, data[:at] + struct.pack("<I", 10) + data[at + 4 :])
    assert "size" in words


def test_too_many_files_are_refused_before_they_are_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(import_archive, "MAX_FILES", 3)
    assert "at most 3 files" in refuse(tmp_path, zipped(entries() | {"a": b"", "b": b""}))
    monkeypatch.setattr(import_archive, "MAX_DIRECTORY_BYTES", 100)
    monkeypatch.setattr(zipfile, "ZipInfo", None)  # no entry is made
    assert "table of contents" in refuse(tmp_path, AGAIN["zip64"])


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_is_refused_with_advice(compression, tmp_path):
    assert "Zip the folder again" in refuse(tmp_path, zip_bytes(entries(), compression))


def test_a_password_is_refused_with_advice(tmp_path):
    data = bytearray(zip_bytes(entries()))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "without a password" in refuse(tmp_path, bytes(data))


def test_broken_deflate_is_refused(tmp_path):
    data = bytearray(zipped(entries()))
    at = data.index(NAMES[0].encode()) + len(NAMES[0])
    data[at : at + 20] = b"\xff" * 20
    assert "cannot be read" in refuse(tmp_path, bytes(data))


def test_a_manifest_beside_the_folder_of_another_is_refused_with_advice(tmp_path):
    both = zipped(within("a", entries()) | {"b/manifest.json": b"{}"})
    assert "zip the folder that has manifest.json" in refuse(tmp_path, both)
    assert "zip the folder that has manifest.json" in refuse(tmp_path, zipped({"a.txt": b"a"}))


SAMPLES = [AGAIN["Finder"], AGAIN["zip64"], AGAIN["data descriptors"]]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(-3000, 3000), st.binary(min_size=1, max_size=8)), min_size=1, max_size=5),
)
def test_a_damaged_zip_is_read_or_refused(tmp_path_factory, sample, damages):
    folder = tmp_path_factory.getbasetemp()
    data = bytearray(sample)
    for offset, new in damages:
        start = offset % len(data)
        data[start : start + len(new)] = new
    (folder / "damaged.zip").write_bytes(data)
    with suppress(NotAnExportError):
        read(folder / "damaged.zip")
