import pytest

from tests.support.rows import PLENTY, file_row, generation_row, project_row, result, upload_row
from videogen.core.errors import FileInUseError, InvalidRequestError, LimitExceededError, NotFoundError
from videogen.db.tables import FileRow
from videogen.store import Fence

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def add(store, alice, clock):
    """Stores an upload, one second after the last one."""

    def make(digest, owner=alice, limit=3):
        clock.now += 1
        return store.add_upload(upload_row(owner, digest, clock.now), limit)

    return make


def test_an_upload_belongs_to_its_session_only(store, add, alice, bob):
    row, removed = add("a")
    assert (store.get_upload(alice, row.id).digest, removed) == ("a", [])
    for owner, upload_id in ((bob, row.id), (alice, "fil_unknown")):
        with pytest.raises(NotFoundError):
            store.get_upload(owner, upload_id)


def test_the_same_image_is_one_row_per_session_with_the_newest_time(store, add, alice, bob):
    first, _ = add("a")
    again, _ = add("a")
    assert again.id == first.id != add("a", bob)[0].id
    assert again.created_at == first.created_at + 1


def test_the_oldest_unused_upload_is_deleted_over_the_limit(store, add, submit, alice):
    used, idle, kept = (add(digest)[0] for digest in "abc")
    submit(alice, input_file_id=used.id)
    _, removed = add("d")
    assert [row.id for row in removed] == [idle.id]
    assert store.get_upload(alice, kept.id)
    with pytest.raises(NotFoundError):
        store.get_upload(alice, idle.id)


def test_an_upload_is_refused_when_all_are_in_use(store, add, submit, alice, bob):
    for digest in "abc":
        submit(alice, input_file_id=add(digest)[0].id)
    with pytest.raises(LimitExceededError, match="At most 3 images"):
        add("d")
    assert add("d", bob)[1] == []


def test_find_input_returns_the_upload_of_a_generation(store, add, submit, alice):
    row, _ = add("a")
    assert store.find_input(submit(alice, input_file_id=row.id).id).id == row.id
    assert store.find_input(submit(alice).id) is None
    last, _ = add("b")
    made = submit(alice, input_file_id=row.id, last_frame_file_id=last.id)
    assert [store.find_input(made.id, last=wanted).id for wanted in (False, True)] == [row.id, last.id]


def test_an_upload_that_a_generation_ends_with_stays(store, add, submit, alice, clock):
    last, _ = add("a")
    generation = submit(alice, last_frame_file_id=last.id)
    assert store.remove_unused_uploads(clock.now + 1) == []
    with pytest.raises(FileInUseError):
        store.delete_upload(alice, last.id)
    store.cancel_generation(alice, generation.id)
    store.delete_generation(alice, generation.id)
    assert store.delete_upload(alice, last.id).id == last.id


def test_only_old_unused_uploads_are_swept(store, add, submit, alice, clock):
    used, idle = (add(digest)[0] for digest in "ab")
    generation = submit(alice, input_file_id=used.id)
    moment = clock.now + 0.5
    fresh, _ = add("c")
    assert [row.id for row in store.remove_unused_uploads(moment)] == [idle.id]
    assert {store.get_upload(alice, row.id).id for row in (used, fresh)} == {used.id, fresh.id}
    # Nothing starts from it any more once its generation is deleted.
    store.cancel_generation(alice, generation.id)
    store.delete_generation(alice, generation.id)
    assert [row.id for row in store.remove_unused_uploads(moment)] == [used.id]


def test_a_submit_whose_input_was_swept_is_refused(store, add, alice, clock):
    row, _ = add("a")
    store.remove_unused_uploads(clock.now + 1)
    project = project_row(alice)
    for column, name in (("input_file_id", "inputFileId"), ("last_frame_file_id", "lastFrameFileId")):
        with pytest.raises(InvalidRequestError, match=name):
            store.create_project(project, [generation_row(project, **{column: row.id})], PLENTY)


def test_a_still_is_the_result_of_a_completed_image_generation_of_its_owner(store, queue, submit, alice, bob):
    made = {}
    for kind in ("image", "video"):
        row = submit(alice, type=kind)
        queue.claim("worker")
        preview = file_row(row, "preview")
        store.record_preview(Fence(row.id, 1), preview)
        with pytest.raises(NotFoundError):
            store.get_still(alice, preview.id)
        made[kind] = result(row)
        store.complete(Fence(row.id, 1), made[kind])
    file, generation = store.get_still(alice, made["image"].video.id)
    assert isinstance(file, FileRow)
    assert (generation.type, generation.file_id) == ("image", file.id)
    wrong = [(alice, made["video"].video), (alice, made["image"].poster), (bob, made["image"].video)]
    for owner, other in wrong:
        with pytest.raises(NotFoundError):
            store.get_still(owner, other.id)
