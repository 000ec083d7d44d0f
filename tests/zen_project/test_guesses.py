"""Who guesses at passwords and tokens is told to wait; so is who asks too much. All of it is counted and audited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from foundation.api import limits
from foundation.clock import now
from foundation.models import ApiToken, AuditEvent
from tests.orchestration.api.test_runs import client_of
from zen_project.web.addresses import counted_as, seen_from

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def few(settings: Settings) -> Iterator[None]:
    limits.forget()
    settings.AXES_FAILURE_LIMIT = 5
    settings.ZEN_API_RATE_PER_TOKEN, settings.ZEN_API_RATE_PER_ADDRESS = 10, 15
    settings.ZEN_API_BAD_TOKENS_PER_ADDRESS = 4
    User.objects.create_superuser("ada", password="the right one")
    User.objects.create_superuser("bob", password="the right one")
    yield
    limits.forget()


def login(name: str = "ada", password: str = "wrong", address: str = "192.0.2.1", **headers: str) -> Any:
    form = {"username": name, "password": password}
    return Client().post("/admin/login/", form, REMOTE_ADDR=address, headers=headers or None)


def test_after_too_many_wrong_passwords_the_right_one_opens_nothing() -> None:
    assert [login().status_code for _ in range(25)] == [200] * 4 + [429] * 21
    shut = login(password="the right one")
    assert shut.status_code == 429 and shut["Retry-After"] == "600" and b"Too many attempts" in shut.content
    assert login("bob", "the right one", "192.0.2.2").status_code == 302
    with time_machine.travel(now() + timedelta(seconds=601)):
        assert login(password="the right one").status_code == 302


def test_one_account_is_guarded_from_all_addresses_and_one_address_from_all_accounts() -> None:
    for number in range(5):
        login(address=f"198.51.100.{number}")
    assert login(password="the right one", address="203.0.113.9").status_code == 429
    for number in range(5):
        login(f"nobody{number}", address="192.0.2.77")
    assert login("bob", "the right one", "192.0.2.77").status_code == 429
    assert login("bob", "the right one", "192.0.2.78").status_code == 302


def test_an_address_of_ones_own_making_does_not_count(settings: Settings) -> None:
    for number in range(5):
        login(f"x{number}", **{"X-Forwarded-For": f"198.51.100.{number}"})
    assert login("bob", "the right one").status_code == 429
    settings.ZEN_TRUSTED_PROXIES = ("192.0.2.1",)
    assert login("bob", "the right one", **{"X-Forwarded-For": "198.51.100.99"}).status_code == 302


def test_guesses_are_audited_and_a_shut_door_fills_no_audit() -> None:
    for _ in range(25):
        login()
    rows = AuditEvent.objects.filter(workflow_id="logins").order_by("seq")
    assert [row.action for row in rows] == ["login.failed"] * 4 + ["login.locked"]
    assert {(row.actor, row.door, row.data["address"]) for row in rows} == {("ada", "admin", "192.0.2.1")}
    assert "wrong" not in str([row.data for row in rows])


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("192.0.2.1", "", (), "192.0.2.1"),
        ("192.0.2.1", "8.8.8.8", (), "192.0.2.1"),
        ("10.0.0.1", "8.8.8.8", ("10.0.0.1",), "8.8.8.8"),
        ("10.0.0.1", "1.1.1.1, 8.8.8.8", ("10.0.0.0/8",), "8.8.8.8"),
        ("10.0.0.1", "1.1.1.1, 8.8.8.8, 10.0.0.2", ("10.0.0.0/8",), "8.8.8.8"),
        ("10.0.0.1", "10.9.9.9, 10.0.0.2", ("10.0.0.0/8",), "10.9.9.9"),
        ("10.0.0.1", "", ("10.0.0.1",), "10.0.0.1"),
        ("10.0.0.1", "nonsense", ("10.0.0.1",), "nonsense"),
        ("::ffff:10.0.0.1", "2001:db8::5", ("10.0.0.1",), "2001:db8::5"),
    ],
)
def test_whose_address_it_is(peer: str, forwarded: str, trusted: tuple[str, ...], address: str) -> None:
    assert seen_from(peer, forwarded, trusted) == address


def test_an_ipv6_machine_has_one_place() -> None:
    assert counted_as("2001:db8:1:2::1") == counted_as("2001:db8:1:2:ffff::9") != counted_as("2001:db8:1:3::1")


# --- the API ----------------------------------------------------------------------------------------------------------


def asked(client: Client, address: str, path: str = "/api/v1/runs/", **more: Any) -> Any:
    return client.get(path, REMOTE_ADDR=address, **more)


def test_a_token_has_a_limit_wherever_it_is_used() -> None:
    client = client_of("viewer")
    codes = [asked(client, f"192.0.2.{number}").status_code for number in range(12)]
    assert codes == [200] * 10 + [429] * 2
    answer = asked(client, "192.0.2.99")
    assert answer["Content-Type"] == "application/problem+json" and answer.json()["status"] == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    other = client_of("operator")
    assert asked(other, "192.0.2.99").status_code == 200


def test_an_address_has_a_limit_whoever_asks() -> None:
    clients = [client_of(role) for role in ("viewer", "operator", "approver")]
    codes = [asked(clients[number % 3], "192.0.2.5").status_code for number in range(18)]
    assert codes == [200] * 15 + [429] * 3
    assert asked(clients[0], "192.0.2.6").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/runs/", "/api/v1/approvals/", "/api/v1/runs/x/events/stream"])
def test_guesses_at_tokens_end_in_a_pause_and_the_right_one_has_to_wait_too(path: str) -> None:
    _, text = ApiToken.issue(User.objects.get(username="ada"))
    wrong = [{"authorization": f"Bearer {text[:-1]}{digit}"} for digit in "ghijkl"]
    codes = [asked(Client(), "192.0.2.8", path, headers=header).status_code for header in wrong]
    assert codes == [401] * 4 + [429] * 2
    right = {"authorization": f"Bearer {text}"}
    shut = asked(Client(), "192.0.2.8", path, headers=right)
    assert shut.status_code == 429 and int(shut["Retry-After"]) >= 1 and shut.json()["status"] == 429
    assert asked(Client(), "192.0.2.9", path, headers=right).status_code in (200, 404)
