"""The moderation hook: its verdicts, and that nothing passes where it does not work."""

import logging
import sys
import threading
from importlib import metadata
from pathlib import Path

import pytest

from videogen import allow, flag, refuse
from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError, ModerationRefusedError, ModerationUnavailableError, StartError
from videogen.jobs import moderation
from videogen.jobs.moderation import Item, Moderator

ITEM = Item("request", "a kite", "", "bars", "video", "ses_a")


def moderator(hook, seconds=30.0):
    return Moderator(hook, seconds)


def test_the_hook_sees_the_item_on_another_thread_and_its_verdict_counts():
    seen = []

    def hook(item):
        seen.append((item, threading.current_thread()))
        return flag("look at it")

    assert moderator(hook).check(ITEM) == "look at it"
    assert seen[0][0] == ITEM
    assert seen[0][1] is not threading.current_thread()
    assert moderator(lambda _: allow()).check(ITEM) is None
    assert moderator(lambda _: None).check(ITEM) is None
    with pytest.raises(ModerationRefusedError, match="Not this"):
        moderator(lambda _: refuse("Not this.")).check(ITEM)


def test_without_a_hook_everything_is_allowed():
    assert Moderator().check(ITEM) is None


def broken(_item):
    raise SystemExit("a hook may raise anything")


@pytest.mark.parametrize("hook", [broken, lambda _: True, lambda _: "allow", lambda _: 1 / 0])
def test_a_hook_that_fails_lets_nothing_pass_and_is_logged(hook, caplog):
    with caplog.at_level(logging.ERROR), pytest.raises(ModerationUnavailableError):
        moderator(hook).check(ITEM)
    assert [record.getMessage() for record in caplog.records] == ["The moderation hook failed."]
    assert caplog.records[0].exc_info


def test_a_hook_that_hangs_lets_nothing_pass_and_keeps_its_place(caplog, monkeypatch):
    monkeypatch.setattr(moderation, "MAX_CALLS", 1)
    released = threading.Event()

    def hangs(_item):
        released.wait(60)

    stuck = moderator(hangs, 0.05)
    for text in ("no verdict within 0.05 seconds", "was not asked: 1 calls"):
        with caplog.at_level(logging.ERROR), pytest.raises(ModerationUnavailableError):
            stuck.check(ITEM)
        assert text in caplog.records[-1].getMessage()
    released.set()
    stuck.seconds = 30.0
    assert stuck.check(ITEM) is None, "once it has returned, it is asked again"


def load(reference):
    return Moderator.of(AppConfig(moderation=reference))


def test_it_is_loaded_from_a_file_a_module_and_an_entry_point(tmp_path, monkeypatch):
    file = tmp_path / "rules.py"
    file.write_text("def moderate(item):\n    return None\n\n\nNUMBER = 1\n")
    assert load(f"{file}:moderate").hook.__name__ == "moderate"
    monkeypatch.syspath_prepend(tmp_path)
    assert load("rules:moderate").hook is sys.modules["rules"].moderate
    point = metadata.EntryPoint("strict", "rules:moderate", moderation.GROUP)
    monkeypatch.setattr(moderation, "entry_points", lambda group: [point] if group == moderation.GROUP else [])
    assert load("strict").hook is sys.modules["rules"].moderate


def test_one_that_cannot_be_loaded_stops_the_start_with_the_variable(tmp_path):
    file = tmp_path / "rules_broken.py"
    file.write_text("import no_such_package\n")
    good = tmp_path / "rules_good.py"
    good.write_text("NUMBER = 1\n")
    cases = [(f"{file}:moderate", StartError), (f"{good}:nothing", ConfigError), (f"{good}:NUMBER", ConfigError)]
    cases += [(f"{Path('/nowhere.py')}:moderate", ConfigError), ("no-such-name", ConfigError)]
    for reference, error in cases:
        with pytest.raises(error, match="VIDEOGEN_MODERATION"):
            load(reference)
