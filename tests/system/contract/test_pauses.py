"""What a service asks for with Retry-After is kept to, on every engine."""

from __future__ import annotations

from datetime import timedelta

from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step


def test_the_next_attempt_comes_no_sooner_than_the_service_asks(engine: str, peer: Peer) -> None:
    peer.say_once("/things/a", 429, {"Retry-After": "2"})
    run = until(start(peer, engine, step("a", retry_count=1, backoff_seconds=0)))
    assert run_view(run)["status"] == "completed" and len(peer.calls) == 2
    ended, fired = (run.events.get(kind=kind) for kind in ("step.backing_off", "timer.backoff"))
    assert fired.at - ended.at >= timedelta(seconds=2)
