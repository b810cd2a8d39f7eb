"""A short soak: no answer but the expected ones, and nothing left when everybody has gone."""

import argparse
import asyncio

import pytest

from tests.soak import week
from tests.soak.__main__ import Soak, start_app

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


def test_a_simulated_week_stays_below_its_cap(capsys):
    assert week.run(seed=7) == 0, capsys.readouterr().out


def test_a_short_soak_ends_without_a_fault(tmp_path, capsys):
    asked = argparse.Namespace(minutes=1, sessions=8, hostile=0.3, seed=7)
    with start_app(tmp_path) as app:
        assert asyncio.run(Soak(app, asked).run()) == 0, capsys.readouterr().out
