"""`manage.py agent`: what is wrong ends with 2, and what is there is one JSON value."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from foundation.models import AuditEvent
from orchestration.models import AgentEndpoint
from tests.orchestration.admin.visitor import person

pytestmark = pytest.mark.django_db(transaction=True)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def agent(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        code = 0
        try:
            call_command("agent", *words)
        except CommandError as ended:
            code = ended.returncode
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def made(agent: Run, *words: str) -> dict[str, Any]:
    code, out, err = agent("add", *words, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_one_is_added_shown_switched_and_removed(agent: Run) -> None:
    view = made(
        agent, "one", "--type", "claude", "--driver", "cli", "--command", "claude", "--arg", "--bare", "--env",
        "ANTHROPIC_API_KEY={secret:KEY}", "--model", "m", "--concurrency", "2", "--price", "input=3", "--price",
        "output=15",
    )  # fmt: skip
    assert (view["agent_type"], view["args"], view["concurrency"]) == ("CLAUDE", ["--bare"], 2)
    assert view["env"] == {"ANTHROPIC_API_KEY": "{secret:KEY}"} and view["prices"] == {"input": "3", "output": "15"}
    assert [one["name"] for one in json.loads(agent("list", "--json")[1])] == ["one"]
    assert json.loads(agent("show", "one", "--json")[1]) == view
    assert agent("disable", "one")[0] == 0 and not AgentEndpoint.objects.get().enabled
    assert json.loads(agent("enable", "one", "--json")[1]) == view and AgentEndpoint.objects.get().enabled
    assert json.loads(agent("disable", "one", "--json")[1]) == view | {"enabled": False}
    assert json.loads(agent("remove", "one", "--json")[1])["name"] == "one" and not AgentEndpoint.objects.exists()


def test_a_list_of_hosts_is_given_a_word_each_and_at_the_api_as_a_list(agent: Run) -> None:
    view = made(
        agent, "kept", "--type", "CUSTOM", "--driver", "scripted", "--network", "hosts", "--host", "API.example",
        "--host", "*.example.org:443",
    )  # fmt: skip
    assert (view["network"], view["hosts"]) == ("hosts", ["api.example", "*.example.org:443"])
    code, _, err = agent("add", "open", "--type", "CUSTOM", "--driver", "scripted", "--network", "hosts", "--host", "*")
    assert code == 2 and "hosts" in err and "*.example.com" in err
    client = Client()
    client.force_login(person("administrator"))
    body = {"name": "two", "agent_type": "CUSTOM", "driver": "scripted", "network": "hosts"}
    answer = client.post("/api/v1/agents/", body | {"hosts": ["api.example:8443"]}, "application/json")
    assert answer.status_code == 201 and answer.json()["hosts"] == ["api.example:8443"], answer.content
    refused = client.post("/api/v1/agents/", body | {"name": "three", "hosts": []}, "application/json")
    assert refused.status_code in (400, 422) and "hosts" in refused.content.decode()
    page = client.get(f"/admin/orchestration/agentendpoint/{AgentEndpoint.objects.get(name='two').pk}/change/")
    assert "api.example:8443" in page.content.decode()


def test_a_check_says_how_it_is_and_its_code_whether_it_can_be_used(agent: Run) -> None:
    made(agent, "good", "--type", "CUSTOM", "--driver", "scripted")
    code, out, _ = agent("check", "good", "--json")
    view = json.loads(out)
    assert code == 0 and view["installed"] and view["health"] == "healthy" and view["version"] and view["usable"]
    row = AuditEvent.objects.get(workflow_id="agents", action="agent.check")
    assert row.data["agent"] == "good" and row.data["usable"] is True
    made(agent, "bad", "--type", "CLAUDE", "--driver", "cli", "--command", "/no/such/program")
    code, out, _ = agent("check", "bad")
    assert code == 1 and "installed: no" in out and "/no/such/program" in out
    assert AgentEndpoint.objects.get(name="bad").health == "failing"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "one", "--type", "claud", "--driver", "scripted"), "did you mean 'CLAUDE'?"),
        (("add", "one", "--type", "CLAUDE", "--driver", "smoke"), "the drivers are: acp, cli, agentapi, scripted"),
        (("add", "one", "--type", "CLAUDE", "--driver", "scripted", "--env", "API_KEY=abc"), "{secret:API_KEY}"),
        (("add", "one", "--type", "CLAUDE", "--driver", "scripted", "--env", "nonsense"), "not KEY=VALUE"),
        (("add", "one", "--type", "CLAUDE", "--driver", "scripted", "--concurrency", "0"), "from 1 to 100"),
        (("add", "one", "--type", "CLAUDE", "--driver", "acp"), "speaks ACP"),
        (("add", "there", "--type", "CLAUDE", "--driver", "scripted"), "there is an endpoint 'there' already"),
        (("check", "ther"), "did you mean 'there'?"),
        (("enable", "x"), "there are: there"),
        (("disable", "x"), "there are: there"),
        (("remove", "x"), "there are: there"),
        (("show", "x"), "there are: there"),
    ],
)
def test_what_is_wrong_ends_with_2_and_the_remedy(agent: Run, words: tuple[str, ...], told: str) -> None:
    made(agent, "there", "--type", "CLAUDE", "--driver", "scripted")
    code, out, err = agent(*words)
    assert (code, out) == (2, "") and told in err
    assert AgentEndpoint.objects.count() == 1


def test_other_programs_get_a_line_each(agent: Run) -> None:
    made(agent, "one", "--type", "CODEX", "--driver", "scripted")
    assert not sys.stdout.isatty()
    assert agent("list")[1].rstrip("\n").split("\t") == [
        "one", "CODEX", "scripted", "True", "unknown", "closed", "0", "1", "",
    ]  # fmt: skip
