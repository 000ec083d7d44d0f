"""A definition that comes in with a run, from somebody who may not publish, never becomes what a name stands for."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client

from foundation import audit
from foundation.clock import now
from foundation.db import statements
from foundation.errors import BadInput
from foundation.identity.actor import CONSOLE_ROLES, Actor
from foundation.models import ApiToken, AuditEvent
from orchestration.actions.base import Call
from orchestration.core.enums import Purpose, RunStatus, Verb
from orchestration.execution.child_run import child
from orchestration.models import Definition, Run
from orchestration.runs import act, check_definition, publish, start_run
from orchestration.runs.definitions.versions import definition_by_name
from tests.orchestration.api.test_runs import post
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
STARTER = Actor(name="ci", door="api", roles=frozenset({"operator"}), scopes=frozenset({"view", "run.start"}))


def saga(seconds: int, saga_id: str = "refund", *more: Any) -> dict[str, Any]:
    wait = {"step_id": "w", "forward_action": {"type": "wait", "seconds": seconds}}
    return {"saga_id": saga_id, "steps": [wait, *more]}


def inline(definition: dict[str, Any], actor: Actor = STARTER, **more: Any) -> Run:
    return start_run(definition=definition, actor=actor, engine="celery", **more)[0]


def client_with(*scopes: str) -> Client:
    user = User.objects.create_user("-".join(scopes) or "all")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    return Client(headers={"Authorization": f"Bearer {ApiToken.issue(user, scopes=scopes)[1]}"})


def test_a_start_by_name_never_runs_what_a_token_without_the_right_to_publish_brought_in() -> None:
    publish(data=saga(1), actor=ADA)
    mallory, admin = client_with("view", "run.start"), client_with()
    planted = post(mallory, "runs/", {"definition": saga(666), "engine": "celery", "workflow_id": "planted"})
    assert planted.status_code == 201 and planted.json()["definition_version"] == 0
    by_name = post(admin, "runs/", {"saga_id": "refund", "engine": "celery", "workflow_id": "named"}).json()
    assert by_name["definition_version"] == 1
    assert Run.objects.get(workflow_id="named").definition.body == check_definition(saga(1)).model_dump(
        mode="json", exclude_unset=True
    )
    for number in (0, 2):
        gone = post(admin, "runs/", {"saga_id": "refund", "version": number, "engine": "celery"})
        assert gone.status_code in (404, 422)
        assert admin.get(f"/api/v1/definitions/refund/versions/{number}/").status_code == 404
    assert [row["version"] for row in admin.get("/api/v1/definitions/").json()["results"]] == [1]
    assert definition_by_name("refund").version == 1


def test_a_name_that_only_came_in_with_runs_stands_for_nothing() -> None:
    inline(saga(5))
    with pytest.raises(BadInput, match="there is no saga"):
        definition_by_name("refund")
    assert post(client_with(), "runs/", {"saga_id": "refund"}).status_code == 404


def test_what_belongs_to_runs_is_kept_once_and_shown_with_its_run() -> None:
    first, second = inline(saga(5)), inline(saga(5))
    assert first.definition_id == second.definition_id and Definition.objects.count() == 1
    assert not first.definition.listed and str(first.definition).startswith("refund inline:")
    started = AuditEvent.objects.get(workflow_id=first.workflow_id, action="run.start")
    assert started.data["definition"] == str(first.definition)
    assert not AuditEvent.objects.filter(action="definition.publish").exists()


def test_publishing_the_same_content_lists_it_and_the_numbers_go_on() -> None:
    inline(saga(5))
    stored, new = publish(data=saga(5), actor=ADA)
    assert new and stored.version == 1 and stored.listed
    inline(saga(6))
    assert publish(data=saga(7), actor=ADA)[0].version == 2
    assert inline(saga(7)).definition.version == 2  # what is published is the same thing, whoever starts it


def test_whoever_may_publish_publishes_by_starting_and_the_audit_says_so() -> None:
    run = inline(saga(5), actor=ADA)
    assert run.definition.version == 1 and definition_by_name("refund") == run.definition
    row = AuditEvent.objects.get(action="definition.publish")
    assert (row.actor, row.data) == ("ada", {"definition": "refund v1"})
    inline(saga(5), actor=ADA)
    assert AuditEvent.objects.filter(action="definition.publish").count() == 1


def test_a_restart_by_an_administrator_publishes_nothing() -> None:
    run = inline(saga(5))
    Run.objects.filter(pk=run.pk).update(status=RunStatus.COMPLETED, finished_at=now())
    again = act(workflow_id=run.workflow_id, verb=Verb.RESTART, actor=ADA)
    assert again.pk != run.pk and again.definition_id == run.definition_id
    assert not Definition.objects.filter(listed=True).exists()


def test_a_child_in_place_belongs_to_its_run_whoever_started_the_parent() -> None:
    publish(data=saga(1), actor=ADA)
    kid: dict[str, Any] = {"step_id": "kid", "forward_action": {"type": "saga", "definition": saga(666)}}
    for actor in (ADA, STARTER):
        parent = inline(saga(1, f"outer-{actor.name}", kid), actor=actor)
        call = Call(
            workflow_id=parent.workflow_id, step_id="kid", purpose=Purpose.FORWARD, iteration=1, attempt=1,
            action=kid["forward_action"], timeout_seconds=5, idempotency_key="k",
        )  # fmt: skip
        assert child(call).deferred
        born = Run.objects.get(parent=parent)
        assert not born.definition.listed and born.definition.body["steps"][0]["forward_action"]["seconds"] == 666
    assert definition_by_name("refund").version == 1


def test_a_definition_of_a_run_closes_no_circle_of_published_ones() -> None:
    publish(data=saga(1, "a"), actor=ADA)
    inline(saga(1, "b", {"step_id": "kid", "forward_action": {"type": "saga", "definition": "a"}}))
    check_definition(saga(1, "a", {"step_id": "kid", "forward_action": {"type": "saga", "definition": "b"}}))


def test_rows_from_before_lose_their_name_only_where_nobody_had_to_be_allowed_to_publish() -> None:
    for number, (door, is_published) in enumerate(
        (("api", True), ("console", False), ("api", False), ("engine", False))
    ):
        name = f"refund v{number + 1}"
        row = Definition.objects.create(
            saga_id="refund", version=number + 1, hash=f"h{number}", body=saga(number), published_by="ada"
        )
        who = Actor(name="ada", door=door, roles=CONSOLE_ROLES)
        with statements.writing():
            if is_published:
                audit.record(actor=who, action="definition.publish", definition=name)
            Run.objects.create(workflow_id=f"r-{number}", engine="celery", definition=row, created_at=now())
            audit.record(actor=who, action="run.start", workflow_id=f"r-{number}", definition=name, engine="celery")
    migration = importlib.import_module("orchestration.migrations.0011_listed_definitions")
    editor = SimpleNamespace(connection=connection, execute=connection.cursor().execute)
    migration.unlist_what_nobody_published(apps, editor)
    listed = dict(Definition.objects.order_by("version").values_list("version", "listed"))
    assert listed == {1: True, 2: True, 3: False, 4: False}
    assert definition_by_name("refund").version == 2
    stored, new = publish(data=saga(9), actor=ADA)
    assert new and stored.version == 5  # no number is used twice
    inline(saga(10))
    inline_run = inline(saga(9, "other"))
    publish(data=saga(9, "other"), actor=ADA)
    migration.list_all(apps, editor)
    assert sorted(Definition.objects.filter(saga_id="refund").values_list("version", flat=True)) == [1, 2, 3, 4, 5, 6]
    inline_run.refresh_from_db()
    assert inline_run.definition.version == 1 and Definition.objects.filter(saga_id="other").count() == 1
