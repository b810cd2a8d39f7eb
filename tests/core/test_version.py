import tomllib

from tests.support.app import ROOT
from videogen.core.version import __version__


def test_pyproject_names_the_same_version():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__
