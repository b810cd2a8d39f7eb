"""What must be true of every engine is true of one at a provider. How to run it for another: the class's module."""

from contextlib import contextmanager

from tests.support.providers.studio import ServedStudio
from tests.support.remote_conformance import RemoteConformance, environment
from tests.support.stand_in import serve


class TestStudio(RemoteConformance):
    @classmethod
    @contextmanager
    def provider(cls):
        studio = ServedStudio()
        with serve(studio.app) as studio.served, environment(STUDIO_KEY=studio.key):
            yield studio.served, studio.engine()
