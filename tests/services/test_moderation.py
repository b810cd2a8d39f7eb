"""What the moderation hook sees of requests and imports, and what its verdicts do."""

from types import SimpleNamespace

import pytest

from tests.support.rows import generation_row, project_row
from tests.support.zips import exported_file, exported_generation, manifest, picture_bytes, zip_bytes
from videogen import flag, refuse
from videogen.core.config import AppConfig
from videogen.core.errors import ModerationRefusedError, ModerationUnavailableError
from videogen.jobs.moderation import Moderator
from videogen.services.imports import ImportService
from videogen.services.moderation import ModerationService
from videogen.services.storage_limits import StorageLimits
from videogen.services.visitor_limits import RateLimits
from videogen.store import Filter, Person

PICTURE = picture_bytes("PNG")
FILES = {name: (f"images/{name}.png", f"posters/{name}.png") for name in ("gen_x", "gen_y")}
ENTRIES = [
    exported_generation(
        name,
        prompt=f"the {name}",
        type="image",
        result=exported_file(FILES[name][0], PICTURE),
        poster=exported_file(FILES[name][1], PICTURE),
    )
    for name in FILES
]
FAILED = exported_generation("gen_z", prompt="the gen_z", status="failed", error=None)
EXPORT = zip_bytes(
    {path: PICTURE for paths in FILES.values() for path in paths} | {"manifest.json": manifest(*ENTRIES, FAILED)}
)


@pytest.fixture
def signed_in(store):
    """The session of somebody with an account."""
    session_id, token = store.create_session()
    account = store.put_account(Person("https://provider.example", "1", "ada", "Ada"))
    store.connect(store.find_device(token).id, account.id)
    return session_id


@pytest.fixture
def import_zip(store, storage, data_folder):
    """Imports the zip on a server with this hook."""

    def run(session_id, hook):
        limits = StorageLimits(store, AppConfig())
        imports = ImportService(store, storage, data_folder, 10**9, limits, Moderator(hook))
        with imports.upload_folder() as folder:
            (folder / "upload.zip").write_bytes(EXPORT)
            return imports.import_zip(session_id, folder)

    return run


@pytest.fixture
def history(store):
    return lambda session_id: {row.prompt: row for row in store.list_generations(session_id, Filter(), None, 100)[0]}


def test_a_request_is_shown_with_its_session_and_the_account_of_who_has_signed_in(store, storage, alice, signed_in):
    seen = []
    parts = SimpleNamespace(store=store, storage=storage, moderator=Moderator(seen.append))
    service = ModerationService(parts, RateLimits(AppConfig()))
    for owner in (alice, signed_in):
        project = project_row(owner)
        service.review(project, [generation_row(project)])
    assert [(item.stage, item.session, item.account) for item in seen] == [
        ("request", alice, None),
        ("request", signed_in, "ada"),
    ]


def test_every_entry_of_a_zip_is_shown_with_its_files_before_it_is_imported(import_zip, history, signed_in):
    seen = []

    def hook(item):
        assert history(signed_in) == {}
        files = [None if path is None else path.read_bytes() for path in (item.file, item.poster)]
        seen.append((item.stage, item.prompt, item.type, item.account, files))

    import_zip(signed_in, hook)
    assert seen == [
        ("import", "the gen_x", "image", "ada", [PICTURE, PICTURE]),
        ("import", "the gen_y", "image", "ada", [PICTURE, PICTURE]),
        ("import", "the gen_z", "video", "ada", [None, None]),
    ]
    assert len(history(signed_in)) == 3


def test_one_refused_entry_refuses_the_zip_with_the_words_and_its_prompt(import_zip, history, storage, alice):
    with pytest.raises(ModerationRefusedError, match=r"Not this\. \(“the gen_y”\)"):
        import_zip(alice, lambda item: refuse("Not this.") if "gen_y" in item.prompt else None)
    assert history(alice) == {}
    assert [*storage.list()] == []


def test_where_the_hook_fails_nothing_is_imported(import_zip, history, alice):
    with pytest.raises(ModerationUnavailableError):
        import_zip(alice, lambda _: 1 / 0)
    assert history(alice) == {}


def test_a_flagged_entry_is_imported_and_found_by_the_operator_also_where_only_its_file_was_missing(
    import_zip, history, store, storage, alice
):
    def hook(item):
        return flag("Look.") if "gen_y" in item.prompt else None

    import_zip(alice, hook)
    assert [(row.prompt, row.flagged) for row in store.list_flagged(10)] == [("the gen_y", "Look.")]
    known = history(alice)["the gen_x"]
    storage.delete(store.file_keys([known.file_id])[known.file_id])
    import_zip(alice, lambda _: flag("Now."))
    assert {row.prompt: row.flagged for row in store.list_flagged(10)} == {"the gen_x": "Now.", "the gen_y": "Look."}
