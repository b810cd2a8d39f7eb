import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from videogen.core.errors import StartError
from videogen.core.security import LINK_SECONDS, SessionTokens, Signer, load_secret, new_id, new_token, token_hash

NOW = 1_750_000_000


@pytest.fixture
def signer():
    return Signer(b"a secret of many bytes")


def test_ids_and_tokens_are_long_and_unique():
    assert len({new_id("gen") for _ in range(1000)} | {new_token() for _ in range(1000)}) == 2000
    assert new_id("gen").startswith("gen_")
    assert len(new_token()) >= 43


def test_a_token_hash_is_stable_and_one_way():
    token = new_token()
    assert token_hash(token) == token_hash(token)
    assert token not in token_hash(token)
    assert len(token_hash(token)) == 64


def test_the_hash_accepts_any_header_value():
    assert len({token_hash(text) for text in ("", "é", "\udcff", "x" * 10_000)}) == 4


def _parts(link):
    return dict(part.split("=") for part in link.split("&"))


def test_a_signed_link_is_valid_for_at_least_a_day(signer):
    link = _parts(signer.link("fil_a", NOW))
    assert signer.verify("fil_a", link["exp"], link["sig"], NOW)
    assert signer.verify("fil_a", link["exp"], link["sig"], NOW + LINK_SECONDS)
    assert not signer.verify("fil_a", link["exp"], link["sig"], int(link["exp"]) + 1)


def test_a_link_is_the_same_within_an_hour(signer):
    hour = NOW // 3600 * 3600
    assert signer.link("fil_a", hour) == signer.link("fil_a", hour + 3599)
    assert signer.link("fil_a", hour) != signer.link("fil_a", hour + 3600)


def test_a_link_is_valid_for_its_file_only(signer):
    link = _parts(signer.link("fil_a", NOW))
    assert not signer.verify("fil_b", link["exp"], link["sig"], NOW)


def test_a_later_expiry_needs_another_signature(signer):
    link = _parts(signer.link("fil_a", NOW))
    assert not signer.verify("fil_a", str(int(link["exp"]) + 1), link["sig"], NOW)


def test_every_changed_character_breaks_the_signature(signer):
    link = _parts(signer.link("fil_a", NOW))
    for place, old in enumerate(link["sig"]):
        forged = link["sig"][:place] + ("0" if old != "0" else "1") + link["sig"][place + 1 :]
        assert not signer.verify("fil_a", link["exp"], forged, NOW)


@pytest.mark.parametrize(
    ("expires", "signature"),
    [("", ""), ("x", "x"), ("-1", "0"), ("1e9", "0"), ("٣", "0"), ("9" * 400, "0"), (None, "é"), (None, "")],
)
def test_a_malformed_link_is_refused_without_an_exception(signer, expires, signature):
    expires = _parts(signer.link("fil_a", NOW))["exp"] if expires is None else expires
    assert not signer.verify("fil_a", expires, signature, NOW)


def test_another_secret_gives_another_signature(signer):
    link = _parts(signer.link("fil_a", NOW))
    assert not Signer(b"another secret of many bytes").verify("fil_a", link["exp"], link["sig"], NOW)


def test_derived_keys_differ_by_purpose_and_by_secret(signer):
    keys = {signer.derive("one"), signer.derive("two"), Signer(b"another secret of many").derive("one")}
    assert len(keys) == 3


def test_the_secret_is_created_once_with_mode_600(tmp_path):
    secret = load_secret(tmp_path, "")
    path = tmp_path / "secret.key"
    assert len(secret) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_secret(tmp_path, "") == secret
    assert [found.name for found in tmp_path.iterdir()] == ["secret.key"]


def test_a_given_secret_writes_no_file(tmp_path):
    assert load_secret(tmp_path, "given") == b"given"
    assert list(tmp_path.iterdir()) == []


def test_concurrent_threads_get_the_same_secret(tmp_path):
    barrier = Barrier(8)

    def start(_):
        barrier.wait()
        return load_secret(tmp_path, "")

    with ThreadPoolExecutor(8) as threads:
        secrets = set(threads.map(start, range(8)))
    assert len(secrets) == 1
    assert [found.name for found in tmp_path.iterdir()] == ["secret.key"]


def _load_in_process(folder, barrier, answers):
    barrier.wait()
    answers.put(load_secret(folder, ""))


def test_concurrent_processes_get_the_same_secret(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    barrier, answers = spawn.Barrier(2), spawn.Queue()
    processes = [spawn.Process(target=_load_in_process, args=(tmp_path, barrier, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    secrets = {answers.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
        process.close()
    answers.close()
    answers.join_thread()
    assert len(secrets) == 1


def test_a_short_secret_is_a_start_error_that_names_the_file(tmp_path):
    (tmp_path / "secret.key").write_text("short")
    with pytest.raises(StartError, match=r"secret\.key: expected a secret of at least 16 bytes, got 5"):
        load_secret(tmp_path, "")


def test_an_unreadable_secret_is_a_start_error(tmp_path):
    (tmp_path / "secret.key").mkdir()
    with pytest.raises(StartError, match=r"secret\.key cannot be read or written"):
        load_secret(tmp_path, "")


def test_a_signed_token_is_known_to_who_has_the_same_secret():
    here, there, elsewhere = (SessionTokens(Signer(secret)) for secret in (b"one secret", b"one secret", b"another"))
    token = here.new()
    assert there.is_ours(token)
    assert not elsewhere.is_ours(token)
    assert there.session_id(token) == here.session_id(token) != elsewhere.session_id(token)
    assert len(here.session_id(token)) == len(new_id("ses"))
    assert here.session_id(here.new()) != here.session_id(token)


@pytest.mark.parametrize("wrong", ["", ".", "x", "x.y", "\udcff.x", "é.é", "a" * 100_000, f"{'a' * 43}.{'b' * 24}"])
def test_any_other_text_is_not_a_signed_token(wrong):
    assert not SessionTokens(Signer(b"a secret")).is_ours(wrong)


def test_every_part_of_a_signed_token_counts():
    tokens = SessionTokens(Signer(b"a secret"))
    token = tokens.new()
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert not tokens.is_ours(changed)
    assert not tokens.is_ours(token + ".")
