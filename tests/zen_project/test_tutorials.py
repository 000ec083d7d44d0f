"""What the tutorials have their reader write is what the product takes."""

from __future__ import annotations

import copy
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from pytest_django import Settings

from approvals.core.policy.definition import PolicyDefinition
from approvals.models import Request
from foundation.identity.actor import CONSOLE_ROLES, Actor
from foundation.outbound import transport
from orchestration.core.definition import validate_definition
from orchestration.core.enums import RunStatus, StepStatus, Verb
from orchestration.core.project import validate_spec
from orchestration.models import Run
from orchestration.runs import act, start_run
from orchestration.workers.celery.in_process import hosted
from tests.support.waiting import wait_until
from tests.system.contract.cast import account, says
from zen_project.demo.services import Service

ROOT = Path(__file__).parents[2]
WRITTEN = [
    yaml.safe_load(block)
    for page in sorted((ROOT / "docs" / "tutorials").glob("*.md"))
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
]


def test_both_kinds_are_there() -> None:
    assert {next(iter(one)) for one in WRITTEN} == {"saga_id", "policy", "project_id"}


@pytest.mark.parametrize("written", WRITTEN, ids=lambda one: str(next(iter(one.values()))))
def test_it_is_taken(written: dict[str, Any]) -> None:
    if "saga_id" in written:
        validate_definition(written)
    elif "project_id" in written:
        validate_spec(written)
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


def commands_of(page: str) -> list[list[str]]:
    """What the page has its reader say to `manage.py`, in its order."""
    text = (ROOT / "docs" / "tutorials" / page).read_text()
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line)[2:] for line in lines if line.startswith(".venv/bin/python manage.py")]


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_the_project_goes_as_its_tutorial_says(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ZEN_DATA_DIR = tmp_path / "data"
    monkeypatch.chdir(tmp_path)
    account("bob")
    first, second = (yaml.safe_dump(one) for one in WRITTEN if "project_id" in one)
    said: dict[str, str] = {}
    with hosted(queues={"default": 4, "agents": 4}):
        for words in commands_of("a-project-in-ten-minutes.md"):
            (tmp_path / "shop.yaml").write_text(second if "project start shop.yaml" in said else first)
            if words[:2] == ["project", "evidence"]:
                says("bob", "approve", request("Release"))
                assert ended(Run.objects.get(workflow_id=words[2])).status == RunStatus.COMPLETED
            if words == ["project", "tasks", "my-second-shop"]:
                request("task-failed")
            call_command(*words)
            said[" ".join(words)] = capsys.readouterr().out
        act(workflow_id="my-second-shop", verb=Verb.ABORT, actor=Actor(name="ada", door="test", roles=CONSOLE_ROLES))
        ended(Run.objects.get(workflow_id="my-second-shop"))
    assert "valid, 2 requirements, 2 tasks" in said["project validate shop.yaml"]
    assert "proved" in said["project evidence my-first-shop"] and "signed" in said["project evidence my-first-shop"]
    assert said["project tasks my-second-shop"].count("lied") == 2


def request(stage: str) -> Request:
    wait_until(lambda: Request.objects.filter(stage=stage, status="pending").exists(), f"{stage} is asked")
    return Request.objects.get(stage=stage, status="pending")
