"""Who may go on, of deployments that begin at once."""

from __future__ import annotations

import pytest

from orchestration.actions.errors import Refused, TryLater
from orchestration.models import Command
from orchestration.projects.deployment.claims import claim, last_version
from tests.orchestration.projects.deployment.shop import Shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def engine() -> str:
    """One whose workers do not run: the rows are what the test says."""
    return "celery"


@pytest.mark.parametrize(
    ("status", "outcome", "error"),
    [("running", "", TryLater), ("done", "succeeded", Refused), ("ready", "", None), ("done", "failed", None)],
)
def test_a_newer_deployment_that_has_claimed_is_heard(
    shop: Shop, status: str, outcome: str, error: type[Exception] | None
) -> None:
    """The older one may have been committed after the newer one looked."""
    older, newer = shop.deploy("f" * 40), shop.deploy("f" * 40)
    told = {"status": status, "outcome": outcome}
    key = {"run": newer, "kind": "run_action", "step_id": "release", "iteration": 1, "attempt": 1}
    Command.objects.update_or_create(**key, defaults=told, create_defaults={**told, "due_at": newer.created_at})
    with pytest.raises(Refused, match=f"run '{older.workflow_id}' deploys 'shop' and is .*; wait for its end"):
        claim("shop", newer.workflow_id)
    if error is None:
        claim("shop", older.workflow_id)
        return
    with pytest.raises(error, match=newer.workflow_id):
        claim("shop", older.workflow_id)


def test_deployments_of_other_names_and_those_that_ended_do_not_count(shop: Shop) -> None:
    ended = shop.deploy("e" * 40)
    type(ended).objects.filter(pk=ended.pk).update(finished_at=ended.created_at, status="completed")
    shop.name = "other"
    shop.deploy("f" * 40)
    shop.name = "shop"
    claim("shop", shop.deploy("f" * 40).workflow_id)
    assert (last_version("shop"), last_version("other")) == ("e" * 40, "")
