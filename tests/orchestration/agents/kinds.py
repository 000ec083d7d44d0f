"""The drivers that the conformance suite holds to their promises, each with its agent."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from orchestration.agents.agentapi.conversation import Conversation
from orchestration.agents.agentapi.server import AgentApiServer
from orchestration.agents.base import SessionSpec
from orchestration.agents.drivers.acp.driver import AcpDriver
from orchestration.agents.drivers.agentapi.driver import AgentApiDriver
from orchestration.agents.drivers.cli.claude import CLAUDE
from orchestration.agents.drivers.cli.driver import CliDriver
from orchestration.agents.drivers.scripted import PROGRAM, ROOT, ScriptedDriver
from tests.orchestration.agents.holding import Agent, in_prompt

IMITATION = Path(__file__).with_name("imitation.py")
ACP = frozenset(
    "tools usage cost auth check_auth rate permission question resume refusal stderr garbage".split()  # noqa: SIM905
)


def scripted(worktree: Path) -> Agent:
    return Agent(driver=ScriptedDriver(), cwd=worktree, tell=in_prompt, abilities=ACP)


def acp(worktree: Path) -> Agent:
    """The same program as any other: by its command, and with no folder for its sessions."""

    def tell(spec: SessionSpec, behaviour: str) -> SessionSpec:
        told = in_prompt(spec, behaviour)
        program = spec.command or (*PROGRAM, *told.command)
        return replace(told, command=program, env={**told.env, "PYTHONPATH": str(ROOT)})

    return Agent(driver=AcpDriver(), cwd=worktree, tell=tell, abilities=(ACP - {"resume"}) | {"command"})


def cli(worktree: Path) -> Agent:
    """The driver of command lines, with a program that prints as Claude Code does. It cannot ask, and is never
    asked."""

    def tell(spec: SessionSpec, behaviour: str) -> SessionSpec:
        program = spec.command or (sys.executable, "-P", str(IMITATION))
        env = {**spec.env, "PYTHONPATH": str(ROOT), "IMITATE": behaviour, "PYTHONDONTWRITEBYTECODE": "1"}
        env |= {"ANTHROPIC_API_KEY": "not-a-real-one"}
        return replace(spec, command=program, env=env)

    able = frozenset({"tools", "usage", "auth", "rate", "refusal", "stderr", "garbage", "retries", "command"})
    return Agent(
        driver=CliDriver(replace(CLAUDE, version=(str(IMITATION), "--version"))),
        cwd=worktree,
        tell=tell,
        abilities=able,
    )


def agentapi(worktree: Path) -> Agent:
    """The client, and our own server over the scripted agent. What the protocol has no words for, it cannot do."""
    servers: list[AgentApiServer] = []

    def tell(spec: SessionSpec, behaviour: str) -> SessionSpec:
        template = in_prompt(spec, behaviour)
        conversation = Conversation(
            ScriptedDriver(), template, "CUSTOM", now=lambda: datetime.now(UTC), done=lambda: None
        )
        server = AgentApiServer(conversation, 0, worktree.parent / "uploads")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return replace(template, url=f"http://127.0.0.1:{server.server_port}", command=())

    able = frozenset({"auth", "permission", "question", "refusal", "stderr", "garbage", "rate"})

    def close() -> None:
        for server in servers:
            server.finish()

    return Agent(driver=AgentApiDriver(), cwd=worktree, tell=tell, abilities=able, close=close)


KINDS: dict[str, Callable[[Path], Agent]] = {"scripted": scripted, "acp": acp, "cli": cli, "agentapi": agentapi}
