"""Each verb over the admin, for each role: shown, previewed, done, or nothing of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from foundation.models import AuditEvent
from orchestration.core.enums import Verb
from orchestration.models import Run
from tests.orchestration.admin import scenes
from tests.orchestration.admin.visitor import person
from tests.support.peer import Peer
from tests.system.contract.hosts import until

ROLES = ("viewer", "operator", "approver", "administrator")
OPERATORS = {"operator", "administrator"}
Scene = Callable[[Peer, str], Run]

TABLE: dict[Verb, tuple[Scene, str, set[str], dict[str, str]]] = {
    Verb.HOLD: (scenes.waiting, "", OPERATORS, {}),
    Verb.RELEASE: (scenes.held, "", OPERATORS, {}),
    Verb.ABORT: (scenes.waiting, "", OPERATORS, {}),
    Verb.RETRY: (scenes.blocked, "ship", OPERATORS, {}),
    Verb.RERUN: (scenes.completed, "ship", OPERATORS, {}),
    Verb.SKIP: (scenes.waiting, "cool", OPERATORS, {}),
    Verb.RESOLVE: (scenes.needing_attention, "charge", OPERATORS, {"answer": "accept-loss", "note": "gone"}),
    Verb.RESTART: (scenes.completed, "", OPERATORS, {}),
    Verb.FORCE_STOP: (scenes.waiting, "", {"administrator"}, {}),
}


@pytest.mark.parametrize("verb", Verb)
def test_a_verb_is_for_its_roles(verb: Verb, engine: str, peer: Peer) -> None:
    scene, step_id, allowed, form = TABLE[verb]
    for role in ROLES:
        run, client = scene(peer, f"{verb}-{role}"), Client()
        client.force_login(person(role))
        page = f"/admin/orchestration/run/{run.pk}/"
        address = f"{page}act/{verb}/" + (f"?step_id={step_id}" if step_id else "")
        shown = client.get(f"{page}change/").content.decode()
        assert (f'href="{address}"' in shown) == (role in allowed), role
        preview = client.get(address).content.decode()
        assert "This would happen" in preview, role
        assert ("<textarea" in preview) == (role in allowed), role
        status = Run.objects.get(pk=run.pk).status
        assert client.post(address, form).status_code == 302
        word = "run.start" if verb is Verb.RESTART else f"run.{verb}"
        audited = AuditEvent.objects.filter(actor=role, door="admin").values_list("action", flat=True)
        assert list(audited) == ([word] if role in allowed else []), role
        assert role in allowed or Run.objects.get(pk=run.pk).status == status
        until(run, lambda found: not found.commands.filter(kind="run_action").exclude(status="done").exists())


def rerun(*step_ids: str) -> set[str]:
    return {f"rerun {step_id}" for step_id in step_ids}


LEGAL: list[tuple[Scene, set[str]]] = [
    (scenes.waiting, {"hold", "abort", "force-stop", "skip cool", "skip ship"}),
    (scenes.held, {"release", "abort", "force-stop", "skip cool", "skip ship", *rerun("reserve", "charge", "cool")}),
    (scenes.blocked, {"force-stop", "retry ship", "skip ship", *rerun("reserve", "charge", "ship")}),
    (scenes.needing_attention, {"force-stop", "resolve charge"}),
    (scenes.rolled_back, {"restart"}),
]


@pytest.mark.parametrize(("scene", "verbs"), LEGAL)
def test_only_what_is_legal_now_is_shown(scene: Scene, verbs: set[str], engine: str, peer: Peer) -> None:
    run, client = scene(peer, "legal"), Client()
    client.force_login(person("administrator"))
    shown = client.get(f"/admin/orchestration/run/{run.pk}/change/").content.decode()
    links = re.findall(rf'/run/{run.pk}/act/([a-z-]+)/(?:\?step_id=(\w+))?"', shown)
    assert {f"{verb} {step_id}".strip() for verb, step_id in links} == verbs


def test_nothing_is_for_staff_without_a_role(engine: str, peer: Peer) -> None:
    run, client = scenes.completed(peer), Client()
    client.force_login(person(""))
    for place in (f"run/{run.pk}/change/", f"run/{run.pk}/act/restart/", "run/", "definition/", "definition/add/"):
        assert client.get(f"/admin/orchestration/{place}").status_code == 403, place


def test_publishing_is_for_those_who_may(transactional_db: None) -> None:
    for role in ROLES:
        client = Client()
        client.force_login(person(role))
        assert client.get("/admin/orchestration/definition/add/").status_code == (200 if role in OPERATORS else 403)
        assert ("definition/add/" in client.get("/admin/orchestration/definition/").content.decode()) == (
            role in OPERATORS
        )
