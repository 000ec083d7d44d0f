"""Endpoints are set by administrators, hold no credential, and every act on one is in the audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foundation.audit.verify import verify
from foundation.clock import now
from foundation.errors import BadInput, NotAllowed, NotFound, WrongState
from foundation.models import AuditEvent
from orchestration.agents.endpoints import lease, services
from orchestration.agents.endpoints.check import check, look
from orchestration.agents.endpoints.given import Given
from orchestration.agents.endpoints.session import sandbox_of
from orchestration.agents.endpoints.views import endpoint_view
from orchestration.core.agent.agent_type import AgentType
from orchestration.models import AgentAttempt, AgentEndpoint
from tests.orchestration.agents.endpoints.scenes import ADMIN, OPERATOR, added, attempt, run

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "{secret:ANTHROPIC_API_KEY}"


def acts() -> list[str]:
    return list(AuditEvent.objects.filter(workflow_id="agents").order_by("seq").values_list("action", flat=True))


def test_each_act_is_one_audit_row_in_a_chain_of_its_own() -> None:
    added("one")
    services.disable("one", actor=OPERATOR)
    services.disable("one", actor=OPERATOR)
    services.enable("one", actor=OPERATOR)
    services.remove("one", actor=ADMIN)
    assert acts() == ["agent.add", "agent.disable", "agent.enable", "agent.remove"]
    assert verify(chain="agents").is_whole and not AgentEndpoint.objects.exists()


def test_only_an_administrator_says_which_command_workers_start() -> None:
    added("one")
    with pytest.raises(NotAllowed):
        services.add(Given(name="two", agent_type="CLAUDE", driver="scripted"), actor=OPERATOR)
    with pytest.raises(NotAllowed):
        services.remove("one", actor=OPERATOR)
    assert AgentEndpoint.objects.count() == 1 and acts() == ["agent.add"]


def test_what_was_given_is_shown_and_a_type_is_taken_in_any_case() -> None:
    row = added(
        "one", agent_type="claude", driver="cli", args=["--bare"],
        env={"ANTHROPIC_API_KEY": KEY, "DISABLE_TELEMETRY": "1"}, concurrency=3, prices={"input": "3", "output": 15},
        network="none", sandbox="required",
    )  # fmt: skip
    view = endpoint_view(row)
    assert (view["agent_type"], view["command"], view["args"]) == ("CLAUDE", "claude", ["--bare"])
    assert view["env"] == {"ANTHROPIC_API_KEY": KEY, "DISABLE_TELEMETRY": "1"}
    assert view["prices"] == {"input": "3", "output": "15"} and view["concurrency"] == 3
    assert (view["health"], view["circuit"], view["active"]) == ("healthy", "closed", 0)


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"name": "no space"}, "name", "letters, digits"),
        ({"name": ""}, "name", "letters, digits"),
        ({"agent_type": "claud"}, "agent_type", "did you mean 'CLAUDE'"),
        ({"agent_type": "x"}, "agent_type", "the types are: CLAUDE"),
        ({"driver": "acpp"}, "driver", "did you mean 'acp'"),
        ({"driver": "telnet"}, "driver", "the drivers are: acp, cli, agentapi, scripted"),
        ({"driver": "acp"}, "command", "speaks ACP"),
        ({"driver": "acp", "command": "x", "url": "http://h"}, "url", "the driver agentapi"),
        ({"driver": "agentapi"}, "url", "give either the url"),
        ({"driver": "agentapi", "url": "http://h", "command": "x"}, "url", "give either the url"),
        ({"driver": "agentapi", "url": "h:80"}, "url", "with a host"),
        ({"driver": "agentapi", "url": "http://u:p@h"}, "url", "no password"),
        ({"driver": "acp", "command": "opencode acp"}, "command", "'opencode' as command, and of its arguments each"),
        ({"driver": "cli", "agent_type": "GOOSE"}, "agent_type", "take the driver acp"),
        ({"env": {"ANTHROPIC_API_KEY": "abc"}}, "env", "ANTHROPIC_API_KEY={secret:ANTHROPIC_API_KEY}"),
        ({"env": {"MODE": "sk-ant-abcdefgh12345"}}, "env", "{secret:MODE}"),
        ({"env": {"KEY": "sk-123"}}, "env", "KEY={secret:KEY}"),
        ({"env": {"OPENAI_KEY": "abc"}}, "env", "OPENAI_KEY={secret:OPENAI_KEY}"),
        ({"env": {"key2": "abc"}}, "env", "ZEN_SECRET_KEY2"),
        ({"env": {"DB_PASS": "abc"}}, "env", "{secret:DB_PASS}"),
        ({"env": {"MODE": "sk-123"}}, "env", "{secret:MODE}"),
        ({"env": {"PROXY": "http://me:word@proxy:80"}}, "env", "{secret:PROXY}"),
        ({"env": {"1X": "y"}}, "env", "not beginning with a digit"),
        ({"args": ["--key", "sk-ant-abcdefgh12345"]}, "args", "as a reference"),
        ({"concurrency": 0}, "concurrency", "from 1 to 100"),
        ({"concurrency": 101}, "concurrency", "from 1 to 100"),
        ({"stall_seconds": 0.0}, "stall_seconds", "from 1 to 86400"),
        ({"prices": {"input": "x", "output": "1"}}, "prices", "such as 12.50"),
        ({"network": "lan"}, "network", "none: to nothing but itself"),
        ({"sandbox": "maybe"}, "sandbox", "refused without it"),
        ({"writable": ["here"]}, "writable", "write it from /"),
        ({"network": "hosts"}, "hosts", "such as api.openai.com"),
        ({"hosts": ["api.openai.com"]}, "hosts", "take network hosts"),
        ({"network": "none", "hosts": ["api.openai.com"]}, "hosts", "leave the hosts out"),
        ({"network": "hosts", "hosts": ["https://api.openai.com"]}, "hosts", "without scheme"),
        ({"network": "hosts", "hosts": ["*"]}, "hosts", "*.example.com"),
        ({"network": "hosts", "hosts": ["a.example:99999"]}, "hosts", "a port after the colon"),
        ({"network": "hosts", "hosts": ["192.168.0.1"]}, "hosts", "192.168.0.1:PORT"),
        ({"network": "hosts", "hosts": ["a.example"] * 101}, "hosts", "stands for many"),
        ({"network": "hosts", "hosts": ["a.example"], "sandbox": "off"}, "sandbox", "bubblewrap alone"),
        (
            {"network": "hosts", "hosts": ["a.example"], "driver": "agentapi", "url": "http://h"},
            "network",
            "over the network",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_field_value_and_remedy(fields: dict[str, Any], field: str, told: str) -> None:
    given = Given(**{"name": "one", "agent_type": "CLAUDE", "driver": "scripted"} | fields)
    with pytest.raises(BadInput) as refused:
        services.add(given, actor=ADMIN)
    assert refused.value.field == field and told in refused.value.remedy
    assert not AgentEndpoint.objects.exists() and not acts()


def test_what_is_no_credential_stays() -> None:
    env = {"MONKEY": "task-1", "KEY": "{secret:KEY}", "KEY_FILE": "/k", "MODE": "disk-1", "URL": "http://host:80/a@b"}
    assert added("one", env=env).env == env


def test_a_list_of_hosts_is_kept_shown_and_in_the_audit() -> None:
    hosts = ["api.openai.com", "*.PyPI.org:443", "127.0.0.1:8080", "api.openai.com"]
    row = added("one", network="hosts", hosts=hosts)
    row.refresh_from_db()
    kept = ["api.openai.com", "*.pypi.org:443", "127.0.0.1:8080"]
    assert endpoint_view(row)["hosts"] == kept and sandbox_of(row).hosts == tuple(kept)
    told = AuditEvent.objects.get(workflow_id="agents").data
    assert (told["network"], told["hosts"]) == ("hosts", kept)


def test_every_fault_is_told_at_once() -> None:
    given = Given(name="", agent_type="x", driver="y", concurrency=0)
    with pytest.raises(BadInput) as refused:
        services.add(given, actor=ADMIN)
    assert [one["field"] for one in refused.value.problems] == ["name", "agent_type", "driver", "concurrency"]


def test_a_name_is_taken_once() -> None:
    added("one")
    with pytest.raises(BadInput, match="there is an endpoint 'one' already"):
        added("one")


@pytest.mark.parametrize("act", [services.enable, services.disable, services.remove])
def test_an_unknown_name_is_told_with_the_nearest(act: Any) -> None:
    added("claude-1")
    with pytest.raises(NotFound) as refused:
        act("claude-l", actor=ADMIN)
    assert refused.value.remedy == "did you mean 'claude-1'?"


def test_an_endpoint_at_work_is_not_removed_and_what_it_did_outlives_it() -> None:
    row, of = added("one"), run()
    AgentAttempt.objects.create(
        run=of, step_id="a", iteration=1, attempt=1, claim=1, agent_type="CLAUDE", endpoint=row, endpoint_name="one",
        started_at=now(),
    )  # fmt: skip
    taken = lease.take(AgentType.CLAUDE, attempt(of))
    assert isinstance(taken, lease.Taken)
    with pytest.raises(WrongState, match="at work on step 'a' of run 'r'"):
        services.remove("one", actor=ADMIN)
    lease.give_back(taken.lease_id)
    services.remove("one", actor=ADMIN)
    kept = AgentAttempt.objects.get()
    assert kept.endpoint_id is None and kept.endpoint_name == "one"


def test_a_check_tells_that_git_is_missing_beside_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = added("one")
    assert look(row).usable
    monkeypatch.setenv("PATH", str(tmp_path))
    kept, found = check("one", actor=ADMIN)
    assert not found.usable and found.version and "apt-get install git" in found.detail
    assert kept.health == AgentEndpoint.FAILING and kept.out_since is None, "its own fault it is not"
    monkeypatch.undo()
    assert check("one", actor=ADMIN)[1].usable


def test_a_variable_that_only_looks_like_a_key_by_its_name_is_taken() -> None:
    names = (
        "SORT_KEY", "MONKEY", "KEYBOARD", "PARTITION_KEY", "CACHE_KEY", "PUBLIC_KEY", "PRIMARY_KEYS", "GROUP_KEY_2",
        "AUTH_MODE", "SSH_AUTH_SOCK", "API_KEY_FILE", "TOKEN_URL", "CREDENTIAL_HELPER",
    )  # fmt: skip
    assert set(added("one", env=dict.fromkeys(names, "plain")).env) == set(names)
    for name in ("SORT_KEY", "AUTH_MODE", "CACHE_KEY"):
        with pytest.raises(BadInput, match="is a credential"):
            added("two", env={name: "sk-ant-abcdefgh12345"})
    for name in ("SIGNING_KEY", "STORAGE_KEY", "HOST_KEY", "AUTH", "SESSION_TOKEN", "KEYFILE_KEY"):
        with pytest.raises(BadInput, match="is a credential"):
            added("two", env={name: "plain"})
