"""Which addresses may be called, and that the judged address is the one that is dialled."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import httpcore2
import pytest
from pytest_django import Settings

from orchestration.actions.base import Call
from orchestration.actions.guard import judge
from orchestration.actions.perform import perform
from orchestration.core.words import Outcome
from tests.peer import Peer

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "240.0.0.1", "192.0.2.1",
]  # fmt: skip
METADATA = ["169.254.169.254", "fd00:ec2::254", "168.63.129.16", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused_with_the_remedy(address: str) -> None:
    assert "ZEN_OUTBOUND_ALLOW=peer:80" in judge("peer", 80, [address], ())


@pytest.mark.parametrize("address", METADATA)
def test_a_metadata_address_is_never_allowed(address: str) -> None:
    assert "metadata" in judge("peer", 80, [address], ("peer", "0.0.0.0/0", "::/0", f"[{address}]", address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1"])
def test_a_public_address_passes(address: str) -> None:
    assert judge("peer", 443, [address], ()) == ""


def test_every_answer_has_to_pass() -> None:
    assert "10.0.0.1" in judge("peer", 443, ["93.184.216.34", "10.0.0.1"], ())


@pytest.mark.parametrize(
    ("allow", "passes"),
    [("peer", True), ("peer:80", True), ("peer:81", False), ("other", False), ("10.0.0.0/8", True),
     ("10.0.0.1", True), ("10.0.0.1:80", True), ("10.0.0.2", False), ("PEER:80", True)],
)  # fmt: skip
def test_allowances(allow: str, passes: bool) -> None:
    assert (judge("peer", 80, ["10.0.0.1"], (allow,)) == "") is passes


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "127.1"])
def test_no_spelling_of_loopback_gets_through(call: Callable[..., Call], settings: Settings, host: str) -> None:
    settings.ZEN_OUTBOUND_ALLOW = ()
    result = perform(call(type="api_call", url=f"http://{host}:9/"))
    assert result.outcome in (Outcome.FAILED, Outcome.RETRYABLE)
    assert not result.maybe


def test_the_judged_address_is_dialled_whatever_the_name_says_later(
    call: Callable[..., Call], peer: Peer, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """DNS rebinding: the second look-up would be private, and there is none."""
    settings.ZEN_OUTBOUND_ALLOW = ("127.0.0.1",)
    answers = ["127.0.0.1", "10.9.9.9"]
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    dialled: list[str] = []
    inner = httpcore2.SyncBackend.connect_tcp

    def dial(self: Any, host: str, *rest: Any) -> Any:
        dialled.append(host)
        monkeypatch.undo()
        return inner(self, host, *rest)

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", dial)
    result = perform(call(type="api_call", method="POST", url=peer.url.replace("127.0.0.1", "peer.test") + "/things/a"))
    assert (asked, dialled, result.outcome) == (["peer.test"], ["127.0.0.1"], Outcome.SUCCEEDED)


def test_a_redirect_is_not_followed(call: Callable[..., Call], peer: Peer) -> None:
    peer.behave("/things/a", 302)
    result = perform(call(type="api_call", method="POST", url=f"{peer.url}/things/a"))
    assert (result.outcome, result.detail["status"]) == (Outcome.FAILED, 302)


def test_credentials_in_a_url_are_refused(call: Callable[..., Call], peer: Peer) -> None:
    result = perform(call(type="api_call", url=peer.url.replace("//", "//user:pass@")))
    assert result.outcome is Outcome.FAILED and "secret" in result.error
