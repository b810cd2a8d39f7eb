"""Progress from the log of a model: the bars that tqdm prints."""

from __future__ import annotations

import re
from typing import Final

_BAR: Final = re.compile(r"(?P<label>[^\r\n|]*?)\d+%\s*\|[^|\r\n]*\|\s*(?P<step>\d+)/(?P<total>\d+)\b")
_NO_RENDER: Final = re.compile(r"load|fetch|download|upload|encod", re.IGNORECASE)
_MAX_LOG: Final = 20_000
"""Characters at the end of a log that are read."""


def log_progress(log: str) -> tuple[int, int]:
    """The newest step and total of a render; (0, 0) if the log has no bar.

    Bars of other work are skipped, such as "Loading pipeline components: 100%|###| 7/7".
    """
    bars = [bar for bar in _BAR.finditer(log[-_MAX_LOG:]) if not _NO_RENDER.search(bar["label"])]
    if not bars:
        return 0, 0
    step, total = int(bars[-1]["step"]), int(bars[-1]["total"])
    return min(step, total), total
