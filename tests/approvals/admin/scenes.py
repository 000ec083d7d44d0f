"""Requests as the pages have to show them."""

from __future__ import annotations

from typing import Any

from approvals.models import Request
from approvals.requests import Ask, ask, publish_policy
from orchestration.models import Run
from tests.support.peer import Peer
from tests.system.contract.cast import account, actor
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

DIFF = "--- a/web.yaml\n+++ b/web.yaml\n@@ -1,2 +1,2 @@\n image: web\n-replicas: 2\n+replicas: 3\n"
CONTEXT: dict[str, Any] = {
    "service": "web",
    "notes_md": "Rolls out **in waves**.\n\n- first Berlin\n- then the rest\n\nSee [the plan](https://wiki.example.com/plan).",
    "change": DIFF,
    "hosts": [{"host": "web-1", "zone": "a", "load": 0.4}, {"host": "web-2", "zone": "b", "load": 0.7}],
    "limits": {"cpu": 4, "memory": {"soft": "2Gi", "hard": "3Gi"}, "flags": ["blue", "green"]},
    "dashboard": "https://grafana.example.com/d/web",
    "urgent": False,
}


def cast() -> None:
    """olga asks; bob, carol and approver decide."""
    account("olga", "operator")
    account("bob")
    account("carol")


def asked(title: str = "Deploy web 2.4 to production", **more: Any) -> Request:
    given = {
        "stage": "deployment",
        "description": "Web 2.4 mends the slow search. It was on staging for two days.",
        "context": CONTEXT,
        "approvers": ("bob", "approver"),
        "facts": {"commit": "4fd2a1c", "tests": "passed"},
        **more,
    }
    request, _ = ask(given=Ask(title=title, **given), actor=actor(account("olga", "operator")), engine="celery")
    return request


def chain_of_two(**stage: Any) -> None:
    stages = [
        {"name": "peers", "who": {"users": ["bob", "approver"]}, "how_many": "all", "expire": "1d", **stage},
        {"name": "leads", "who": {"users": ["carol"]}, "expire": "1d"},
    ]
    publish_policy(data={"policy": "two", "stages": stages}, actor=ADA)


def waiting_run(peer: Peer) -> tuple[Run, Request]:
    """A deployment whose second step needs a yes; its first one is done and can be undone."""
    gated = step("deploy", approval={"approvers": ["bob", "approver"], "description": "Deploy web 2.4?"})
    run = start(peer, "celery", step("build"), gated, step("announce", ["deploy"], undo=False))
    until(run, lambda r: r.status == "waiting" and Request.objects.filter(about=r.workflow_id).exists())
    return run, Request.objects.get(about=run.workflow_id)
