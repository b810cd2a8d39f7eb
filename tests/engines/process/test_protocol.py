from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from videogen.engines.base import Artifact
from videogen.engines.process import protocol
from videogen.schemas.engines import Cost

ARTIFACT = Artifact(path="/w/video.mp4", width=2, height=2, fps=1, num_frames=1)
KEY = protocol.JobKey("gen_a", 2)
MESSAGES = [
    protocol.Started(pid=7, resumed_at=24),
    protocol.Progress(step=1, total=2, stage="rendering", message="zwei\nZeilen \u2028 ✓"),
    protocol.Alive(),
    protocol.Spent(cost=Cost(amount=0.25, currency="USD", estimated=False)),
    protocol.Preview(path="/w/preview.jpg"),
    protocol.Checkpoint(data={"segments": 1, "deep": {"list": [1, 2.5, None]}}),
    protocol.Done(artifact=ARTIFACT),
    protocol.Cancelled(step=3),
    protocol.Failed(code="engine_error", message="why", retryable=True),
    protocol.NeedsAttention(
        message="why", sent_at=datetime(2026, 11, 28, tzinfo=UTC), provider_id="7", look_at="there"
    ),
    protocol.Suspended(),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.t)
def test_a_message_is_one_line_and_comes_back(message):
    line = protocol.encode(KEY, message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert protocol.decode(line) == (KEY, message)


def test_exactly_five_messages_end_an_attempt():
    ends = [message.t for message in MESSAGES if protocol.is_end(message)]
    assert ends == ["done", "cancelled", "failed", "needs_attention", "suspended"]


def _about_job(message):
    return f'{{"key":["gen_a",2],"message":{message}}}'.encode()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"hello",
        b"[]",
        b'{"t":"cancelled"}',
        *map(_about_job, ["{}", '{"t":"cheers"}', '{"t":"progress"}', '{"t":"cancelled","x":1}']),
        b"\xff",
    ],
)
def test_anything_else_is_refused(line):
    with pytest.raises(ValidationError):
        protocol.decode(line)


def test_a_command_is_one_line_and_comes_back(job_for):
    job = job_for("bars", attempt=2, checkpoint={"step": 8})
    assert job.key == KEY
    for command in (protocol.Start(job=job), protocol.Cancel(), protocol.Abandon(), protocol.Suspend()):
        line = protocol.encode(KEY, command)
        assert line.count(b"\n") == 1
        assert protocol.decode(line) == (KEY, command)
