"""An undo that names its step's own output never takes another step's for it, on every engine."""

from __future__ import annotations

import json
from typing import Any

from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

BY_ID = {"type": "api_call", "method": "DELETE", "url": "{base}/things/{id}"}


def undoes_by_id(name: str, **more: Any) -> dict[str, Any]:
    return step(name, compensation_action=BY_ID, **more)


def reserved_and_charged(peer: Peer, engine: str, **more: Any) -> Run:
    """The second service acts and is not heard."""
    peer.behave("/things/charge", "cut")
    return until(start(peer, engine, undoes_by_id("reserve"), undoes_by_id("charge", **more)))


def test_an_unknown_outcome_is_not_undone_by_the_id_of_another_step(engine: str, peer: Peer) -> None:
    run = reserved_and_charged(peer, engine)
    assert run.status == "needs_attention" and peer.methods("DELETE") == []
    assert set(peer.things) == {"/things/reserve", "/things/charge"}
    (told,) = [step for step in run_view(run)["steps"] if step["step_id"] == "charge"]
    assert "Cannot undo: the id from 'charge' is unknown" in told["compensation"]["error"]
    assert "done-by-hand" in told["compensation"]["error"] and "the id from" in " ".join(why(run))


def test_a_person_names_what_stands_and_the_rollback_goes_on(engine: str, peer: Peer) -> None:
    run = reserved_and_charged(peer, engine)
    found = {"type": "api_call", "method": "DELETE", "url": f"{peer.url}/things/charge"}
    act(
        workflow_id=run.workflow_id, verb=Verb.RESOLVE, step_id="charge", answer="alternative", action=found,
        note="found it", actor=ADA,
    )  # fmt: skip
    until(run, lambda r: r.finished_at is not None)
    assert (run.status, peer.things) == ("rolled_back", {})
    assert peer.methods("DELETE") == ["/things/charge", "/things/reserve"]


def test_a_probe_that_answers_finds_the_id(engine: str, peer: Peer) -> None:
    peer.behave("/things/pay", 422)
    peer.behave("/things/charge", "cut")
    probe = {"type": "api_call", "url": "{base}/things/charge"}
    run = until(
        start(peer, engine, undoes_by_id("reserve"), undoes_by_id("charge", probe_action=probe), undoes_by_id("pay"))
    )
    assert (run.status, peer.things) == ("rolled_back", {})
    assert peer.methods("DELETE") == ["/things/charge", "/things/reserve"]


def test_a_probe_does_not_ask_for_the_object_of_another_step(engine: str, peer: Peer) -> None:
    run = reserved_and_charged(peer, engine, probe_action={"type": "api_call", "url": "{base}/things/{id}"})
    assert run.status == "needs_attention" and peer.methods("GET") == []
    assert "the probe cannot be filled in" in run_view(run)["error"]


def test_a_name_that_the_forward_action_uses_too_is_known_beforehand(engine: str, peer: Peer) -> None:
    peer.say("/orders", 201, {}, b'{"order_id": "o1"}')
    peer.behave("/things/o1", "cut")
    order = step("order", undo=False)
    order["forward_action"]["url"] = "{base}/orders"
    charge = step("charge", compensation_action={**BY_ID, "url": "{base}/things/{order_id}"})
    charge["forward_action"]["url"] = "{base}/things/{order_id}"
    run = until(start(peer, engine, order, charge))
    assert (run.status, peer.things, peer.methods("DELETE")) == ("rolled_back", {}, ["/things/o1"])


def test_an_undo_can_send_back_all_that_its_step_was_answered(engine: str, peer: Peer) -> None:
    peer.behave("/things/pay", 422)
    payload = {"own": "{charge}", "of": "{reserve}"}
    back = {"type": "api_call", "method": "POST", "url": "{base}/back", "payload": payload}
    run = until(
        start(peer, engine, undoes_by_id("reserve"), step("charge", compensation_action=back), undoes_by_id("pay"))
    )
    assert run.status == "rolled_back"
    (sent,) = [json.loads(body) for body in peer.bodies if '"own"' in body]
    assert sent["own"]["id"] == "charge" and sent["of"]["id"] == "reserve"
