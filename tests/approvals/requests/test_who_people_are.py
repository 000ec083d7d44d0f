"""People are accounts: whatever they are called meanwhile, whoever asked is who asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from approvals.models import Request, Vote
from approvals.policies import principals
from approvals.policies.accounts_by_name import called, reading
from notifications.models import Delivery
from orchestration.core.enums import Verb
from orchestration.models import Definition, Run
from orchestration.runs import act, publish, start_run
from orchestration.runs.contributors import Contributor
from tests.approvals.api.test_requests import client_for
from tests.approvals.requests.test_gates_asked_anew import worked
from tests.orchestration.api.test_runs import post
from tests.system.contract.cast import account, actor
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
GROUP = {"type": "approval", "approvers": ["group:leads"]}
TWO_GATES = {
    "saga_id": "twogates",
    "steps": [
        {"step_id": "first", "forward_action": {"type": "approval", "approvers": ["ben"]}},
        {"step_id": "second", "dependencies": ["first"], "forward_action": GROUP},
    ],
}
ONE_GATE: dict[str, Any] = {
    "saga_id": "onegate",
    "context": {"amount": 1},
    "steps": [
        {"step_id": "gate", "forward_action": {**GROUP, "context": {"amount": "{amount}"}}},
    ],
}


def asked(client: Client, *approvers: str, **more: Any) -> Any:
    return post(client, "approvals/", {"stage": "x", "description": "d", "approvers": list(approvers), **more})


def decided(client: Client, request_id: str, decision: str = "approve", comment: str = "") -> Any:
    shown = client.get(f"/api/v1/approvals/{request_id}/").json()["content_hash"]
    body = {"decision": decision, "comment": comment, "seen": shown}
    return post(client, f"approvals/{request_id}/decide/", body)


def renamed(user: Any, name: str) -> None:
    User.objects.filter(pk=user.pk).update(username=name)


@pytest.mark.parametrize("name", ["elise", "Élise", "élise", "E\u0301lise", "\u0130rem", "Straße"])
def test_whoever_asks_decides_nothing_however_their_name_is_written(name: str) -> None:
    elise = client_for(account(name, "operator", "approver", email="asker@example.org"))
    account("ben")
    made = asked(elise, name, "ben").json()
    assert made["waiting_for"] == ["ben"]
    answer = decided(elise, made["request_id"])
    assert answer.status_code == 403 and "the requester, the author" in answer.content.decode()


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("Élise@example.org", "élise@example.org"),
        ("ben@example.org", "BEN+x@EXAMPLE.ORG"),
        ("x@bücher.example", "x@xn--bcher-kva.example"),
        ("x@xn--bcher-kva.example", "X@BÜCHER.example"),
        ("a.b@gmail.com", "ab+c@googlemail.com"),
        ("STRASSE@example.org", "straße@example.org"),
        ("ben@example.org", '"ben"@example.org'),
        ('"b.en+x"@gmail.com', "ben@googlemail.com"),
    ],
)
def test_nor_by_a_second_account_of_their_mailbox(own: str, other: str) -> None:
    first = client_for(account("one", "operator", "approver", email=own))
    second = client_for(account("two", "approver", email=other))
    account("ben")
    made = asked(first, "two", "ben").json()
    assert made["waiting_for"] == ["ben"]
    assert decided(second, made["request_id"]).status_code == 403
    assert not Vote.objects.exists()


def test_nor_by_an_address_that_either_account_got_since() -> None:
    one, two = account("one", "operator", "approver"), account("two")
    made = asked(client_for(one), "two").json()
    User.objects.filter(pk=one.pk).update(email="new@example.com")
    User.objects.filter(pk=two.pk).update(email="new+tag@example.com")
    assert decided(client_for(two), made["request_id"]).status_code == 403


def test_a_mailbox_is_one_voice_though_its_addresses_came_later() -> None:
    account("ann", "operator")
    ben, other = account("ben"), account("ben-2")
    made = asked(client_for(account("ann")), "ben", "ben-2", how_many=2).json()
    assert decided(client_for(ben), made["request_id"]).status_code == 200
    User.objects.filter(pk=other.pk).update(email="BEN+2@example.com")
    answer = decided(client_for(other), made["request_id"])
    assert answer.status_code == 409 and "decided already, with the same address" in answer.content.decode()


def test_whoever_asked_keeps_the_request_under_another_name() -> None:
    ann, ben = account("ann", "operator"), account("ben")
    first, second = (asked(client_for(ann), "ben", request_id=name).json()["request_id"] for name in ("a-1", "a-2"))
    renamed(ann, "ann-m")
    User.objects.filter(pk=ann.pk).update(email="ann-m@example.com")
    new = account("ann", "operator", email="new@example.com")
    Delivery.objects.all().delete()
    for verb, body in (("withdraw", {}), ("resubmit", {"description": "other"})):
        assert post(client_for(new), f"approvals/{first}/{verb}/", body).status_code == 403
    assert post(client_for(ann), f"approvals/{first}/withdraw/", {}).json()["status"] == "withdrawn"
    assert decided(client_for(ben), second, "reject", "no").status_code == 200
    told = Delivery.objects.filter(notice__kind="approval.decided").exclude(person_name="ben")
    assert {row.address for row in told} == {"ann-m@example.com"}


def test_the_lists_of_whoever_asked_are_by_account() -> None:
    ann = account("ann", "operator")
    account("ben")
    made = asked(client_for(ann), "ben").json()["request_id"]
    renamed(ann, "ann-m")
    new = account("ann", "operator", email="new@example.com")
    from approvals.queries.inbox import asked_by

    assert [str(one) for one in asked_by(ann)] == [made] and not asked_by(new).exists()
    assert Request.objects.get().requester == "ann"  # for reading: as it was then


def test_the_yes_of_another_of_that_name_is_not_ones_own() -> None:
    ann, ben = account("ann", "operator"), account("ben")
    made = asked(client_for(ann), "ben").json()["request_id"]
    assert decided(client_for(ben), made).status_code == 200
    renamed(ben, "ben-m")
    new = account("ben", email="new@example.com")
    assert post(client_for(new), f"approvals/{made}/revoke/", {}).status_code == 403
    assert post(client_for(ben), f"approvals/{made}/revoke/", {}).json()["status"] == "withdrawn"


def test_the_starter_of_a_run_stays_its_starter_under_another_name() -> None:
    ben, cleo = account("ben", "leads"), account("cleo", "operator", "approver", "leads")
    start_run(definition=TWO_GATES, actor=actor(cleo), engine="celery")
    worked()
    renamed(cleo, "cleo-m")
    new = account("cleo", "leads", email="new@example.com")
    assert decided(client_for(ben), Request.objects.get().request_id).status_code == 200
    worked()
    second = Request.objects.get(step_id="second")
    assert {seat.user for seat in second.seats.all()} == {ben, new}  # who has the name now has asked for nothing
    assert decided(client_for(cleo), str(second)).status_code == 403


@pytest.mark.parametrize("times", [1, 2])
def test_a_restart_keeps_whose_input_it_is(times: int) -> None:
    ben, cleo = account("ben", "leads"), account("cleo", "operator", "approver", "leads")
    root = account("root", "administrator", "leads")
    run, _ = start_run(definition=ONE_GATE, actor=actor(cleo), engine="celery", context={"amount": 9999})
    renamed(cleo, "cleo-m")
    for _ in range(times):
        worked()
        gate = Request.objects.get(about=run.workflow_id)
        assert decided(client_for(ben), str(gate), "reject", "no").status_code == 200
        worked()
        run = act(workflow_id=run.workflow_id, verb=Verb.RESTART, actor=actor(root))
    worked()
    gate = Request.objects.get(about=run.workflow_id)
    assert [seat.user for seat in gate.seats.all()] == [ben]
    assert gate.content["context"] == {"amount": 9999}
    assert decided(client_for(cleo), str(gate)).status_code == 403
    assert decided(client_for(root), str(gate)).status_code == 403  # who restarts it asks for it


@pytest.mark.parametrize("verb", [Verb.RETRY, Verb.RERUN])
def test_whoever_has_a_gate_asked_anew_does_not_decide_it(verb: Verb) -> None:
    """Not before it has been asked anew by somebody else."""
    ben, cleo = account("ben", "operator", "approver", "leads"), account("cleo", "leads")
    first = {"step_id": "first", "pivot": True, "forward_action": {"type": "approval", "approvers": ["cleo"]}}
    gate = {**ONE_GATE["steps"][0], "dependencies": ["first"]}
    saga = {**ONE_GATE, "steps": [first, gate]}
    run, _ = start_run(definition=saga, actor=actor(account("olga", "operator")), engine="celery")
    worked()
    decided(client_for(cleo), str(Request.objects.get()), "approve", "x")
    worked()
    word = "reject" if verb is Verb.RETRY else "approve"
    assert decided(client_for(cleo), str(Request.objects.get(step_id="gate")), word, "x").status_code == 200
    worked()
    act(workflow_id=run.workflow_id, verb=verb, actor=actor(ben), step_id="gate")
    User.objects.filter(pk=ben.pk).update(username="ben-m")
    worked()
    anew = Request.objects.latest("pk")
    assert [seat.user for seat in anew.seats.all()] == [cleo]
    assert decided(client_for(ben), str(anew)).status_code == 403


def test_one_mailbox_is_not_two_people() -> None:
    account("ben", email="ben@example.org"), account("ben-2", email="ben+second@example.org")
    ann = client_for(account("ann", "operator"))
    refused = asked(ann, "ben", "ben-2", how_many=2)
    assert refused.status_code == 422 and "one mailbox counts as one person" in refused.content.decode()
    both = asked(ann, "ben", "ben-2", how_many="all").json()["request_id"]
    assert decided(client_for(account("ben-2")), both).json()["status"] == "approved"  # all that there are
    account("cleo")
    made = asked(ann, "ben", "ben-2", "cleo", how_many=2).json()["request_id"]
    assert decided(client_for(account("ben")), made).status_code == 200
    second = decided(client_for(account("ben-2")), made)
    assert second.status_code == 409 and "ben has decided already, with the same address" in second.content.decode()
    assert decided(client_for(account("cleo")), made).json()["status"] == "approved"


def test_whoever_published_it_under_an_earlier_name_decides_nothing() -> None:
    ben, pia = account("ben", "leads"), account("pia", "operator", "approver", "leads")
    publish(data=ONE_GATE, actor=actor(pia))
    renamed(pia, "pia-m")
    start_run(definition=ONE_GATE, actor=actor(account("olga", "operator")), engine="celery")
    worked()
    assert [seat.user for seat in Request.objects.get().seats.all()] == [ben]


def test_an_agent_asks_for_its_owner_whatever_they_are_called() -> None:
    ann, bot = account("ann", "approver"), account("bot", "operator")
    account("ben", "leads")
    ann.groups.add(*account("ben").groups.filter(name="leads"))
    client = client_for(bot, agent=True, owner=ann)
    answer = post(client, "runs/", {"definition": ONE_GATE, "engine": "celery"})
    renamed(ann, "ann-m")
    worked()
    assert [str(seat.user) for seat in Request.objects.get().seats.all()] == ["ben"], answer.content
    assert Run.objects.get(kind="saga").created_for_id == ann.pk


def test_the_ids_are_kept_beside_the_names() -> None:
    cleo = account("cleo", "operator")
    account("ben", "leads")
    run, _ = start_run(definition=ONE_GATE, actor=actor(cleo), engine="celery")
    assert (run.created_by, Run.objects.get().created_by_id) == ("cleo", cleo.pk)
    assert Definition.objects.get().published_by_id == cleo.pk
    start_run(definition={**ONE_GATE, "saga_id": "other"}, actor=ADA, engine="celery")
    assert Run.objects.get(created_by="ada").created_by_id is None


def test_the_id_of_a_deleted_account_is_never_given_again() -> None:
    last = account("gone")
    pk = last.pk
    last.delete()
    assert account("next").pk > pk
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'auth_user'")
            assert "AUTOINCREMENT" in cursor.fetchone()[0]
    assert f"user:{pk}" in principals.ids_of([Contributor(pk, "gone")])


def test_the_database_finds_every_account_that_python_takes_for_the_same() -> None:
    for number, name in enumerate(["INGO", "\u0131ngo", "Ìngo", "ÌNGO", "ingo2", "\uff29ngo"]):
        User.objects.create(username=name, email=f"{name}+{number}@example.org")
    assert [user.username for user in called(["ingo"])] == ["INGO", "\uff29ngo"]
    assert [user.username for user in called(["ìNGO"])] == ["Ìngo", "ÌNGO"]
    assert [user.username for user in reading({"ingo@example.org"})] == ["INGO", "\uff29ngo"]
    assert called([""]) == [] and reading([]) == []
    assert principals.account_of("INGO+0@EXAMPLE.org").username == "INGO"
    assert principals.account_of("ingo@example.org") is None  # their own tag is missing
