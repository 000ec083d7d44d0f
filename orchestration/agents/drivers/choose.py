"""The driver of an endpoint, by the words of its row."""

from __future__ import annotations

from django.utils.module_loading import import_string

from orchestration.agents.base import Driver
from orchestration.agents.drivers.cli.adapter import Adapter
from orchestration.agents.drivers.cli.aider import AIDER
from orchestration.agents.drivers.cli.claude import CLAUDE
from orchestration.agents.drivers.cli.codex import CODEX
from orchestration.agents.drivers.cli.driver import CliDriver
from orchestration.agents.drivers.cli.gemini import GEMINI
from orchestration.agents.drivers.cli.opencode import OPENCODE
from orchestration.core.agent.agent_type import AgentType

DRIVERS = ("acp", "cli", "agentapi", "scripted")
ADAPTERS: dict[AgentType, Adapter] = {
    AgentType.AIDER: AIDER,
    AgentType.CLAUDE: CLAUDE,
    AgentType.CODEX: CODEX,
    AgentType.GEMINI: GEMINI,
    AgentType.OPENCODE: OPENCODE,
}
CLASSES = {
    "acp": "orchestration.agents.drivers.acp.driver.AcpDriver",
    "agentapi": "orchestration.agents.drivers.agentapi.driver.AgentApiDriver",
    "scripted": "orchestration.agents.drivers.scripted.ScriptedDriver",
}


def driver_for(driver: str, agent_type: str) -> Driver:
    """The driver `driver` for agents of this type, in any case. Raises ValueError that names field, value and
    remedy."""
    if driver == "cli":
        kind = AgentType(agent_type)
        if kind not in ADAPTERS:
            known = ", ".join(sorted(ADAPTERS))
            raise ValueError(f"driver 'cli' knows no agent_type {kind.value!r}; take driver 'acp', or one of {known}")
        return CliDriver(ADAPTERS[kind])
    if driver not in CLASSES:
        raise ValueError(f"driver {driver[:80]!r} is none; the drivers are: {', '.join(DRIVERS)}")
    try:
        made: Driver = import_string(CLASSES[driver])()
    except ModuleNotFoundError as error:
        if error.name != "acp":
            raise
        raise ValueError(
            f"driver {driver!r} needs agent-client-protocol; install the extra `agents` of zen-orchestration"
        ) from error
    return made
