"""An import is all or nothing, and a fault in the middle of it loses nothing that is stored."""

import threading

import pytest

from tests.support.zips import (
    exported_file,
    exported_generation,
    manifest,
    picture_bytes,
    video_bytes,
    zip_bytes,
)
from videogen.core.config import AppConfig
from videogen.core.errors import NotAnExportError, StorageError
from videogen.doctor.check_files import files_without_rows
from videogen.services import import_archive
from videogen.services.extensions import ExtensionService
from videogen.services.imports import ImportService
from videogen.services.storage_limits import StorageLimits
from videogen.services.submission import request_of
from videogen.store import Filter, portability
from videogen.store.progress import LAST_FRAME

PICTURE = picture_bytes("PNG")
PATH = "images/gen_x.png"
EXPORT = zip_bytes(
    {
        PATH: PICTURE,
        "manifest.json": manifest(exported_generation("gen_x", type="image", result=exported_file(PATH, PICTURE))),
    }
)


@pytest.fixture
def imports(store, storage, data_folder):
    return ImportService(store, storage, data_folder, 10**9, StorageLimits(store, AppConfig()))


@pytest.fixture
def import_zip(imports):
    def run(session_id, data=EXPORT):
        with imports.upload_folder() as folder:
            (folder / "upload.zip").write_bytes(data)
            return imports.import_zip(session_id, folder)

    return run


def test_nothing_is_received_or_unpacked_on_a_full_disk(imports, import_zip, data_folder, alice, monkeypatch):
    imports.check_space(alice, 1)
    monkeypatch.setattr(import_archive, "extract", None)
    data_folder.reserve_bytes = 10**18
    with pytest.raises(StorageError, match="almost full"):
        imports.check_space(alice, 1)
    with pytest.raises(StorageError, match="almost full"):
        import_zip(alice)


def history(store, session_id):
    return store.list_generations(session_id, Filter(), None, 100)[0]


def stored_keys(data_folder):
    root = data_folder.root / "files"
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def result_path(store, data_folder, row):
    return data_folder.files.joinpath(store.file_keys([row.file_id])[row.file_id])


def fail_once(monkeypatch, target, name, *, after=False):
    """Make the next call of a method raise StorageError, before it did its work or after it."""
    original = getattr(target, name)

    def fail(*arguments, **options):
        monkeypatch.setattr(target, name, original)
        if after:
            original(*arguments, **options)
        raise StorageError("disk full")

    monkeypatch.setattr(target, name, fail)


def test_the_lossless_last_frame_of_a_video_comes_with_it(import_zip, store, storage, alice, tmp_path):
    video = video_bytes(tmp_path)
    files = {"videos/gen_x.mp4": video, "frames/gen_x.png": PICTURE}
    result, frame = (exported_file(path, data) for path, data in files.items())
    entry = exported_generation("gen_x", result=result, lastFrame=frame)
    made = import_zip(alice, zip_bytes(files | {"manifest.json": manifest(entry)}))
    kept = {file.kind: file.key for file in store.files_of(made.generation_ids[0])}
    assert set(kept) == {"video", LAST_FRAME}
    with storage.open(kept[LAST_FRAME]) as stored:
        assert stored.read() == PICTURE
    origin = ExtensionService(store, storage).find(alice, made.generation_ids[0], request_of)
    assert origin.source.frame_digest == frame["sha256"], "an extension goes on from it"


def test_a_fault_after_the_commit_deletes_no_stored_file(import_zip, store, data_folder, alice, monkeypatch):
    fail_once(monkeypatch, store, "import_generations", after=True)
    with pytest.raises(StorageError):
        import_zip(alice)
    (row,) = history(store, alice)
    assert result_path(store, data_folder, row).read_bytes() == PICTURE
    assert import_zip(alice).known == 1


def test_a_fault_before_the_commit_leaves_no_row_and_no_file(import_zip, store, data_folder, alice, monkeypatch):
    fail_once(monkeypatch, store, "import_generations")
    with pytest.raises(StorageError):
        import_zip(alice)
    assert (history(store, alice), stored_keys(data_folder)) == ([], [])
    assert import_zip(alice).imported == 1


def test_a_fault_between_two_files_leaves_no_row_and_no_file(
    import_zip, store, storage, alice, monkeypatch, data_folder
):
    names = ("images/gen_y.png", "images/gen_z.png")
    data = zip_bytes(
        dict.fromkeys(names, PICTURE)
        | {
            "manifest.json": manifest(
                *(exported_generation(name[7:12], type="image", result=exported_file(name, PICTURE)) for name in names)
            )
        }
    )
    put, calls = storage.put, []

    def put_one(source, key):
        calls.append(key)
        if len(calls) == 2:
            raise StorageError("disk full")
        return put(source, key)

    monkeypatch.setattr(storage, "put", put_one)
    with pytest.raises(StorageError):
        import_zip(alice, data)
    assert (history(store, alice), stored_keys(data_folder)) == ([], [])
    assert import_zip(alice, data).imported == 2


def test_rows_and_the_return_from_the_trash_are_one_transaction(import_zip, store, alice, clock, monkeypatch):
    import_zip(alice)
    (trashed,) = history(store, alice)
    store.trash(alice, [trashed.id], clock.now + 60)
    other = zip_bytes(
        {
            PATH: PICTURE,
            "images/gen_y.png": PICTURE,
            "manifest.json": manifest(
                exported_generation("gen_x", type="image", result=exported_file(PATH, PICTURE)),
                exported_generation("gen_y", type="image", result=exported_file("images/gen_y.png", PICTURE)),
            ),
        }
    )
    fail_once(monkeypatch, portability, "append_event")
    with pytest.raises(StorageError):
        import_zip(alice, other)
    assert history(store, alice) == [], "neither the new one nor the one of the trash"
    result = import_zip(alice, other)
    assert (result.imported, result.known) == (2, 0)
    assert {row.id for row in history(store, alice)} == set(result.generation_ids)
    assert result.generation_ids[0] == trashed.id


def test_files_of_an_import_that_crashed_before_its_commit_are_found_by_the_doctor(
    import_zip, imports, store, data_folder, alice, monkeypatch
):
    fail_once(monkeypatch, store, "import_generations")
    monkeypatch.setattr(imports, "_delete_unreferenced", lambda files: None)  # a crash runs no code
    with pytest.raises(StorageError):
        import_zip(alice)
    (key,) = stored_keys(data_folder)
    (finding,) = files_without_rows(AppConfig(data_dir=data_folder.root), store.database.path)
    assert key in finding.text
    assert import_zip(alice).imported == 1


def test_a_known_generation_whose_file_is_missing_gets_it_back(import_zip, store, data_folder, alice):
    import_zip(alice)
    (row,) = history(store, alice)
    result_path(store, data_folder, row).unlink()
    result = import_zip(alice)
    assert (result.imported, result.known, result.generation_ids) == (1, 0, [row.id])
    (repaired,) = history(store, alice)
    assert (repaired.id, repaired.file_id) == (row.id, row.file_id), "links to it stay valid"
    assert result_path(store, data_folder, repaired).read_bytes() == PICTURE
    assert import_zip(alice).known == 1


def test_a_known_generation_whose_file_row_is_missing_gets_it_back(import_zip, store, data_folder, alice):
    import_zip(alice)
    with store.database.write() as unit:
        unit.connection.exec_driver_sql("DELETE FROM files")
        unit.connection.exec_driver_sql("UPDATE generations SET file_id = NULL")
    assert import_zip(alice).imported == 1
    (repaired,) = history(store, alice)
    assert result_path(store, data_folder, repaired).read_bytes() == PICTURE
    assert repaired.size_bytes == len(PICTURE)


def test_a_known_generation_that_is_whole_is_not_unpacked(import_zip, alice, monkeypatch):
    import_zip(alice)
    monkeypatch.setattr(import_archive, "extract", None)
    assert import_zip(alice).known == 1


def test_others_write_while_an_import_unpacks(import_zip, store, alice, bob, submit, monkeypatch):
    unpacking, written = threading.Event(), threading.Event()
    extract = import_archive.extract

    def wait_for_the_write(*arguments, **options):
        unpacking.set()
        assert written.wait(20)
        return extract(*arguments, **options)

    monkeypatch.setattr(import_archive, "extract", wait_for_the_write)
    thread = threading.Thread(target=import_zip, args=(alice,))
    thread.start()
    assert unpacking.wait(20)
    submit(bob)
    written.set()
    thread.join()
    assert len(history(store, alice)) == 1


def test_two_imports_of_the_same_zip_at_once_store_it_once(imports, store, data_folder, alice, import_zip, monkeypatch):
    commit = store.import_generations

    def overtaken(*arguments):
        monkeypatch.setattr(store, "import_generations", commit)
        import_zip(alice)
        return commit(*arguments)

    monkeypatch.setattr(store, "import_generations", overtaken)
    result = import_zip(alice)
    assert (result.imported, result.known) == (0, 1)
    (row,) = history(store, alice)
    assert stored_keys(data_folder) == [f"{row.id}/a0-image.png"]


def test_what_is_no_export_leaves_nothing(import_zip, imports, store, data_folder, alice):
    with pytest.raises(NotAnExportError, match="CRC-32"):
        import_zip(alice, EXPORT.replace(PICTURE[-8:], bytes(8)))
    assert (history(store, alice), stored_keys(data_folder)) == ([], [])
    assert list((data_folder.root / "imports").iterdir()) == []
