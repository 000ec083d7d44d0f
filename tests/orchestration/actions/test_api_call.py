"""What an answer, or none, means (rule 4)."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import httpcore2
import httpx2
import pytest
from pytest_django import Settings

from foundation.outbound import transport
from orchestration.actions.base import Call
from orchestration.core.enums import Outcome, Purpose
from orchestration.execution.perform import perform
from tests.support.peer import Peer
from tests.support.waiting import PATIENCE_SECONDS

Build = Callable[..., Call]


def post(call: Build, peer: Peer, **more: object) -> Call:
    return call(**{"type": "api_call", "method": "POST", "url": f"{peer.url}/things/a", **more})


@pytest.mark.parametrize(
    ("answer", "outcome", "maybe"),
    [(200, "succeeded", False), (201, "succeeded", False), (400, "failed", False), (404, "failed", False),
     (409, "failed", False), (408, "retryable", True), (425, "retryable", False), (429, "retryable", False),
     (500, "retryable", True), (503, "retryable", True), (301, "failed", False),
     (302, "failed", True), (303, "failed", True), (307, "failed", False), ("cut", "unknown", True)],
)  # fmt: skip
def test_answers(call: Build, peer: Peer, answer: int | str, outcome: str, maybe: bool) -> None:
    peer.behave("/things/a", answer)
    result = perform(post(call, peer))
    assert (result.outcome, result.maybe) == (outcome, maybe)


@pytest.mark.slow
def test_a_timeout_after_sending_is_unknown(call: Build, peer: Peer) -> None:
    peer.hold("POST", "/things/a")
    result = perform(post(call, peer, seconds=2))
    assert result.outcome is Outcome.UNKNOWN and "timed out" in result.error


@pytest.mark.slow
def test_an_answer_may_take_as_long_as_the_step_allows(call: Build, peer: Peer) -> None:
    """Longer than the 5 s that the library would give it."""
    assert transport.client().timeout == httpx2.Timeout(None)
    peer.delay["/things/a"] = 5.5
    assert perform(post(call, peer, seconds=PATIENCE_SECONDS)).outcome is Outcome.SUCCEEDED


def test_a_client_with_limits_of_its_own_does_not_run_out_of_an_attempt_s_time(peer: Peer) -> None:
    """As a notice is sent by the thread of a worker that performed an action before."""
    transport.begin(0.0)
    with httpx2.Client(transport=transport.GuardedTransport(), timeout=5.0) as client:
        assert client.post(f"{peer.url}/things/a").status_code == 200
    with pytest.raises(httpcore2.TimeoutException, match="over"):
        transport.client().post(f"{peer.url}/things/a")


def test_a_refused_connection_was_not_acted_on(call: Build, settings: Settings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    settings.ZEN_OUTBOUND_ALLOW = ("127.0.0.1",)
    result = perform(call(type="api_call", url=f"http://127.0.0.1:{port}/"))
    assert (result.outcome, result.maybe) == (Outcome.RETRYABLE, False)


def test_the_expected_status_decides(call: Build, peer: Peer) -> None:
    peer.behave("/things/a", 404, 200)
    assert perform(post(call, peer, expected_status=[404])).outcome is Outcome.SUCCEEDED
    assert perform(post(call, peer, expected_status=201)).outcome is Outcome.FAILED


@pytest.mark.parametrize("status", [404, 410])
def test_deleting_what_is_gone_is_undone_already(call: Build, peer: Peer, status: int) -> None:
    peer.behave("/things/a", status, status)
    delete = {"method": "DELETE", "purpose": Purpose.UNDO}
    assert perform(post(call, peer, **delete)).outcome is Outcome.SUCCEEDED
    assert perform(post(call, peer, method="DELETE")).outcome is Outcome.FAILED


def test_an_answer_over_the_limit_is_a_failure_that_was_done(call: Build, peer: Peer, settings: Settings) -> None:
    settings.ZEN_MAX_OUTPUT_BYTES = 4
    result = perform(post(call, peer))
    assert (result.outcome, result.maybe, result.output) == (Outcome.FAILED, True, None)
    assert "ZEN_MAX_OUTPUT_BYTES" in result.error
    peer.behave("/things/a", 422)
    refused = perform(post(call, peer))
    assert (refused.outcome, refused.maybe) == (Outcome.FAILED, False) and "422" in refused.error
    assert perform(post(call, peer, purpose=Purpose.UNDO)).outcome is Outcome.SUCCEEDED


def test_a_probe_answers_for_an_unknown_outcome(call: Build, peer: Peer) -> None:
    probe = {"type": "api_call", "url": f"{peer.url}/things/a"}
    peer.behave("/things/a", "cut")
    assert perform(post(call, peer), probe=probe).output == {"id": "a"}
    peer.things.clear()
    peer.behave("/things/a", 500)
    result = perform(post(call, peer), probe=probe)
    assert (result.outcome, result.maybe, result.detail["probed"]) == (Outcome.RETRYABLE, False, True)


def test_what_a_probe_finds_has_to_match_the_schema_too(call: Build, peer: Peer) -> None:
    peer.behave("/things/a", "cut")
    probe = {"type": "api_call", "url": f"{peer.url}/things/a"}
    wanted: dict[str, Any] = {"properties": {"id": {"type": "integer"}}}
    result = perform(post(call, peer), probe=probe, output_schema=wanted)
    assert (result.outcome, result.maybe, result.output) == (Outcome.FAILED, True, {"id": "a"})
    assert "$.id" in result.error


@pytest.mark.slow
def test_a_process_s_first_attempt_has_all_its_time(call: Build, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read once for all requests takes a while on a busy machine."""
    transport.close()
    reading = httpcore2.default_ssl_context

    def slowly() -> ssl.SSLContext:
        time.sleep(3)
        return reading()

    monkeypatch.setattr(httpcore2, "default_ssl_context", slowly)
    assert perform(post(call, peer, seconds=3)).outcome is Outcome.SUCCEEDED
