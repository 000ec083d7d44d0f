"""What the tutorials have their reader write is what the product takes."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_django import Settings

from approvals.core.policy.definition import PolicyDefinition
from foundation.identity.actor import CONSOLE_ROLES, Actor
from foundation.outbound import transport
from orchestration.core.definition import validate_definition
from orchestration.core.enums import RunStatus, StepStatus
from orchestration.models import Run
from orchestration.runs import start_run
from orchestration.workers.celery.in_process import hosted
from tests.support.waiting import wait_until
from zen_project.demo.services import Service

ROOT = Path(__file__).parents[2]
WRITTEN = [
    yaml.safe_load(block)
    for page in sorted((ROOT / "docs" / "tutorials").glob("*.md"))
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
]


def test_both_kinds_are_there() -> None:
    assert {next(iter(one)) for one in WRITTEN} == {"saga_id", "policy"}


@pytest.mark.parametrize("written", WRITTEN, ids=lambda one: str(next(iter(one.values()))))
def test_it_is_taken(written: dict[str, Any]) -> None:
    if "saga_id" in written:
        validate_definition(written)
    else:
        PolicyDefinition.model_validate(written)


def order(shop: Service, **charge: Any) -> dict[str, Any]:
    """The first tutorial's saga, with a shop of our own."""
    written: dict[str, Any]
    (written,) = (one for one in copy.deepcopy(WRITTEN) if one.get("saga_id") == "my-first-order")
    written["context"]["shop"] = f"http://{shop.address}"
    written["steps"][1]["forward_action"].update(charge)
    return written


def begun(definition: dict[str, Any]) -> Run:
    ada = Actor(name="ada", door="test", roles=CONSOLE_ROLES)
    return start_run(definition=definition, actor=ada, engine="celery")[0]


def ended(run: Run) -> Run:
    wait_until(lambda: Run.objects.get(pk=run.pk).finished_at, f"{run} ends")
    return Run.objects.get(pk=run.pk)


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_the_first_saga_goes_as_its_tutorial_says(settings: Settings) -> None:
    shop = Service("shop")
    settings.ZEN_OUTBOUND_ALLOW = (shop.address,)
    with hosted(threads=1):
        assert ended(begun(order(shop))).status == RunStatus.COMPLETED
        undone = ended(begun(order(shop, payload={"to": "nowhere"})))
        assert (undone.status, undone.steps.get(step_id="reserve").undo) == (RunStatus.ROLLED_BACK, "compensated")
        shop.server.shutdown()
        shop.server.server_close()
        transport.close()  # as the end of its process would
        waits = begun(order(shop))
        reserve = waits.steps.filter(step_id="reserve")
        wait_until(lambda: reserve.get().status == StepStatus.BACKING_OFF, "it is to be tried again")
        again = Service("shop", port=int(shop.address.rpartition(":")[2]))
        assert ended(waits).status == RunStatus.COMPLETED
        again.server.shutdown()
        again.server.server_close()
    transport.close()
