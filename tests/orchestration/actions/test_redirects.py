"""Redirects: off unless asked for, judged hop by hop, without credentials elsewhere, never a repeated act unasked."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx2
import pytest
from pytest_django import Settings

from foundation.outbound.redirects import Ask, NotFollowed, onward
from foundation.outbound.retry_after import retry_after
from orchestration.actions.base import Call
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform
from tests.support.peer import Peer, serving

Build = Callable[..., Call]
SECRETIVE = {"Authorization": "Bearer x", "X-Api-Key": "y", "Cookie": "z=1", "Accept": "text/plain"}


@pytest.fixture
def other(peer: Peer, settings: Settings) -> Iterator[Peer]:
    """A second origin that may be called."""
    with serving() as running:
        settings.ZEN_OUTBOUND_ALLOW = (peer.address, running.address)
        yield running


def follow(call: Build, url: str, method: str = "GET", **more: Any) -> Call:
    return call(type="api_call", url=url, method=method, follow_redirects=True, **more)


@pytest.mark.parametrize("on", [False, None, "yes", 1])
def test_off_by_default_and_by_anything_but_true(call: Build, peer: Peer, on: object) -> None:
    peer.say("/from", 302, {"Location": "/to"})
    result = perform(call(type="api_call", url=f"{peer.url}/from", **({} if on is None else {"follow_redirects": on})))
    assert (result.outcome, result.detail["status"]) == (Outcome.FAILED, 302)
    assert [path for _, path, _ in peer.calls] == ["/from"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_get_goes_on_with_its_headers_inside_its_origin(call: Build, peer: Peer, status: int) -> None:
    peer.say("/from", status, {"Location": "../to?x=1#part"})
    peer.say("/to", 200, body=b'{"ok": true}')
    result = perform(follow(call, f"{peer.url}/from", headers=SECRETIVE))
    assert result.output == {"ok": True} and result.detail["redirects"] == [f"{peer.url}/to"]
    assert peer.seen[1].path == "/to?x=1"
    assert {name: peer.seen[1].headers[name.lower()] for name in SECRETIVE} == SECRETIVE


@pytest.mark.parametrize("status", [302, 307])
def test_credentials_stay_within_their_origin(call: Build, peer: Peer, other: Peer, status: int) -> None:
    peer.say("/from", status, {"Location": f"{other.url}/back", "Set-Cookie": "session=1"})
    other.say("/back", status, {"Location": f"{peer.url}/to"})
    peer.say("/to", 200)
    result = perform(follow(call, f"{peer.url}/from", headers=SECRETIVE, payload={"secret": 1}))
    assert result.outcome is Outcome.SUCCEEDED
    assert peer.seen[0].body == '{"secret":1}'
    for seen in (other.seen[0], peer.seen[1]):
        assert seen.body == "" and seen.headers["accept"] == "text/plain"
        assert not {"authorization", "x-api-key", "cookie", "idempotency-key", "content-type"} & seen.headers.keys()


def test_what_one_answer_sets_as_a_cookie_is_not_sent_by_the_next_call(call: Build, peer: Peer) -> None:
    peer.say("/set", 200, {"Set-Cookie": "session=1; Path=/"})
    perform(call(type="api_call", url=f"{peer.url}/set"))
    perform(call(type="api_call", url=f"{peer.url}/set"))
    assert "cookie" not in peer.seen[1].headers


@pytest.mark.parametrize("status", [307, 308])
def test_307_and_308_repeat_a_post_as_it_is_inside_its_origin(call: Build, peer: Peer, status: int) -> None:
    peer.say("/from", status, {"Location": "/things/a"})
    result = perform(follow(call, f"{peer.url}/from", "POST", payload={"n": 1}, headers=SECRETIVE))
    assert result.output == {"id": "a"} and set(peer.effects.values()) == {1}
    first, second = peer.seen
    assert (first.method, first.body, first.headers) == (second.method, second.body, second.headers)


@pytest.mark.parametrize("status", [307, 308])
def test_a_post_is_not_repeated_at_another_origin(call: Build, peer: Peer, other: Peer, status: int) -> None:
    peer.say("/from", status, {"Location": f"{other.url}/things/a"})
    result = perform(follow(call, f"{peer.url}/from", "POST", payload={"n": 1}))
    assert (result.outcome, result.maybe, other.seen) == (Outcome.FAILED, False, [])
    assert "another origin" in result.error


def test_303_asks_for_the_result_of_a_post(call: Build, peer: Peer) -> None:
    peer.say("/from", 303, {"Location": "/to"})
    peer.say("/to", 200, body=b'{"id": 5}')
    result = perform(follow(call, f"{peer.url}/from", "POST", payload={"n": 1}))
    assert result.output == {"id": 5} and [seen.method for seen in peer.seen] == ["POST", "GET"]
    assert peer.seen[1].body == "" and "content-type" not in peer.seen[1].headers


@pytest.mark.parametrize(("answer", "outcome"), [(404, "failed"), (503, "retryable"), (302, "failed")])
def test_a_post_that_303_confirmed_may_be_done_whatever_follows(
    call: Build, peer: Peer, answer: int, outcome: str
) -> None:
    peer.say("/from", 303, {"Location": "/to"})
    peer.say("/to", answer)
    result = perform(follow(call, f"{peer.url}/from", "POST"))
    assert (result.outcome, result.maybe) == (outcome, True)


@pytest.mark.parametrize(("status", "maybe"), [(301, False), (302, True)])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_301_and_302_do_not_say_what_to_do_with_a_post(
    call: Build, peer: Peer, status: int, maybe: bool, method: str
) -> None:
    peer.say("/from", status, {"Location": "/to"})
    result = perform(follow(call, f"{peer.url}/from", method))
    assert (result.outcome, result.maybe, len(peer.seen)) == (Outcome.FAILED, maybe, 1)
    assert "call the new address" in result.error


def test_a_status_that_is_expected_is_not_followed(call: Build, peer: Peer) -> None:
    peer.say("/from", 302, {"Location": "/to"})
    result = perform(follow(call, f"{peer.url}/from", "POST", expected_status=[302]))
    assert result.outcome is Outcome.SUCCEEDED and len(peer.seen) == 1


@pytest.mark.parametrize(
    ("location", "why"),
    [("", "no Location"), ("ftp://x/y", "plain http"), ("javascript:alert(1)", "Location"),
     ("http://user:pass@x/y", "plain http"), ("http://[::1", "no URL"), ("file:///etc/passwd", "Location")],
)  # fmt: skip
def test_a_location_that_is_none_ends_it(call: Build, peer: Peer, location: str, why: str) -> None:
    peer.say("/from", 302, {"Location": location})
    result = perform(follow(call, f"{peer.url}/from"))
    assert result.outcome is Outcome.FAILED and why in result.error


def test_https_is_not_left() -> None:
    ask = Ask(method="GET", url=httpx2.URL("https://a.example/x"), headers={})
    with pytest.raises(NotFollowed, match="https to http"):
        onward(ask, 302, "http://a.example/x")


def test_no_more_than_five_hops(call: Build, peer: Peer) -> None:
    peer.say("/loop", 302, {"Location": "/loop"})
    result = perform(follow(call, f"{peer.url}/loop"))
    assert result.outcome is Outcome.FAILED and len(peer.seen) == 6 and "more than 5" in result.error


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://127.0.0.1:9/",
     "http://localhost:9/", "http://2130706433:9/", "http://10.0.0.1/"],
)  # fmt: skip
def test_no_hop_leads_where_the_guard_would_not_let_go(call: Build, peer: Peer, target: str) -> None:
    peer.say("/from", 302, {"Location": target})
    result = perform(follow(call, f"{peer.url}/from"))
    assert (result.outcome, result.maybe) == (Outcome.FAILED, False)
    assert "metadata" in result.error or "not a public address" in result.error


def test_a_name_is_resolved_and_judged_again_at_each_origin(
    call: Build, peer: Peer, other: Peer, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The service's name points at the service first and at the metadata service when the redirect comes back to it."""
    settings.ZEN_OUTBOUND_ALLOW = ("127.0.0.1", "service.test")
    answers = {"service.test": ["127.0.0.1", "169.254.169.254"]}
    look_up = socket.getaddrinfo

    def rebinding(host: str, port: int, *rest: Any, **more: Any) -> Any:
        return look_up(answers[host].pop(0) if host in answers else host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    named = peer.url.replace("127.0.0.1", "service.test")
    elsewhere = other.url.replace("127.0.0.1", "service.test")
    peer.say("/from", 307, {"Location": f"{elsewhere}/things/a"})
    result = perform(follow(call, f"{named}/from"))
    assert result.outcome is Outcome.FAILED and "metadata address 169.254.169.254" in result.error
    assert (len(peer.seen), other.seen, answers["service.test"]) == (1, [], [])


@pytest.mark.slow
def test_all_hops_share_the_time_of_the_attempt(call: Build, peer: Peer) -> None:
    peer.say("/from", 302, {"Location": "/to"})
    peer.say("/to", 200)
    peer.hold("GET", "/to")
    result = perform(follow(call, f"{peer.url}/from", seconds=2))
    assert result.outcome is Outcome.UNKNOWN and "timed out" in result.error


# --- Retry-After -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), (" 0 ", 0), ("-1", None), ("1.5", 1.5), ("soon", None), ("", None), ("²", None),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("Wed, 99 Oct 2015 07:28:00 GMT", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": header}) == seconds
    assert retry_after({}) is None


def test_retry_after_as_a_date_to_come() -> None:
    due = datetime.now(UTC) + timedelta(seconds=100)
    assert 90 < (retry_after({"retry-after": format_datetime(due, usegmt=True)}) or 0) <= 100


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_date_is_one_of_the_answers_own_clock(hours: int) -> None:
    """A worker's clock, or the server's, may be wrong."""
    said = datetime.now(UTC) + timedelta(hours=hours)
    headers = {"date": format_datetime(said), "retry-after": format_datetime(said + timedelta(seconds=60))}
    assert retry_after(headers) == 60


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
@pytest.mark.parametrize(("header", "seconds"), [("30", 30), ("999999", 3600), ("9" * 400, 3600)])
def test_the_pause_that_is_asked_for_is_taken_up_to_an_hour(
    call: Build, peer: Peer, status: int, header: str, seconds: float
) -> None:
    peer.say("/x", status, {"Retry-After": header})
    result = perform(call(type="api_call", url=f"{peer.url}/x"))
    assert (result.outcome, result.retry_after) == (Outcome.RETRYABLE, seconds)


@pytest.mark.parametrize("host", ["xn--..x.example", "*.corp.xn--", "%00.xn--%"])
def test_a_host_that_cannot_be_read_is_said(call: Build, peer: Peer, host: str) -> None:
    result = perform(follow(call, f"http://{host}/"))
    assert (result.outcome, result.maybe) == (Outcome.FAILED, False) and "cannot be used" in result.error
    peer.say("/a", 302, {"Location": f"http://{host}/"})
    result = perform(follow(call, f"{peer.url}/a"))
    assert result.outcome is Outcome.UNKNOWN and result.error  # it was asked, and gave no answer that can be read
