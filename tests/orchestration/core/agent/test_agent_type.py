"""Types of agents, in any case."""

from __future__ import annotations

import pytest

from orchestration.core.agent.agent_type import AgentType, is_agent_type


@pytest.mark.parametrize("word", ["CLAUDE", "claude", "Claude", " claude "])
def test_a_type_is_known_in_any_case(word: str) -> None:
    assert AgentType(word) is AgentType.CLAUDE and is_agent_type(word)


def test_the_types_are_those_that_were_promised() -> None:
    promised = "CLAUDE CODEX AIDER GEMINI OPENCODE GOOSE CURSOR COPILOT CUSTOM"
    assert [one.value for one in AgentType] == promised.split()


def test_an_unknown_type_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"'claud' is not a type of agent; did you mean 'CLAUDE'\?"):
        AgentType("claud")
    with pytest.raises(ValueError, match="the types are: CLAUDE, CODEX"):
        AgentType("xyzzy")
    with pytest.raises(ValueError, match="is not a type"):
        AgentType(None)  # type: ignore[arg-type]
    assert not is_agent_type("claud") and not is_agent_type(3)
