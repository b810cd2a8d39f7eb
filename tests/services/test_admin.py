"""What the operator has decided, as each of several processes knows it."""

from contextlib import closing
from types import SimpleNamespace

from videogen.core.security import Signer
from videogen.db.database import Database
from videogen.db.signals import Message
from videogen.services.admin import AdminService
from videogen.store import Store
from videogen.store.operator_state import OPERATOR, Act


def test_what_was_decided_while_nothing_was_heard_is_known_after_the_break(store):
    config, signer = SimpleNamespace(uses_postgresql=True), Signer(b"a secret of sixteen bytes")
    admin = AdminService(SimpleNamespace(config=config, store=store, storage=None, data_folder=None, signer=signer))
    with closing(Database(store.database.url)) as elsewhere:
        Store(elsewhere).set_operator_state(Act("operator", "pause"), paused=True)
    assert admin.state_in_memory() == "running"
    store.database._subscribers.pass_on([], [Message(OPERATOR, "")])
    assert admin.state_in_memory() == "paused"
