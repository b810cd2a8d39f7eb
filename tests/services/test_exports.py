"""Links to zips of chosen generations: how many there may be."""

import pytest

from videogen.core.errors import NotFoundError
from videogen.core.in_use import InUse
from videogen.schemas.history import Chosen
from videogen.services.exports import MAX_LINKS_PER_SESSION, ExportService


class Store:
    """One finished generation in every session."""

    def clock(self):
        return 0.0

    def measure_completed(self, _session_id, ids):
        return len(ids), 1

    def completed_titles(self, _session_id, ids):
        return list(ids)


def test_a_session_that_makes_many_links_ends_its_own_and_no_other():
    exports = ExportService(Store(), None, InUse())

    def link(session_id):
        return exports.create_link(session_id, Chosen(ids=["gen_a"]), "").url.rpartition("/")[2]

    others = link("ses_b")
    own = [link("ses_a") for _ in range(MAX_LINKS_PER_SESSION + 2)]
    for token in (others, *own[2:]):
        exports.open_link(token)
    for token in own[:2]:
        with pytest.raises(NotFoundError):
            exports.open_link(token)
