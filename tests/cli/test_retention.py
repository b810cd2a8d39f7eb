"""The commands on what is kept until when, and on quotas."""

import io
from datetime import UTC, datetime
from types import SimpleNamespace

from tests.client.answers import generation_json
from videogen.cli import commands, retention
from videogen.cli.output import TextLines
from videogen.schemas.generations import Generation
from videogen.schemas.retention import Quota

UNTIL = "2026-12-24T18:30:00Z"
WHEN = f"{datetime(2026, 12, 24, 18, 30, tzinfo=UTC).astimezone():%Y-%m-%d %H:%M}"


def printed(command, client, **args):
    stream = io.StringIO()
    command(SimpleNamespace(client=SimpleNamespace(**client)), SimpleNamespace(**args), TextLines(stream))
    return stream.getvalue()


def kept(**changes):
    return Generation.model_validate(generation_json("gen_a", status="completed", **changes))


def test_the_list_says_until_when_each_is_kept_where_it_is_not_for_ever():
    made = [kept(expiresAt=UNTIL), kept()]
    lines = printed(
        commands.list_generations, {"generations": lambda **_: iter(made)}, status=None, search=None, limit=0
    ).splitlines()
    assert lines[0].endswith(f"  (until {WHEN})")
    assert "until" not in lines[1]


def test_keep_says_until_when():
    assert printed(retention.keep, {"keep": lambda _: kept(expiresAt=UNTIL)}, id="gen_a") == (
        f"gen_a is kept until {WHEN}\n"
    )
    assert "until it is deleted" in printed(retention.keep, {"keep": lambda _: kept()}, id="gen_a")


def test_quota_says_what_is_left_and_when_there_is_more():
    left = {
        "slow": Quota(limit=60.0, used=45.0, left=15.0, resets_at=datetime.fromisoformat(UNTIL)),
        "bars": Quota(limit=5.0, used=0.0, left=5.0, resets_at=None),
    }
    assert printed(retention.quota, {"quota": lambda: left}).splitlines() == [
        f"slow: 15 of 60 seconds left in 24 hours, more at {WHEN[-5:]}",
        "bars: 5 of 5 seconds left in 24 hours",
    ]
