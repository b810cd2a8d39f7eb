import pytest

from tests.support.machines import Machine


@pytest.fixture
def place(tmp_path):
    return tmp_path / "place"


@pytest.fixture
def machine(tmp_path, place, clock, migrated_file):
    """Makes machines: `machine()`, `machine("other")`. Each has a disk of its own; all share one place."""
    made = []

    def make(name="data", **settings):
        made.append(Machine(tmp_path / name, settings.pop("place", place), clock, migrated_file, **settings))
        return made[-1].start()

    yield make
    for one in made:
        one.stop()
