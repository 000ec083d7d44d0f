"""The receiver's recipes of docs/howto/callbacks.md verify what we send, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine

from tests.notifications.webhooks.scenes import attempted, endpoint_at, queued
from tests.support.peer import Peer
from tests.system.crash.workers import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
RECIPES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "howto" / "callbacks.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("kind", [0, 1])
def test_a_recipe_verifies_what_arrives(receiver: Peer, kind: int) -> None:
    endpoint, stranger = endpoint_at(receiver), endpoint_at(receiver, owner="stranger")
    attempted(queued(endpoint, answer="yes"))
    (request,) = receiver.seen
    names: dict[str, Any] = {}
    exec(RECIPES[kind], names)
    verified = names["verified"]
    key, other = [(each.shown_once, each.public_key)[kind] for each in (endpoint, stranger)]
    body, headers = request.body.encode(), request.headers
    assert verified(headers, body, key)["data"] == {"answer": "yes"}
    for wrong in (
        (headers, body.replace(b"yes", b"no"), key),
        (headers, body, other),
        (headers | {"webhook-id": "msg_other"}, body, key),
        (headers | {"webhook-signature": "v1, v1a, nonsense"}, body, key),
    ):
        with pytest.raises(ValueError, match="signed|ase64"):
            verified(*wrong)
    with time_machine.travel(int(headers["webhook-timestamp"]) + 301), pytest.raises(ValueError, match="too old"):
        verified(headers, body, key)
