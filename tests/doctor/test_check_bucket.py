"""What the doctor says about a bucket, and that it leaves nothing there."""

import pytest

from tests.support.links import link_to
from videogen.core.config import AppConfig
from videogen.doctor import Level, check_bucket
from videogen.doctor.check_bucket import bucket as check
from videogen.storage.s3 import S3Objects, open_bucket


@pytest.fixture
def found(bucket, tmp_path):
    """The findings as (level, check, text)."""

    def findings(url=bucket):
        config = AppConfig(data_dir=tmp_path, database_url="postgresql://host/db", secret_key="k" * 16, storage_url=url)
        found = [*check(config)]
        assert all(finding.repair for finding in found if finding.level is not Level.OK), "it says what to do"
        return [(finding.level, finding.check, finding.text) for finding in found]

    return findings


def test_a_bucket_that_works_is_well_and_is_left_as_it_was(found, bucket):
    levels, checks, texts = zip(*found(), strict=True)
    assert set(levels) == {Level.OK}
    assert checks == ("bucket", "bucket", "clock", "media")
    assert "written, read and deleted" in texts[0]
    assert [*open_bucket(bucket, "URL").list("")] == []


def test_a_public_address_is_named(found, bucket):
    assert "https://files.example.org" in found(f"{bucket}&public=https://files.example.org")[-1][2]


def test_a_bucket_that_does_not_exist_or_is_away_is_one_fault(found, bucket, endpoint):
    with link_to(endpoint) as link:
        link.answer_busy()
        for url in (bucket.replace("s3://videogen/", "s3://nobody/"), bucket.replace(endpoint, link.url)):
            ((level, name, text),) = found(url)
            assert (level, name) == (Level.FAULT, "bucket")
            assert "cannot be used" in text


def test_a_url_that_is_wrong_is_one_fault(found, bucket):
    ((level, _, text),) = found(f"{bucket}&secret=x")
    assert level is Level.FAULT
    assert "only the options" in text


def test_a_server_that_stores_twice_is_a_fault(found, monkeypatch):
    monkeypatch.setattr(S3Objects, "create", lambda self, name, source: self.put(name, source) is None)
    assert [(level, name) for level, name, _ in found()][1] == (Level.FAULT, "bucket")


def test_a_clock_that_differs_is_a_warning(found, monkeypatch):
    monkeypatch.setattr(check_bucket, "SKEW_SECONDS", -1.0)
    assert (Level.WARNING, "clock") in [(level, name) for level, name, _ in found()]
