"""Each line of a JSON log is one object that says what it is about, and holds no secret."""

import io
import json
import logging
import threading

import pytest

from videogen.core.json_log import JsonFormatter, without_secrets
from videogen.core.log_context import add_context, begin_context, hashed

GENERATION = "gen_abcdefghij0123456789"


@pytest.fixture
def log():
    """A logger; `log.entries()` gives what it wrote."""
    logger, output = logging.getLogger("videogen.tested"), io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.entries = lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    yield logger
    logger.removeHandler(handler)


def in_thread(work):
    """Run with a context of its own, as each request and each job does."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_record_is_one_line_with_time_level_logger_and_message(log):
    log.warning("%s\nand %d more", "one", 2)
    (entry,) = log.entries()
    assert entry.pop("time").endswith("+00:00")
    assert entry == {"level": "WARNING", "logger": "videogen.tested", "message": "one\nand 2 more"}


def test_an_exception_is_one_field(log):
    try:
        raise ValueError("two\nlines")
    except ValueError:
        log.exception("it failed")
    (entry,) = log.entries()
    assert entry["exception"].startswith("Traceback")
    assert entry["exception"].endswith("ValueError: two\nlines")


def test_lines_have_the_fields_of_their_request_also_those_added_by_its_threads(log):
    def request():
        begin_context(request_id="req_1")
        in_thread(lambda: add_context(session="of another thread"))  # it has no context
        log.info("a", extra={"fields": {"status": 200}})
        add_context(session="hash")
        log.info("b")

    in_thread(request)
    log.info("c")
    own = [{key: entry[key] for key in entry if key in ("request_id", "session", "status")} for entry in log.entries()]
    assert own == [{"request_id": "req_1", "status": 200}, {"request_id": "req_1", "session": "hash"}, {}]


def test_a_line_that_names_a_generation_has_its_id(log):
    log.info("%s attempt 1 was lost", GENERATION)
    log.info("gen_short and a_%s are none", GENERATION)
    assert [entry.get("generation_id") for entry in log.entries()] == [GENERATION, None]


@pytest.mark.parametrize(
    ("message", "arguments", "text"),
    [("%d of", ("no number",), "%d of ('no number',)"), ("half a character: \udc80", (), "half a character: \udc80")],
)
def test_arguments_that_do_not_fit_and_characters_of_no_text_are_still_a_line(message, arguments, text):
    line = JsonFormatter().format(logging.LogRecord("tested", logging.INFO, "", 0, message, arguments, None))
    assert json.loads(line)["message"] == text


def test_a_session_is_not_known_by_its_hash():
    assert hashed("ses_1") == hashed("ses_1") != hashed("ses_2")
    assert "ses_1" not in hashed("ses_1")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("GET /media/fil_1?exp=17&sig=0f0f HTTP", "GET /media/fil_1?... HTTP"),
        ("for url 'https://cdn.example/a.mp4?X-Amz-Signature=ab&b=c'", "for url 'https://cdn.example/a.mp4?...'"),
        ("https://video.example/s/abcdefghijklmnopqrstuvwx/video.mp4", "https://video.example/s/.../video.mp4"),
        ("/#claim=abcdef", "/#claim=..."),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer ..."),
        ("{'authorization': 'Key id:secret', 'a': 'b'}", "{'authorization': '...', 'a': 'b'}"),
        ('{"token": "abc"}', '{"token": "..."}'),
        ("FAL_KEY=abc, and more", "FAL_KEY=..., and more"),
        ("videogen_session=abc; path=/", "videogen_session=...; path=/"),
        ("Is this a question? a=b is no query.", "Is this a question? a=b is no query."),
        ("monkey=7", "monkey=7"),
    ],
)
def test_secrets_are_left_out(text, left):
    assert without_secrets(text) == left


def test_secrets_are_left_out_of_exceptions(log):
    try:
        raise ValueError("https://a.example/?sig=abc")
    except ValueError:
        log.exception("with token=abc")
    assert "abc" not in json.dumps(log.entries())
