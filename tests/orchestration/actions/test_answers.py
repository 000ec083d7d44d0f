"""What of an answer is kept, and what `retry_on`, `fail_on` and `until` make of it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from foundation.outbound.retry_after import retry_after
from orchestration.actions import conditions
from orchestration.actions.base import Call, Result
from orchestration.core.enums import Outcome, Purpose
from orchestration.core.templates import Scope, render_action
from orchestration.execution.perform import perform
from tests.support.peer import Peer

Build = Callable[..., Call]
Answers = Callable[..., Result]
BYTES = bytes(range(256))
NAME = '{"name":"Müller"}'


@pytest.fixture
def answers(call: Build, peer: Peer) -> Answers:
    """Performs a call whose answer has this status, type and body."""

    def go(status: int = 200, kind: str = "", body: bytes = b"", *, method: str = "GET", **action: Any) -> Result:
        headers = action.pop("said", {}) | ({"Content-Type": kind} if kind else {})
        peer.say("/x", status, headers, body)
        return perform(call(**{"type": "api_call", "method": method, "url": f"{peer.url}/x", **action}))

    return go


@pytest.mark.parametrize(
    ("kind", "body", "output"),
    [
        ("text/plain; charset=ISO-8859-1", "Müller Straße".encode("latin-1"), {"body": "Müller Straße"}),
        ("application/json; charset=ISO-8859-1", NAME.encode("latin-1"), {"name": "Müller"}),
        ("application/json; charset=utf-16", NAME.encode("utf-16"), {"name": "Müller"}),
        ("application/json", NAME.encode("utf-16"), {"name": "Müller"}),
        ("application/json", NAME.encode("utf-16-le"), {"name": "Müller"}),
        ("application/json", f"\ufeff{NAME}".encode(), {"name": "Müller"}),
        ("application/hal+json;charset=\"utf-8\"", NAME.encode(), {"name": "Müller"}),
        ("text/csv; charset=windows-1252", "5 €".encode("cp1252"), {"body": "5 €"}),
        ("text/plain; charset=nonsense", "ü".encode(), {"body": "ü"}),
        ("text/plain; charset=idna", b"xn--mller-kva", {"body": "xn--mller-kva"}),
        ("image/svg+xml", b"<svg/>", {"body": "<svg/>"}),
        ("application/octet-stream", b'{"a": 1}', {"a": 1}),
        ("application/octet-stream", b"plain", {"body": "plain"}),
        ("text/html", b"<p>", {"body": "<p>"}),
        ("", b"OK / fine", {"body": "OK / fine"}),
        ("", b"42", {"body": 42}),
        ("text/plain", b"42\n", {"body": 42}),
        ("text/plain", b"12e4", {"body": "12e4"}),
        ("text/csv", b"10.50", {"body": "10.50"}),
        ("", b"-0", {"body": "-0"}),
        ("text/plain", b"1e999", {"body": "1e999"}),
        ("text/plain", b"12345678901234567890.123", {"body": "12345678901234567890.123"}),
        ("text/plain", b"7615917337495251231", {"body": 7615917337495251231}),
        ("application/json", b"12e4", {"body": 120000.0}),
        ("text/plain", b"[NaN]", {"body": "[NaN]"}),
        ("application/json", b"not JSON", {"body": "not JSON"}),
    ],
)  # fmt: skip
def test_texts_in_every_charset(answers: Answers, kind: str, body: bytes, output: dict[str, Any]) -> None:
    """Case sagas/06."""
    result = answers(kind=kind, body=body)
    assert (result.outcome, result.output) == (Outcome.SUCCEEDED, output)


@pytest.mark.parametrize(
    ("kind", "body", "kept"),
    [
        ("application/pdf", BYTES, "application/pdf"),
        ("application/pdf", b"%PDF all ASCII", "application/pdf"),
        ("application/octet-stream", BYTES, "application/octet-stream"),
        ("image/png", b"{}", "image/png"),
        ("text/plain", "Müller".encode("latin-1"), "text/plain"),
        ("text/plain; charset=utf-8", b"\xff\xfe\xfd", "text/plain; charset=utf-8"),
        ("", b"\x00\x01", "application/octet-stream"),
        ("application/x-odd", b"\xff\xfea\x00", "application/x-odd"),
        ("no type", b"\xff\xff", "application/octet-stream"),
    ],
)
def test_bytes_are_kept_and_go_out_again(
    answers: Answers, call: Build, peer: Peer, kind: str, body: bytes, kept: str
) -> None:
    """Case sagas/06: no byte is changed, wherever the body is put."""
    output = answers(kind=kind, body=body).output
    assert output == {"body": {"base64": base64.b64encode(body).decode(), "type": kept}}
    scope = Scope(upstream=({"pdf": output},))
    for where in ({"payload": "{pdf.body}"}, {"body": "{pdf.body}"}, {"body": {"base64": "{pdf.body.base64}"}}):
        action: dict[str, Any] = {"type": "api_call", "method": "PUT", "url": f"{peer.url}/up", **where}
        peer.say("/up", 200)
        perform(call(**render_action(action, scope)))
        assert hashlib.sha256(peer.seen[-1].raw).digest() == hashlib.sha256(body).digest()
        if where.keys() != {"body"} or isinstance(where["body"], str):
            assert peer.seen[-1].headers["content-type"] == kept


def test_a_mapping_of_the_author_is_json_whatever_its_keys(call: Build, peer: Peer) -> None:
    action: dict[str, Any] = {"type": "api_call", "url": f"{peer.url}/up", "payload": {"base64": "AAEC", "type": "a/b"}}
    assert render_action(action, Scope())["payload"] == action["payload"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", b'{"id": 1, "e": 1e400}'), ("application/json", b"NaN"), ("", b'{"a": -Infinity}'),
     ("application/json", b"[1, NaN]"), ("application/problem+json", b"-1e999")],
)  # fmt: skip
def test_a_number_that_json_does_not_know_is_said(answers: Answers, kind: str, body: bytes) -> None:
    result = answers(kind=kind, body=body, method="POST")
    assert (result.outcome, result.maybe, result.output) == (Outcome.FAILED, True, None)
    assert "a number that JSON does not know" in result.error and "POST http" in result.error
    assert answers(kind=kind, body=body, method="DELETE", purpose=Purpose.UNDO).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("kind", ["application/json", "application/hal+json", ""])
def test_an_integer_of_thousands_of_digits_does_not_make_a_text_of_its_object(answers: Answers, kind: str) -> None:
    body = b'{"id": 7, "n": ' + b"9" * 5000 + b"}"
    result = answers(200, kind, body, method="POST")
    assert (result.outcome, result.maybe) == (Outcome.FAILED, True)
    assert "an integer in it is a number of more than 4300 digits" in result.error
    assert answers(200, "text/plain", b"9" * 5000).output == {"body": "9" * 5000}


def test_the_headers_that_are_kept(answers: Answers, settings: Settings) -> None:
    settings.ZEN_SECRETS = {"KEY": "s3cret-value"}
    said = {
        "Location": "/orders/77", "ETag": '"abc"', "Set-Cookie": "sid=1", "Proxy-Authenticate": "Basic",
        "WWW-Authenticate": "Basic", "X-Long": "x" * 5000, "X-Echo": "s3cret-value", "X-Zen": "a",
    }  # fmt: skip
    kept = answers(said=said).detail["headers"]
    assert isinstance(kept, dict)
    assert {name: kept.get(name) for name in ("location", "etag", "x-echo", "x-zen")} == {
        "location": "/orders/77", "etag": '"abc"', "x-echo": "[redacted]", "x-zen": "a",
    }  # fmt: skip
    assert not {"set-cookie", "proxy-authenticate", "www-authenticate", "x-long"} & kept.keys()


@pytest.mark.parametrize(
    ("action", "status", "body", "outcome", "maybe"),
    [
        ({"retry_on": [409, 423]}, 409, b"", "retryable", False),
        ({"retry_on": 404}, 404, b"", "retryable", False),
        ({"retry_on": "status == 409 && body.code == 'LOCKED'"}, 409, b'{"code": "LOCKED"}', "retryable", False),
        ({"retry_on": "status == 409 && body.code == 'LOCKED'"}, 409, b'{"code": "GONE"}', "failed", False),
        ({"retry_on": "status == 409 && body.code == 'LOCKED'"}, 409, b"text", "failed", False),
        ({"retry_on": [202]}, 202, b"", "retryable", True),
        ({"retry_on": [202], "method": "GET"}, 202, b"", "retryable", False),
        ({"fail_on": "body.ok == false"}, 200, b'{"ok": false}', "failed", False),
        ({"fail_on": "body.ok == false"}, 200, b'{"ok": true}', "succeeded", False),
        ({"fail_on": "body.exists(e, e.level == 'fatal')"}, 200, b'[{"level": "fatal"}]', "failed", False),
        ({"fail_on": "body == null"}, 200, b"", "failed", False),
        ({"fail_on": "body == 'no'"}, 200, b"no", "failed", False),
        ({"fail_on": "headers['x-state'] == 'bad'"}, 200, b"", "failed", False),
        ({"fail_on": [503]}, 503, b"", "failed", True),
        ({"fail_on": [409], "retry_on": [409]}, 409, b"", "failed", False),
        ({"fail_on": "body.n > 10", "method": "GET"}, 200, b'{"n": 123456789012345678901234567890}', "failed", False),
    ],
)  # fmt: skip
def test_answers_that_are_tried_again_or_fail(
    answers: Answers, action: dict[str, Any], status: int, body: bytes, outcome: str, maybe: bool
) -> None:
    result = answers(status, "", body, **{"method": "POST", "said": {"X-State": "bad"}, **action})
    assert (result.outcome, result.maybe) == (outcome, maybe)


def test_a_retry_after_of_what_is_tried_again(answers: Answers) -> None:
    assert answers(409, said={"Retry-After": "7"}, retry_on=[409]).retry_after == 7
    assert answers(409, said={"Retry-After": "7"}).retry_after is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("0.493", 0.493), ("2.0", 2.0), ("7", 7.0), ("3.", 3.0), ("nan", None), ("inf", None), ("-5", None), ("1e9", None),
     ("٣", None), ("7s", None), ("7, 9", None), (".", None), ("", None)],
)  # fmt: skip
def test_a_retry_after_may_have_a_fraction(said: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": said}) == seconds


@pytest.mark.parametrize(
    ("until", "status", "outcome", "more"),
    [
        ("status == 200", 202, "parked", {}),
        ("status == 200", 202, "parked", {"expected_status": 200}),
        ("status == 200", 200, "succeeded", {"expected_status": 200}),
        ("status == 200", 409, "parked", {}),
        ("status == 200", 404, "parked", {}),
        ("status == 200", 401, "failed", {}),
        ("status == 200", 400, "failed", {}),
        ("status == 200", 403, "parked", {"expected_status": [200, 403]}),
        ("status == 200", 503, "retryable", {}),
        ("status == 200", 409, "retryable", {"retry_on": [409]}),
        ("status == 200", 409, "failed", {"fail_on": [409]}),
        ("status == 404", 404, "succeeded", {}),
        ("status == 404", 404, "failed", {"expected_status": 200}),
        ("body.state == 'DONE'", 200, "parked", {}),
    ],
)
def test_an_until_waits_for_an_answer(
    answers: Answers, until: str, status: int, outcome: str, more: dict[str, Any]
) -> None:
    result = answers(status, until=until, **more)
    assert result.outcome == outcome
    if outcome == "parked":
        assert result.retry_after == 5 and not result.maybe and "`until` does not hold yet" in result.error


def test_the_pause_of_an_until(answers: Answers) -> None:
    assert answers(202, until="status == 200", every_seconds=1, seconds=60.0).retry_after == 1
    said = {"Retry-After": "9"}
    assert answers(202, until="status == 200", every_seconds=1, seconds=60.0, said=said).retry_after == 9


def test_a_repeated_post_may_have_acted(answers: Answers) -> None:
    assert answers(202, method="POST", until="status == 200").maybe
    assert not answers(409, method="POST", until="status == 200").maybe


def test_an_until_ends_with_the_step_s_time(answers: Answers) -> None:
    result = answers(202, "", b"still", until="status == 200", seconds=4.0)
    assert (result.outcome, result.maybe) == (Outcome.FAILED, False)
    assert "`until` did not hold within the step's 4 s" in result.error and "still" in result.error
    assert answers(202, until="status == 200", seconds=4.0, method="POST").maybe


def test_a_condition_looks_at_a_body_of_some_size(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "MOST_BODY_BYTES", 10)
    body = b'{"state": "DONE"}'
    assert answers(200, "", body, fail_on="body.state == 'DONE'").outcome is Outcome.SUCCEEDED
    result = answers(200, "", body, until="body.state == 'DONE'")
    assert result.outcome is Outcome.FAILED and "cannot be asked" in result.error


@pytest.mark.parametrize("levels", [90, 900, 5000])
@pytest.mark.parametrize("key", ["retry_on", "fail_on"])
def test_a_condition_does_not_hold_of_a_body_that_is_nested_too_deeply(answers: Answers, key: str, levels: int) -> None:
    body = b"[" * levels + b"]" * levels
    result = answers(200, "application/json", body, method="POST", **{key: "body.x == 1"})
    assert result.outcome in (Outcome.SUCCEEDED, Outcome.FAILED) and f"({key})" not in result.error
