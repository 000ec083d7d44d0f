"""Which addresses may be called, and that the judged address is the one that is dialled."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import httpcore2
import pytest
from pytest_django import Settings

from foundation.outbound import transport
from foundation.outbound.address_guard import is_named, judge
from orchestration.actions.base import Call
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform
from tests.support.peer import Peer

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "240.0.0.1", "192.0.2.1",
    "255.255.255.255", "100.127.255.255", "172.31.255.255", "192.0.0.9", "192.0.0.170", "192.88.99.1", "198.19.0.1",
    "198.51.100.7", "203.0.113.7", "239.1.1.1", "0.1.2.3", "127.255.255.254",
    "::", "::127.0.0.1", "::10.0.0.1", "::ffff:0:127.0.0.1", "::ffff:127.0.0.1", "64:ff9b:1::7f00:1",
    "64:ff9b:1::808:808", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a9fe:101::1", "fec0::1", "febf::1", "fd12::1",
    "ff02::1", "100::1", "100:0:0:1::1", "2001:2::1", "2001:db8::1", "2001:10::1", "2001:20::1", "2001:1::1",
    "3fff::1", "3ffe::1", "5f00::1", "4000::1", "8000::1", "e000::1", "200::1",
    "2001:0:7f00:1::f7f7:f7f7", "2001:0:808:808::80ff:fffe",  # Teredo: its server, and who it stands for
    "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1", "fe80::5efe:8.8.8.8",
]  # fmt: skip
METADATA = [
    "169.254.169.254", "fd00:ec2::254", "168.63.129.16", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192", "fd20:ce::254", "::169.254.169.254",
    "::ffff:0:169.254.169.254", "2002:a9fe:a9fe::1", "64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00::",
    "64:ff9b:1:a9:fe:a9fe::", "64:ff9b:1:0:a9:fea9:fe00::", "2606:4700::5efe:169.254.169.254",
    "2001:0:808:808::5601:5601",
]  # fmt: skip
PUBLIC = [
    "93.184.216.34", "2606:2800:220:1::1", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.1", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.31.196.1", "192.52.193.1",
    "192.175.48.1", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888",
    "2003::1", "2620:4f:8000::1", "2a00::1", "3ffd::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1",
    "2001:0:808:808::f7f7:f7f7", "2606:4700::5efe:8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused_with_the_remedy(address: str) -> None:
    assert "ZEN_OUTBOUND_ALLOW=peer:80" in judge("peer", 80, [address], ())


@pytest.mark.parametrize("address", METADATA)
def test_a_metadata_address_is_never_allowed(address: str) -> None:
    assert "metadata" in judge("peer", 80, [address], ("peer", "0.0.0.0/0", "::/0", f"[{address}]", address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_passes(address: str) -> None:
    assert judge("peer", 443, [address], ()) == ""


def test_the_table_does_not_hang_on_what_this_python_takes_for_global(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (ipaddress.IPv4Address, ipaddress.IPv6Address):
        for name in ("is_global", "is_private", "is_reserved", "is_link_local", "is_site_local", "is_loopback"):
            monkeypatch.setattr(kind, name, property(lambda _: pytest.fail("asked the standard library")), False)
    assert not any(judge("peer", 443, [address], ()) for address in PUBLIC)
    assert all(judge("peer", 443, [address], ()) for address in PRIVATE + METADATA)


def test_every_answer_has_to_pass() -> None:
    assert "10.0.0.1" in judge("peer", 443, ["93.184.216.34", "10.0.0.1"], ())


@pytest.mark.parametrize(
    ("allow", "passes"),
    [("peer", True), ("peer:80", True), ("peer:81", False), ("other", False), ("10.0.0.0/8", True),
     ("10.0.0.1", True), ("10.0.0.1:80", True), ("10.0.0.2", False), ("PEER:80", True)],
)  # fmt: skip
def test_allowances(allow: str, passes: bool) -> None:
    assert (judge("peer", 80, ["10.0.0.1"], (allow,)) == "") is passes


@pytest.mark.parametrize(("host", "address"), [("::1", "::1"), ("peer", "10.0.0.1"), ("10.0.0.1", "10.0.0.1")])
def test_the_remedy_lets_it_pass(host: str, address: str) -> None:
    remedy = judge(host, 8080, [address], ()).rpartition("ZEN_OUTBOUND_ALLOW=")[2]
    assert judge(host, 8080, [address], (remedy,)) == "" and judge(host, 8081, [address], (remedy,))
    if host == address:  # a client that dials by itself is let through by the same words
        refused = transport.refused_unless_named(host, 8080)
        assert refused.endswith(remedy) and is_named(host, 8080, (remedy,))


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


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Callable[..., list[tuple[str, float]]]:
    """`peer.test` has these addresses; the list is what of them was dialled, with how many seconds."""
    inner, found = httpcore2.SyncBackend.connect_tcp, socket.getaddrinfo

    def have(*addresses: str, silent: tuple[str, ...] = ()) -> list[tuple[str, float]]:
        settings.ZEN_OUTBOUND_ALLOW = ("peer.test",)
        dialled: list[tuple[str, float]] = []

        def look_up(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
            if host != "peer.test":
                return found(host, port, *rest, **more)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        def dial(self: Any, host: str, port: int, timeout: float, *rest: Any) -> Any:
            dialled.append((host, timeout))
            if host in silent:
                raise httpcore2.ConnectTimeout("timed out")
            return inner(self, host, port, timeout, *rest)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", dial)
        return dialled

    return have


def test_a_host_s_next_address_is_dialled_where_one_takes_no_connection(
    call: Callable[..., Call], peer: Peer, named: Callable[..., list[tuple[str, float]]]
) -> None:
    """As `localhost` is ::1 and 127.0.0.1, of which a service may listen at one."""
    dialled = named("127.0.0.2", "127.0.0.3", "127.0.0.1", silent=("127.0.0.3",))
    url = peer.url.replace("127.0.0.1", "peer.test") + "/things/a"
    result = perform(call(type="api_call", method="POST", url=url, seconds=60.0))
    assert result.outcome is Outcome.SUCCEEDED and peer.methods("POST") == ["/things/a"]
    assert [address for address, _ in dialled] == ["127.0.0.2", "127.0.0.3", "127.0.0.1"]


def test_an_address_that_is_silent_leaves_time_for_the_next(
    call: Callable[..., Call], peer: Peer, named: Callable[..., list[tuple[str, float]]]
) -> None:
    dialled = named("127.0.0.3", "127.0.0.1", silent=("127.0.0.3",))
    url = peer.url.replace("127.0.0.1", "peer.test") + "/things/a"
    assert perform(call(type="api_call", url=url, method="POST", seconds=8.0)).outcome is Outcome.SUCCEEDED
    assert [seconds <= most for (_, seconds), most in zip(dialled, (4.0, 8.0), strict=True)] == [True, True]


def test_a_host_none_of_whose_addresses_takes_a_connection_was_not_called(
    call: Callable[..., Call], peer: Peer, named: Callable[..., list[tuple[str, float]]]
) -> None:
    dialled = named("127.0.0.2", "127.0.0.3", silent=("127.0.0.2", "127.0.0.3"))
    result = perform(call(type="api_call", method="POST", url=peer.url.replace("127.0.0.1", "peer.test") + "/x"))
    assert (result.outcome, result.maybe, len(dialled)) == (Outcome.RETRYABLE, False, 2)
    assert "before anything was sent" in result.error


def test_no_address_is_dialled_where_one_is_refused(
    call: Callable[..., Call], peer: Peer, named: Callable[..., list[tuple[str, float]]], settings: Settings
) -> None:
    dialled = named("127.0.0.1", "10.9.9.9")
    settings.ZEN_OUTBOUND_ALLOW = ("127.0.0.1",)
    result = perform(call(type="api_call", method="POST", url=peer.url.replace("127.0.0.1", "peer.test") + "/x"))
    assert (result.outcome, dialled) == (Outcome.FAILED, []) and "10.9.9.9" in result.error


def test_a_redirect_is_not_followed(call: Callable[..., Call], peer: Peer) -> None:
    peer.behave("/things/a", 302)
    result = perform(call(type="api_call", method="POST", url=f"{peer.url}/things/a"))
    assert (result.outcome, result.detail["status"]) == (Outcome.FAILED, 302)


def test_credentials_in_a_url_are_refused(call: Callable[..., Call], peer: Peer) -> None:
    result = perform(call(type="api_call", url=peer.url.replace("//", "//user:pass@")))
    assert result.outcome is Outcome.FAILED and "secret" in result.error
