"""What an action gives is stored as it is, or the attempt says why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from orchestration.actions.base import Call
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform
from tests.support.peer import Peer

Build = Callable[..., Call]
HANDLERS = "tests.orchestration.actions.handlers"


@pytest.fixture
def give(call: Build, settings: Settings) -> Callable[..., Any]:
    """Performs a task that gives back `value`, or what `make` makes."""
    settings.ZEN_TASKS = {name: f"{HANDLERS}.{name}" for name in ("give", "make")}
    return lambda **payload: perform(call(type="task", handler="give" if "value" in payload else "make", **payload))


def test_a_task_gives_back_json(give: Callable[..., Any]) -> None:
    assert give(value={"a": [1, None, "x"]}).output == {"a": [1, None, "x"]}
    assert give(value=3).output == {"result": 3}
    assert give(make="tuple").output == {"result": [1, 2]}
    assert give(make="nothing").output == {}


@pytest.mark.parametrize("what", ["set", "nan", "circle"])
def test_what_is_not_json_was_done_and_is_undone(give: Callable[..., Any], what: str) -> None:
    result = give(make=what)
    assert (result.outcome, result.maybe, result.output) == (Outcome.FAILED, True, None)
    assert "not JSON" in result.error


def test_a_task_over_the_limit_was_done_and_is_undone(give: Callable[..., Any], settings: Settings) -> None:
    settings.ZEN_MAX_OUTPUT_BYTES = 2000
    assert give(value="x" * 1900).outcome is Outcome.SUCCEEDED
    result = give(value="x" * 2000)
    assert (result.outcome, result.maybe, result.output) == (Outcome.FAILED, True, None)
    assert "2013 bytes" in result.error and "ZEN_MAX_OUTPUT_BYTES" in result.error


def test_an_output_near_the_limit_is_told_in_the_lines(
    give: Callable[..., Any], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ZEN_MAX_OUTPUT_BYTES = 2000
    give(value="x" * 1300)
    assert "ZEN_MAX_OUTPUT_BYTES" not in caplog.text
    give(value="x" * 1500)
    assert "1513 of at most 2000 bytes (ZEN_MAX_OUTPUT_BYTES)" in caplog.text


def test_an_output_that_is_too_deep_is_none(give: Callable[..., Any]) -> None:
    assert give(make="deep 90").outcome is Outcome.SUCCEEDED
    result = give(make="deep 200")
    assert (result.outcome, result.maybe) == (Outcome.FAILED, True) and "100 levels" in result.error


def test_a_long_error_is_shortened(give: Callable[..., Any]) -> None:
    result = give(make="long error")
    assert result.outcome is Outcome.UNKNOWN and len(result.error) == 4000


@pytest.mark.parametrize(
    ("body", "output"),
    [
        (b'{"a": "x\\u0000y", "\\ud800": 1}', {"a": "x\ufffdy", "\ufffd": 1}),
        (b"[1]", {"body": [1]}),
        (b"[" * 100_000, {"body": "[" * 100_000}),
        (b"", {}),
    ],
    ids=["unstorable", "list", "deep", "empty"],
)
def test_a_body_becomes_what_every_database_takes(call: Build, peer: Peer, body: bytes, output: Any) -> None:
    peer.say("/x", 200, body=body)
    assert perform(call(type="api_call", url=f"{peer.url}/x")).output == output


def test_a_refusal_with_a_nul_can_be_stored(call: Build, peer: Peer) -> None:
    peer.say("/x", 400, body=b"no \x00 way")
    assert "no \ufffd way" in perform(call(type="api_call", url=f"{peer.url}/x")).error


def test_a_script_gives_an_object_of_any_size_up_to_the_limit(call: Build, settings: Settings) -> None:
    settings.ZEN_SCRIPTS, settings.ZEN_MAX_OUTPUT_BYTES = "unsafe", 300_000
    text = """printf '{"a": "'; head -c %d /dev/zero | tr '\\0' x; printf '"}'"""
    whole = perform(call(type="script", script=text % 200_000))
    assert isinstance(whole.output, dict) and len(str(whole.output["a"])) == 200_000
    assert whole.detail["truncated"] is False
    over = perform(call(type="script", script=text % 300_000))
    assert (over.outcome, over.maybe, over.output) == (Outcome.FAILED, True, None)
    assert "ZEN_MAX_OUTPUT_BYTES" in over.error
