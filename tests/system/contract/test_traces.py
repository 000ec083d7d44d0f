"""A run is one trace on every engine: its start, its attempts, and the calls that they make."""

from __future__ import annotations

import pytest

from foundation import telemetry
from tests.monitoring.test_traces import Receiver, receiver
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step

__all__ = ["receiver"]
pytestmark = pytest.mark.only_on("sqlite")


def test_attempts_are_below_the_start_and_calls_below_their_attempt(
    engine: str, receiver: Receiver, peer: Peer
) -> None:
    peer.behave("/things/a", 503, 201)
    with telemetry.span("outer"):
        run = start(peer, engine, step("a", retry_count=2, backoff_seconds=0.01))
    until(run)
    spans = receiver.spans()
    assert len({span.trace_id for span in receiver.taken}) == 1
    attempts = [span for span in receiver.taken if span.name == "attempt contract.a"]
    calls = [span.parent_span_id for span in receiver.taken if span.name == "POST"]
    assert calls == [span.span_id for span in attempts]
    assert {span.parent_span_id for span in attempts} == {spans["run start contract"].span_id}
    assert [[link.span_id for link in span.links] for span in attempts] == [[], [attempts[0].span_id]]
