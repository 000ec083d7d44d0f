"""A message may be told more than once: a process can die between telling it and noting so."""

from __future__ import annotations

from functools import partial

from orchestration.core.enums import Verb
from orchestration.engines.registry import ENGINES
from orchestration.models import Message, Run
from orchestration.runs import act
from tests.support.peer import Peer
from tests.system.contract.hosts import ended_after, until
from tests.system.contract.sagas import ADA, start, step


def test_a_rerun_told_twice_is_one_rerun(engine: str, peer: Peer) -> None:
    run = until(start(peer, engine, step("a"), step("b", ["a"])))
    act(workflow_id=run.workflow_id, verb=Verb.RERUN, actor=ADA, step_id="b", note="once more")
    run = ended_after(run, lambda _: len(peer.methods("POST")) == 3)
    message = Message.objects.get(run=run)
    if engine == "temporal":  # the other engine notes it in the transaction that takes it
        Message.objects.filter(pk=message.pk).update(delivered_at=None)
    assert ENGINES[run.engine].deliver(message) == ""
    act(workflow_id=run.workflow_id, verb=Verb.RERUN, actor=ADA, step_id="b", note="a second wish is a second rerun")
    run = ended_after(run, lambda _: len(peer.methods("POST")) == 4)
    kinds = [event.kind for event in run.events.all()]
    assert run.status == "completed" and kinds.count("act.rerun") == 2
    assert peer.methods("POST") == ["/things/a", *["/things/b"] * 3]


def _has_heard(peer: Peer, posts: int, _: Run) -> bool:
    return len(peer.methods("POST")) == posts


def test_a_rerun_as_soon_as_the_run_has_ended_is_taken(engine: str, peer: Peer) -> None:
    """The rows know that it has ended before its workflow has given its last command."""
    run = until(start(peer, engine, step("a"), step("b", ["a"])))
    for number in range(8):
        act(workflow_id=run.workflow_id, verb=Verb.RERUN, actor=ADA, step_id="b", note="once more")
        until(run, partial(_has_heard, peer, 3 + number))
        until(run)
    assert run.status == "completed"


def test_a_rerun_told_twice_while_it_goes_on_is_taken_once(engine: str, peer: Peer) -> None:
    run = until(start(peer, engine, step("a"), step("b", ["a"])))
    peer.behave("/things/b", "hang")
    act(workflow_id=run.workflow_id, verb=Verb.RERUN, actor=ADA, step_id="b", note="once more")
    until(run, lambda run: len(peer.methods("POST")) == 3)
    message = Message.objects.get(run=run)
    if engine == "temporal":
        Message.objects.filter(pk=message.pk).update(delivered_at=None)
    assert ENGINES[run.engine].deliver(message) == ""
    assert len(peer.methods("POST")) == 3
