"""What a call's answer is used for, and how long it is waited for, on every engine."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from approvals.models import Request
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.peer import Peer
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

REFUSE: dict[str, Any] = {"type": "api_call", "method": "POST", "url": "{base}/refuse"}


def call(path: str, **more: Any) -> dict[str, Any]:
    return {"type": "api_call", "method": "POST", "url": f"{{base}}{path}", **more}


def attempts(run: Run, step_id: str, purpose: str = "forward") -> list[str]:
    rows = run.commands.filter(kind="run_action", step_id=step_id, purpose=purpose).order_by("attempt")
    return list(rows.values_list("outcome", flat=True))


@pytest.mark.parametrize(
    "url",
    ["{base}{order.response.headers.location}", "{order.response.headers.Location}", "{order.response.location}",
     "{base}/orders/{order.response.headers.x-id}"],
)  # fmt: skip
def test_what_was_created_is_undone_by_the_header_that_names_it(engine: str, peer: Peer, url: str) -> None:
    """Case sagas/07: 201, an empty body, and a Location."""
    peer.say("/created", 201, {"Location": "/orders/77", "X-Id": "77", "ETag": '"v1"'})
    peer.say("/refuse", 400)
    undo = call("", method="DELETE", url=url, headers={"If-Match": "{order.response.headers.etag}"})
    order = step("order", forward_action=call("/created"), compensation_action=undo)
    run = until(start(peer, engine, order, step("refuse", forward_action=REFUSE, undo=False)))
    assert run.status == "rolled_back"
    (seen,) = [request for request in peer.seen if request.method == "DELETE"]
    assert (seen.path, seen.headers["if-match"]) == ("/orders/77", '"v1"')


def test_an_answer_is_there_for_later_steps_and_for_their_probes(engine: str, peer: Peer) -> None:
    peer.say("/created", 201, {"Location": "/orders/77", "Set-Cookie": "sid=1"}, b'{"response": 3}')
    peer.say("/plain", 202, {"X-A": "a"}, b'{"id": 1}')
    peer.behave("/things/b", "cut")
    told = {"all": "{plain.response}", "own": "{created.response}"}
    found = call("/found", method="GET", query={"status": "{plain.response.status}"})
    peer.say("/found", 200, {}, b'{"id": "b"}')
    run = until(
        start(
            peer, engine,
            step("created", forward_action=call("/created"), undo=False),
            step("plain", forward_action=call("/plain"), undo=False),
            step("b", forward_action=call("/things/b", payload=told), probe_action=found, undo=False),
        )
    )  # fmt: skip
    assert run.status == "completed"
    (seen,) = [json.loads(request.body) for request in peer.seen if request.path == "/things/b"]
    assert seen["own"] == 3 and seen["all"]["status"] == 202 and seen["all"]["headers"]["x-a"] == "a"
    assert [request.path for request in peer.seen if request.path.startswith("/found")] == ["/found?status=202"]


def test_a_status_is_known_where_a_default_stands_in(engine: str, peer: Peer) -> None:
    peer.say("/refuse", 404, {"X-Why": "gone"})
    refused = step("r", forward_action=REFUSE, critical=False, default_output={"id": 0}, undo=False)
    told = step("t", forward_action=call("/told", query={"s": "{r.response.status}", "id": "{r.id}"}), undo=False)
    peer.say("/told", 200)
    run = until(start(peer, engine, refused, told))
    assert run.status == "completed"
    assert [request.path for request in peer.seen if request.path.startswith("/told")] == ["/told?s=404&id=0"]


def test_a_header_that_did_not_come_fails_the_step_by_name(engine: str, peer: Peer) -> None:
    peer.say("/created", 201)
    run = until(start(peer, engine, step("c", forward_action=call("/created"), undo=False),
                      step("n", forward_action=call("/n", query={"x": "{c.response.headers.x-none}"}))))  # fmt: skip
    assert "{c.response.headers.x-none} has no value" in run_view(run)["error"]


def test_bytes_go_from_a_step_to_the_next(engine: str, peer: Peer) -> None:
    """Case sagas/06."""
    data = bytes(range(256))
    peer.say("/pdf", 200, {"Content-Type": "application/pdf"}, data)
    peer.say("/hash", 200)
    pdf = step("pdf", forward_action=call("/pdf", method="GET"), undo=False)
    up = step("up", ["pdf"], forward_action=call("/hash", method="PUT", payload="{pdf.body}"), undo=False)
    form = [{"name": "f", "filename": "a.pdf", "value": "{pdf.body}"}, {"name": "type", "value": "{pdf.body.type}"}]
    parts = step("parts", ["pdf"], forward_action=call("/hash", multipart=form), undo=False)
    run = until(start(peer, engine, pdf, up, parts))
    assert run.status == "completed"
    put, post = sorted((seen for seen in peer.seen if seen.path == "/hash"), key=lambda seen: seen.method, reverse=True)
    assert (put.raw, put.headers["content-type"]) == (data, "application/pdf") and data in post.raw
    assert run_view(run)["steps"][0]["output"]["body"]["base64"] == base64.b64encode(data).decode()


def test_a_refusal_that_is_to_be_tried_again_uses_up_retries(engine: str, peer: Peer) -> None:
    """Case sagas/10: 409, 423, 200."""
    peer.behave("/things/a", 409, 423)
    lock = step("a", forward_action=call("/things/a", retry_on=[409, 423]), retry_count=2)
    run = until(start(peer, engine, lock))
    assert run.status == "completed" and attempts(run, "a") == ["retryable", "retryable", "succeeded"]
    peer.behave("/things/b", 409, 409, 409)
    lock = step("b", forward_action=call("/things/b", retry_on="status == 409"), retry_count=1)
    run = until(start(peer, engine, lock))
    assert run.status == "rolled_back" and attempts(run, "b") == ["retryable", "retryable"]
    assert "(retry_on)" in run_view(run)["error"]


def test_an_until_polls_without_using_up_retries(engine: str, peer: Peer) -> None:
    """Case sagas/10: 202, 202, 200, with retry_count 0."""
    for _ in range(2):
        peer.behave("/things/a", 409, 404)
    action = call("/things/a", method="POST", until="status == 200", every_seconds=0.2)
    run = until(start(peer, engine, step("a", forward_action=action, timeout_seconds=60)))
    assert run.status == "completed" and attempts(run, "a") == ["parked", "parked", "succeeded"]
    keys = {key for method, path, key in peer.calls if path == "/things/a"}
    assert len(keys) == 1 and peer.effects[keys.pop()] == 1


def test_an_until_waits_out_202_and_looks_into_the_body(engine: str, peer: Peer) -> None:
    peer.say("/job", 202, {"Content-Type": "application/json"}, b'{"state": "RUNNING"}')
    action = call("/job", method="GET", until="body.state == 'DONE'", every_seconds=0.2)
    run = start(peer, engine, step("job", forward_action=action, timeout_seconds=120, undo=False))
    until(run, lambda r: attempts(r, "job").count("parked") >= 2)
    said = " ".join(why(run))
    peer.say("/job", 200, {"Content-Type": "application/json"}, b'{"state": "DONE", "url": "u"}')
    view = run_view(until(run))
    assert view["status"] == "completed" and view["steps"][0]["output"]["url"] == "u"
    assert "job" in said


def test_an_until_ends_with_its_step_s_time(engine: str, peer: Peer) -> None:
    peer.say("/job", 202)
    action = call("/job", method="GET", until="status == 200", every_seconds=0.2)
    run = until(start(peer, engine, step("job", forward_action=action, timeout_seconds=1, undo=False)))
    assert run.status == "rolled_back" and "did not hold within the step's 1 s" in run_view(run)["error"]
    assert run_view(run)["steps"][0]["status"] == "failed"


def test_an_undo_waits_until_it_is_done(engine: str, peer: Peer) -> None:
    peer.say("/refuse", 400)
    peer.say("/gone/a", 202)
    undo = call("/gone/a", method="POST", until="status == 200", every_seconds=0.2)
    made = step("a", compensation_action=undo, timeout_seconds=120)
    run = start(peer, engine, made, step("r", forward_action=REFUSE, undo=False))
    until(run, lambda r: attempts(r, "a", "undo").count("parked") >= 2)
    assert run.status == "compensating"
    peer.say("/gone/a", 200)
    assert until(run).status == "rolled_back"
    assert len({key for method, path, key in peer.calls if path == "/gone/a"}) == 1


def test_an_abort_ends_an_until(engine: str, peer: Peer) -> None:
    peer.say("/job", 202)
    poll = step("job", forward_action=call("/job", method="GET", until="status == 200", every_seconds=0.2),
                timeout_seconds=600, undo=False)  # fmt: skip
    run = start(peer, engine, step("a"), poll)
    until(run, lambda r: "parked" in attempts(r, "job"))
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA, note="enough")
    assert until(run).status == "rolled_back" and peer.methods("DELETE") == ["/things/a"]


def test_a_request_that_cannot_be_built_fails_its_step_and_holds_nothing(engine: str, peer: Peer) -> None:
    """Case sagas/11, as a value that comes during the run makes it."""
    peer.say("/when", 200, {}, b'{"name": "a\\u0007b"}')
    odd = step("odd", forward_action=call("/x", headers={"X-Name": "{first.name}"}), critical=False, undo=False)
    run = until(start(peer, engine, step("first", forward_action=call("/when"), undo=False), odd))
    view = run_view(run)
    assert (view["status"], view["steps"][1]["status"]) == ("completed", "failed")
    assert any("the header 'X-Name' holds" in warning or "odd" in warning for warning in view["warnings"])


def test_one_yes_is_enough_for_all_the_calls_of_an_until(engine: str, peer: Peer) -> None:
    account("bob")
    peer.behave("/things/a", 409, 409)
    action = call("/things/a", until="status == 200", every_seconds=0.2)
    gated = step("a", forward_action=action, approval={"approvers": ["bob"]}, timeout_seconds=60)
    run = start(peer, engine, gated)
    until(run, lambda r: Request.objects.filter(about=r.workflow_id).exists())
    says("bob", "approve", Request.objects.get(about=run.workflow_id))
    assert until(run).status == "completed" and Request.objects.count() == 1
    assert attempts(run, "a")[-3:] == ["parked", "parked", "succeeded"] and len(peer.calls) == 3
