"""The public JSON of the API and the events, as frozen models. Imports no other package."""

# ruff: noqa: F403  (each module's public names are this package's)
from videogen.schemas.base import *
from videogen.schemas.engines import *
from videogen.schemas.events import *
from videogen.schemas.export_manifest import *
from videogen.schemas.generations import *
from videogen.schemas.history import *
from videogen.schemas.portability import *
from videogen.schemas.sharing import *
from videogen.schemas.status import *
from videogen.schemas.system import *
