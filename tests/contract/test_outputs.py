"""What becomes of a step's output, on every engine."""

from __future__ import annotations

from typing import Any

from orchestration.selectors import run_view
from tests.contract.hosts import until
from tests.contract.sagas import start, step
from tests.peer import Peer

NUMBER: dict[str, Any] = {"properties": {"id": {"type": "integer"}}}


def test_an_output_that_breaks_its_schema_is_undone_by_what_it_says(engine: str, peer: Peer) -> None:
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/things/{a.id}"}
    run = until(start(peer, engine, step("a", output_schema=NUMBER, compensation_action=undo, retry_count=3)))
    view = run_view(run)
    assert (view["status"], view["cause"]) == ("rolled_back", "failure")
    assert view["steps"][0]["compensation"]["status"] == "compensated" and view["steps"][0]["attempts"] == 1
    assert (peer.methods("POST"), peer.methods("DELETE"), peer.things) == (["/things/a"], ["/things/a"], {})
    assert '$.id: "a" breaks type: "integer"' in view["error"]


def test_a_non_critical_step_whose_output_breaks_its_schema_gives_its_default(engine: str, peer: Peer) -> None:
    uses = step("b")
    uses["forward_action"]["payload"] = {"from": "{a.id}"}
    run = until(
        start(peer, engine, step("a", output_schema=NUMBER, critical=False, default_output={"id": 7}), uses),
    )
    assert run_view(run)["status"] == "completed" and '{"from":7}' in [body.replace(" ", "") for body in peer.bodies]
