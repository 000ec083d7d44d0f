"""The drivers that the conformance suite holds to their promises, each with its agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from orchestration.agents.base import SessionSpec
from orchestration.agents.drivers.acp.driver import AcpDriver
from orchestration.agents.drivers.scripted import PROGRAM, ROOT, ScriptedDriver
from tests.orchestration.agents.holding import Agent, in_prompt

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


KINDS: dict[str, Callable[[Path], Agent]] = {"scripted": scripted, "acp": acp}
