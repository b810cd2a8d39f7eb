"""The steps of a render, from the log that its model prints."""

import pytest

from videogen.engines.remote.log_progress import log_progress

LOGS = {
    "nothing": ("", (0, 0)),
    "no bar": ("Using seed: 42\nThe prompt is 100% fine | really | 3/4 times", (0, 0)),
    "a bar": ("  8%|▊         | 4/50 [00:03<00:36,  1.26it/s]", (4, 50)),
    "the newest counts": (" 50%|#####     | 25/50\n 52%|#####2    | 26/50\n", (26, 50)),
    "returns in place of line breaks": ("\r  0%|          | 0/30\r 10%|#         | 3/30 [00:01", (3, 30)),
    "a name before it": ("Sampling:  20%|██        | 10/50 [00:10", (10, 50)),
    "what is no render": ("Loading pipeline components...: 100%|##########| 7/7 [00:01", (0, 0)),
    "a load after a render": (" 90%|#########  | 9/10\nDownloading shards: 100%|####| 2/2", (9, 10)),
    "a cut line": (" 90%|#########  | 9/10\n 100%|####", (9, 10)),
}


@pytest.mark.parametrize(("log", "expected"), LOGS.values(), ids=LOGS.keys())
def test_the_newest_bar_of_a_render_is_read(log, expected):
    assert log_progress(log) == expected


def test_a_log_of_any_length_is_read_from_its_end():
    assert log_progress(" 10%|#  | 1/10\n" * 1_000_000 + " 20%|## | 2/10\n") == (2, 10)
