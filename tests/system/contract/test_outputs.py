"""What becomes of a step's output, on every engine."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from django.conf import settings as django_settings
from django.core import serializers
from pytest_django import Settings
from temporalio.client import Client

from orchestration.models import Run
from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step

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


def test_a_large_output_is_used_by_later_steps_and_travels_by_reference(engine: str, peer: Peer) -> None:
    big = {"id": "order-7", "blob": "x" * 5_000_000, "lines": [{"sku": "s1"}]}
    peer.say("/big", 200, {"Content-Type": "application/json"}, json.dumps(big).encode())
    first = step("a", forward_action={"type": "api_call", "method": "POST", "url": "{base}/big"})
    uses = step("b", compensation_action={"type": "api_call", "method": "DELETE", "url": "{base}/things/{a.id}"})
    uses["forward_action"]["payload"] = {"named": "{a.id}", "nearest": "{lines.0.sku}"}
    run = until(start(peer, engine, first, uses))
    assert run.status == "completed", run_view(run)["error"]
    assert json.loads(peer.bodies[-1]) == {"named": "order-7", "nearest": "s1"}
    assert run.commands.get(step_id="a").output == big
    assert largest_elsewhere(run) < 10_000
    if engine == "temporal":
        assert largest_in_history(run) < 10_000


def test_what_is_kept_can_be_used_and_undone(engine: str, peer: Peer) -> None:
    """sagas/05: 2 MB were kept, and neither a later step nor the step's own undo could use them."""
    big = {"id": "b", "blob": "x" * 2_000_000}
    peer.say("/big", 200, {"Content-Type": "application/json"}, json.dumps(big).encode())
    peer.behave("/things/refused", 400)
    undo = {"type": "api_call", "method": "POST", "url": "{base}/things/undone", "payload": {"blob": "{get.blob}"}}
    get = step("get", forward_action={"type": "api_call", "url": "{base}/big"}, compensation_action=undo)
    use = step("use")
    use["forward_action"]["payload"] = {"blob": "{get.blob}"}
    run = until(start(peer, engine, get, use, step("refused")))
    assert run.status == "rolled_back", run_view(run)["error"]
    sent = [body for body in peer.bodies if len(body) > 1_000_000]
    assert [json.loads(body) for body in sent] == [{"blob": big["blob"]}] * 2
    if engine == "temporal":
        assert largest_in_history(run) < 10_000


def test_more_than_the_limit_in_one_action_fails_cleanly_and_its_undo_says_so_at_once(
    engine: str, peer: Peer, settings: Settings
) -> None:
    settings.ZEN_MAX_OUTPUT_BYTES = 100_000
    peer.say("/big", 200, body=b"x" * 60_000)
    undo = {"type": "api_call", "method": "POST", "url": "{base}/undo", "payload": ["{a.body}", "{a.body}"]}
    first = step("a", forward_action={"type": "api_call", "method": "POST", "url": "{base}/big"}, undo=False)
    uses = step("b", critical=False)
    uses["forward_action"]["payload"] = ["{a.body}", "{a.body}"]
    view = run_view(until(start(peer, engine, first | {"compensation_action": undo}, uses)))
    assert (view["status"], view["steps"][1]["status"]) == ("completed", "failed")
    assert "100000 bytes (ZEN_MAX_OUTPUT_BYTES)" in view["steps"][1]["error"] and peer.methods("POST") == ["/big"]
    assert "Cannot undo: " in view["steps"][0]["compensation"]["error"]


def test_an_output_over_the_limit_fails_the_step_and_is_undone(engine: str, peer: Peer, settings: Settings) -> None:
    settings.ZEN_MAX_OUTPUT_BYTES = 100_000
    peer.say("/big", 200, body=b"x" * 200_000)
    run = until(
        start(peer, engine, step("a", forward_action={"type": "api_call", "method": "POST", "url": "{base}/big"}))
    )
    view = run_view(run)
    assert (view["status"], view["steps"][0]["status"]) == ("rolled_back", "unknown")
    assert view["steps"][0]["compensation"]["status"] == "compensated" and peer.methods("DELETE") == ["/things/a"]
    assert "100000 bytes (ZEN_MAX_OUTPUT_BYTES)" in view["error"]
    assert run.commands.get(step_id="a", purpose="forward").output is None


def largest_elsewhere(run: Run) -> int:
    """Characters in the largest row of the run that is not the attempt itself."""
    rows = [*run.events.all(), *run.steps.all(), *run.messages.all(), *run.commands.exclude(step_id="a"), run]
    return max(len(serializers.serialize("json", [row])) for row in rows)


def largest_in_history(run: Run) -> int:
    """Bytes of the largest event that Temporal keeps of the run."""

    async def events() -> list[int]:
        client = await Client.connect(django_settings.TEMPORAL_ADDRESS)
        history = await client.get_workflow_handle(run.workflow_id).fetch_history()
        return [event.ByteSize() for event in history.events]

    return max(asyncio.run(events()))
