import pytest
from pydantic import ValidationError

from videogen.engines.base import Artifact
from videogen.engines.process import protocol

ARTIFACT = Artifact(path="/w/video.mp4", width=2, height=2, fps=1, num_frames=1)
KEY = protocol.JobKey("gen_a", 2)
MESSAGES = [
    protocol.Started(pid=7, resumed_at=24),
    protocol.Progress(step=1, total=2, stage="rendering", message="zwei\nZeilen \u2028 ✓"),
    protocol.Preview(path="/w/preview.jpg"),
    protocol.Checkpoint(data={"segments": 1, "deep": {"list": [1, 2.5, None]}}),
    protocol.Done(artifact=ARTIFACT),
    protocol.Cancelled(step=3),
    protocol.Failed(code="engine_error", message="why", retryable=True),
    protocol.Suspended(),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.t)
def test_a_message_is_one_line_and_comes_back(message):
    line = protocol.encode(KEY, message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert protocol.decode(line) == (KEY, message)


def test_exactly_four_messages_end_an_attempt():
    ends = [message.t for message in MESSAGES if protocol.is_end(message)]
    assert ends == ["done", "cancelled", "failed", "suspended"]


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
    for command in (protocol.Start(job=job), protocol.Cancel(), protocol.Suspend()):
        line = protocol.encode(KEY, command)
        assert line.count(b"\n") == 1
        assert protocol.decode(line) == (KEY, command)
