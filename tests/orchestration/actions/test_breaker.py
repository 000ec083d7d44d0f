"""A route that keeps failing is left alone for a while; what is held back was not tried."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from foundation.outbound import circuit_breaker
from orchestration.actions.base import Call, Result
from orchestration.actions.http import breaker
from orchestration.core.enums import Outcome
from orchestration.execution.perform import AFTER, BEFORE, UNASKED, perform
from tests.support.breakers import close, opened
from tests.support.peer import Peer
from tests.support.waiting import PATIENCE_SECONDS

Build = Callable[..., Call]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "FAILURES", 2)
    monkeypatch.setattr(circuit_breaker, "RESET_SECONDS", 600.0)
    circuit_breaker.reset()


def post(call: Build, peer: Peer, path: str = "/things/a", *, route: str = "", name: str = "", **more: object) -> Call:
    made = call(**{"type": "api_call", "method": "POST", "url": f"{peer.url}{path}", **more})
    return dataclasses.replace(made, route=route, breaker=name)


def trial_may_begin(name: str) -> None:
    circuit_breaker.breaker_of(name)._open_until = 0


def test_it_opens_after_repeated_failures_and_closes_after_an_answer(call: Build, peer: Peer) -> None:
    name = f"POST {peer.address}/things/a"
    peer.behave("/things/a", 500, 500)
    perform(post(call, peer)), perform(post(call, peer))
    result = perform(post(call, peer))
    assert result.outcome is Outcome.PARKED and not result.maybe and name in result.error
    assert len(peer.calls) == 2 and 590 < (result.retry_after or 0) <= 800
    assert circuit_breaker.states() == {name: "open"}
    trial_may_begin(name)
    assert circuit_breaker.states() == {name: "half-open"}
    assert perform(post(call, peer)).outcome is Outcome.SUCCEEDED
    assert circuit_breaker.states() == {name: "closed"}


def test_a_trial_that_fails_opens_it_again(call: Build, peer: Peer) -> None:
    peer.behave("/things/a", 500, 500, 503)
    perform(post(call, peer)), perform(post(call, peer))
    trial_may_begin(f"POST {peer.address}/things/a")
    assert perform(post(call, peer)).outcome is Outcome.RETRYABLE
    assert perform(post(call, peer)).outcome is Outcome.PARKED and len(peer.calls) == 3


@pytest.mark.parametrize("answer", [400, 404, 409, 429])
def test_a_refusal_is_an_answer_and_closes_it(call: Build, peer: Peer, answer: int) -> None:
    peer.behave("/things/a", 500, answer, 500, 200)
    assert [perform(post(call, peer)).outcome for _ in range(4)][-1] is Outcome.SUCCEEDED


@pytest.mark.parametrize("failing", ["cut", "hang", "away"])
def test_timeouts_and_lost_connections_count(call: Build, peer: Peer, failing: str) -> None:
    if failing == "away":
        peer.server.server_close()
    else:
        peer.behave("/things/a", failing, failing)
    for _ in range(2):
        perform(post(call, peer, seconds=0.3))
    assert perform(post(call, peer)).outcome is Outcome.PARKED


def test_what_says_nothing_about_the_other_side_neither_opens_nor_closes_it(call: Build, peer: Peer) -> None:
    """Such as a request that the guard refuses: a half-open breaker goes on waiting for a trial that says something."""
    name = f"POST {peer.address}/things/a"
    peer.behave("/things/a", 500, 500)
    perform(post(call, peer)), perform(post(call, peer))
    trial_may_begin(name)
    broken = perform(post(call, peer, headers={"X-A": "\n"}))
    assert broken.outcome is Outcome.FAILED and circuit_breaker.states() == {name: "half-open"}
    assert perform(post(call, peer)).outcome is Outcome.SUCCEEDED


def test_routes_of_one_host_have_breakers_of_their_own(call: Build, peer: Peer) -> None:
    peer.behave("/things/a", 500, 500)
    for _ in range(3):
        held = perform(post(call, peer, "/things/a"))
    assert held.outcome is Outcome.PARKED
    assert perform(post(call, peer, "/things/b")).outcome is Outcome.SUCCEEDED
    assert perform(post(call, peer, "/things/a", method="GET")).outcome is Outcome.FAILED  # 404: it was asked


def test_values_filled_into_a_path_do_not_make_another_route(call: Build, peer: Peer) -> None:
    peer.behave("/things/1", 500)
    peer.behave("/things/2", 500)
    for path, route in (("/things/1", "{base}/things/{id}"), ("/things/2", "http://x/things/{reserve.id}?a={b}")):
        perform(post(call, peer, path, route=route))
    held = perform(post(call, peer, "/things/3", route="{base}/things/{other}"))
    assert held.outcome is Outcome.PARKED and f"POST {peer.address}/things/{{}}" in held.error


def test_steps_that_name_a_breaker_share_it(call: Build, peer: Peer) -> None:
    peer.behave("/things/a", 500)
    peer.behave("/things/b", 500)
    perform(post(call, peer, "/things/a", name="payments")), perform(post(call, peer, "/things/b", name="payments"))
    assert perform(post(call, peer, "/things/c", name="payments")).outcome is Outcome.PARKED
    assert perform(post(call, peer, "/things/c")).outcome is Outcome.SUCCEEDED


def test_one_trial_at_a_time() -> None:
    """Sixteen threads come to a half-open breaker at once: one call goes out, and the others are told to wait."""
    begun, go_on, sent = threading.Event(), threading.Event(), []

    def ask() -> Result:
        sent.append(1)
        begun.set()
        go_on.wait(PATIENCE_SECONDS)
        return Result(outcome=Outcome.SUCCEEDED, detail={"status": 200})

    for _ in range(2):
        circuit_breaker.breaker_of("x").leave(failed=True, trial=False)
    trial_may_begin("x")
    with ThreadPoolExecutor(16) as threads:
        results = [threads.submit(breaker.through, "x", ask) for _ in range(16)]
        assert begun.wait(PATIENCE_SECONDS)
        while sum(result.done() for result in results) < 15:
            pass
        go_on.set()
    outcomes = [result.result().outcome for result in results]
    assert (len(sent), outcomes.count(Outcome.PARKED), outcomes.count(Outcome.SUCCEEDED)) == (1, 15, 1)
    assert circuit_breaker.states() == {"x": "closed"}


def test_a_trial_that_breaks_our_own_code_lets_the_next_one_go() -> None:
    for _ in range(2):
        circuit_breaker.breaker_of("x").leave(failed=True, trial=False)
    trial_may_begin("x")
    with pytest.raises(ZeroDivisionError):
        breaker.through("x", lambda: Result(outcome=Outcome.SUCCEEDED, output=1 // 0))
    assert circuit_breaker.breaker_of("x").enter() == (0.0, True)


def test_late_failures_of_calls_from_before_do_not_keep_it_open() -> None:
    for _ in range(2):
        circuit_breaker.breaker_of("x").leave(failed=True, trial=False)
    trial_may_begin("x")
    circuit_breaker.breaker_of("x").leave(failed=True, trial=False)
    assert circuit_breaker.breaker_of("x").enter() == (0.0, True)


def test_so_many_breakers_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "MOST", 3)
    for number in range(9):
        circuit_breaker.breaker_of(f"host{number}")
    assert list(circuit_breaker.states()) == ["host6", "host7", "host8"]


def test_a_probe_that_is_held_back_is_asked_later_and_nothing_is_sent_again(call: Build, peer: Peer) -> None:
    probe = {"type": "api_call", "url": f"{peer.url}/things/a"}
    opened(f"GET {peer.address}/things/a")
    peer.behave("/things/a", "cut")
    held = perform(post(call, peer), probe=probe, probe_route="{base}/things/a")
    assert (held.outcome, held.maybe, held.detail[UNASKED]) == (Outcome.PARKED, True, AFTER)
    close(f"GET {peer.address}/things/a")
    found = perform(post(call, peer), probe=probe, probe_only=True)
    assert found.outcome is Outcome.SUCCEEDED and len(peer.methods("POST")) == 1
    peer.things.clear()
    assert perform(post(call, peer), probe=probe, probe_only=True).outcome is Outcome.RETRYABLE
    peer.behave("/things/a", 500)
    assert perform(post(call, peer), probe=probe, probe_only=True).outcome is Outcome.UNKNOWN
    assert len(peer.methods("POST")) == 1


def test_what_a_lost_worker_may_have_sent_is_not_sent_while_its_probe_is_held_back(call: Build, peer: Peer) -> None:
    probe = {"type": "api_call", "url": f"{peer.url}/things/a"}
    opened(f"GET {peer.address}/things/a")
    held = perform(post(call, peer), probe=probe, probe_first=True)
    assert (held.outcome, held.detail[UNASKED], peer.calls) == (Outcome.PARKED, BEFORE, [])


def test_each_trial_that_fails_makes_the_next_pause_longer_and_an_answer_makes_it_short_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is parked for a day writes a row a minute or two, and not several a minute."""
    ticks = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: ticks[0])
    monkeypatch.setattr(circuit_breaker, "RESET_SECONDS", 15.0)
    monkeypatch.setattr("random.uniform", lambda low, high: 0.0)
    one = circuit_breaker.Breaker()

    def pauses(trials: int) -> list[float]:
        found = []
        for _ in range(trials):
            pause, trial = one.enter()
            assert pause and not trial
            found.append(pause)
            ticks[0] += pause
            assert one.enter() == (0.0, True)
            one.leave(failed=True, trial=True)
        return found

    for _ in range(circuit_breaker.FAILURES):
        one.leave(failed=True, trial=False)
    assert pauses(6) == [15.0, 30.0, 60.0, 120.0, 120.0, 120.0]
    ticks[0] += 120.0
    assert one.enter() == (0.0, True)
    one.leave(failed=False, trial=True)
    for _ in range(circuit_breaker.FAILURES):
        one.leave(failed=True, trial=False)
    assert pauses(2) == [15.0, 30.0]
