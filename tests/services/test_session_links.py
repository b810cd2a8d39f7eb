from urllib.parse import parse_qsl, urlsplit

import pytest

from videogen.core.errors import NotFoundError
from videogen.core.security import Signer
from videogen.services.session_links import SECONDS, SessionLinks


def test_a_link_is_valid_for_ten_minutes_also_after_a_restart():
    now = 1000.0
    path, _ = SessionLinks(Signer(b"secret"), lambda: now).create("exports", "ses_a")
    query = dict(parse_qsl(urlsplit(path).query))
    later = SessionLinks(Signer(b"secret"), lambda: now)
    now += SECONDS
    later.check("exports", query["session"], query["exp"], query["sig"])
    now += 1
    with pytest.raises(NotFoundError, match="expired"):
        later.check("exports", query["session"], query["exp"], query["sig"])
