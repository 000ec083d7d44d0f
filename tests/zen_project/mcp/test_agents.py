"""An agent proposes over MCP what people decide, and people's yes does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from pytest_django import Settings

from approvals.models import Request
from orchestration.runs import get_run
from tests.support.mcp_clients import answer, call, problems
from tests.zen_project.mcp.conftest import Person
from tests.zen_project.mcp.test_equality import SAGA, shapes_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(person: Callable[..., Person]) -> tuple[Person, Person]:
    """An agent with a run of its own, and who decides."""
    dora = person("approver", "dora")
    bot = person("operator", "bot", agent=True)
    answer(bot.tools, "start_saga", definition=SAGA, workflow_id="o-1", engine="celery")
    return bot, dora


def test_an_agent_that_aborts_proposes_it_and_a_yes_aborts(people: tuple[Person, Person], settings: Settings) -> None:
    bot, dora = people
    shapes = shapes_of(bot)
    told = answer(bot.tools, "abort_run", workflow_id="o-1", note="stuck")
    assert told["proposed"] is True and told["approval_id"] == told["request_id"]
    assert told["preview"] == answer(bot.tools, "preview_act", workflow_id="o-1", verb="abort")
    jsonschema.Draft202012Validator(shapes["abort_run"]).validate(told)
    assert answer(bot.tools, "abort_run", workflow_id="o-1")["request_id"] == told["request_id"]
    cancelled = answer(bot.tools, "workflow_orchestrator", operation="cancel_workflow", workflow_id="o-1")
    assert cancelled["request_id"] == told["request_id"] and cancelled["proposed"] is True
    jsonschema.Draft202012Validator(shapes["workflow_orchestrator"]).validate(cancelled)
    assert get_run("o-1").finished_at is None
    (refused,) = problems(
        bot.tools, "workflow_orchestrator", operation="approval", action="approve", approval_id=told["request_id"]
    )
    assert refused["problem"].startswith("the requester, ")

    settings.ZEN_MCP_TOKEN = dora.token
    shown = answer(dora.tools, "get_approval", request_id=told["request_id"])
    assert (
        shown["act"]["state"] == "proposed"
        and shown["stage"] == "agent-act"
        and "stuck" in shown["content"]["description"]
    )
    decided = answer(
        dora.tools, "decide_approval", request_id=told["request_id"], decision="approve", seen=shown["content_hash"]
    )
    assert decided["act"]["state"] == "done" and decided == dora.get(f"approvals/{told['request_id']}/") | {
        "approval_id": told["request_id"]
    }
    assert get_run("o-1").status == "rolled_back"


def test_what_an_agent_may_do_it_does_at_once_and_force_stop_is_refused(people: tuple[Person, Person]) -> None:
    bot, _ = people
    assert answer(bot.tools, "hold_run", workflow_id="o-1")["hold_reason"] == "held by bot"
    assert answer(bot.tools, "release_run", workflow_id="o-1")["hold_reason"] == ""
    (told,) = problems(bot.tools, "force_stop_run", workflow_id="o-1")
    assert (told["problem"], told["remedy"]) == (
        "this token may not force-stop runs", "use one with the scope run.force-stop, which no agent has",
    )  # fmt: skip
    rest = bot.rest.post("/api/v1/runs/o-1/abort/", {}, content_type="application/json")
    assert rest.status_code == 403 and "propose it over MCP" in rest.json()["remedy"]
    assert not Request.objects.exists()


def test_what_is_not_legal_is_refused_as_for_people(people: tuple[Person, Person]) -> None:
    bot, _ = people
    (told,) = problems(bot.tools, "skip_step", workflow_id="o-1", step_id="none")
    assert told["field"] == "step_id" and told["problem"] == "there is no step 'none'"
    (told,) = problems(bot.tools, "rerun_step", workflow_id="o-1", step_id="first")
    assert (
        told["field"] == "verb"
        and told["problem"]
        == answer(bot.tools, "preview_act", workflow_id="o-1", verb="rerun", step_id="first")["refusal"]
    )
    assert not Request.objects.exists()


def test_the_settings_choose_who_decides_and_whether_anybody_is_asked(
    people: tuple[Person, Person], settings: Settings
) -> None:
    bot, _ = people
    settings.ZEN_MCP_PROPOSE_POLICY = "nobody-knows"
    (told,) = problems(bot.tools, "abort_run", workflow_id="o-1")
    assert told["field"] == "policy" and not Request.objects.exists()
    settings.ZEN_MCP_PROPOSE = False
    found: Any = call(bot.tools, "abort_run", workflow_id="o-1").structured_content
    assert found["workflow_id"] == "o-1" and get_run("o-1").status == "rolled_back"
