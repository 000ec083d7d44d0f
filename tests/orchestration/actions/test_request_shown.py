"""Each attempt keeps what it asked, bounded and without secrets, and of a refusal what its error has no room for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from foundation.outbound import transport
from orchestration.actions.base import Call, Result
from orchestration.actions.request_shown import request_shown
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform
from tests.support.peer import Peer

Build = Callable[..., Call]
PLAIN, KNOWN = "hunter2-plain", "s3cr3t-of-the-site"


@pytest.fixture(autouse=True)
def known(settings: Settings) -> None:
    settings.ZEN_SECRETS = {"KEY": KNOWN}


def request_of(result: Result) -> dict[str, Any]:
    found: Any = result.detail["request"]
    return dict(found)


def test_what_was_asked_is_kept_with_its_references(call: Build, peer: Peer) -> None:
    peer.say("/x", 201, {}, b'{"id": 7}')
    result = perform(
        call(
            type="api_call", method="POST", url=f"{peer.url}/x?a=1", query={"key": "{secret:KEY}", "page": 2},
            headers={"X-Trace": "t-1"}, auth={"bearer": "{secret:KEY}"}, payload={"amount": 3, "note": "für"},
        )
    )  # fmt: skip
    assert result.outcome is Outcome.SUCCEEDED
    assert request_of(result) == {
        "method": "POST", "url": f"{peer.url}/x?a=1&key={{secret:KEY}}&page=2",
        "headers": {"X-Trace": "t-1", "Authorization": "Bearer {secret:KEY}", "Idempotency-Key": "w:s:forward:1"},
        "body": '{"amount": 3, "note": "für"}',
    }  # fmt: skip
    assert "body" not in result.detail, "it is the output"


HOSTILE: list[dict[str, Any]] = [
    {"query": {"token": PLAIN}}, {"query": {"q": KNOWN}}, {"headers": {"X-Api-Key": PLAIN}},
    {"headers": {"X-Any": KNOWN}}, {"payload": f"password={PLAIN}&a=b"},
    {"headers": {"Cookie": f"sid={PLAIN}"}}, {"auth": {"basic": ["ada", PLAIN]}}, {"auth": {"bearer": KNOWN}},
    {"payload": {"user": {"password": PLAIN}}}, {"payload": {"deep": [{"a": KNOWN}]}},
    {"form": {"client_secret": PLAIN}}, {"form": {"a": KNOWN}}, {"body": f'{{"access_token": "{PLAIN}"}}'},
    {"body": {"text": f"x {KNOWN}", "type": "text/plain"}}, {"multipart": [{"name": "f", "value": KNOWN}]},
    {"payload": {"a": "x" * 1990 + KNOWN}}, {"payload": {KNOWN: 1}},
]  # fmt: skip


@pytest.mark.parametrize("status", [200, 422, 503])
def test_secrets_are_in_no_place_of_it(call: Build, peer: Peer, status: int) -> None:
    told = json.dumps({"token": PLAIN, "echo": KNOWN, "more": "y" * 600}).encode()
    for number, given in enumerate(HOSTILE):
        path = f"/x{number}"  # each has a breaker of its own
        peer.say(path, status, {"Location": f"/y?token={PLAIN}", "X-Echo": KNOWN}, told)
        result = perform(call(type="api_call", method="POST", url=f"{peer.url}{path}", **given))
        assert result.detail["status"] == status, given
        kept = repr(dict(result.detail) | {"headers": {}}) + result.error
        assert KNOWN not in repr(result) and PLAIN not in kept, given
        assert len(request_of(result)["body"]) <= 2000


def test_a_url_with_credentials_is_refused_and_not_shown(call: Build, peer: Peer) -> None:
    result = perform(call(type="api_call", url=f"http://ada:{PLAIN}@{peer.address}/x"))
    assert result.outcome is Outcome.FAILED and PLAIN not in repr(result)
    assert request_of(result)["url"] == f"http://{peer.address}/x"


def test_an_error_names_what_was_called(call: Build, peer: Peer, settings: Settings) -> None:
    peer.say("/x", 503, {}, b"out of stock")
    error = perform(call(type="api_call", method="POST", url=f"{peer.url}/x?token={PLAIN}&a=1")).error
    assert error == f"POST {peer.url}/x?token=[redacted]&a=1 answered 503: out of stock"
    settings.ZEN_OUTBOUND_ALLOW = ()
    transport.close()
    error = perform(call(type="api_call", method="PUT", url=f"{peer.url}/x", query={"a": 1})).error
    assert error.startswith(f"PUT {peer.url}/x?a=1: ")


def test_a_long_refusal_is_kept_once(call: Build, peer: Peer) -> None:
    peer.say("/short", 422, {}, b"no")
    assert "body" not in perform(call(type="api_call", url=f"{peer.url}/short")).detail, "the error has all of it"
    peer.say("/long", 422, {}, b"no " * 5000)
    body = str(perform(call(type="api_call", url=f"{peer.url}/long")).detail["body"])
    assert body.startswith("no no no") and len(body) == 2000


def test_other_actions(call: Build) -> None:
    assert request_shown({"type": "task", "handler": "pay", "amount": 3, "pin": "1234"}, "k") == {
        "handler": "pay", "body": '{"amount": 3, "pin": "[redacted]"}',
    }  # fmt: skip
    assert request_shown({"type": "script", "script": "echo hi"}, "k") == {"body": "echo hi"}
    assert request_shown({"type": "wait", "until": "x"}, "k") is None
