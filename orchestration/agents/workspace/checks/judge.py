"""All the evidence about one commit: its diff, our own runs of the checks, and what was done to the tests."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestration.agents.base import Sandbox
from orchestration.agents.process.sandbox import NoSandbox
from orchestration.agents.workspace.checks.checkout import checked_out
from orchestration.agents.workspace.checks.run import CANNOT_RUN, run_check, why_not
from orchestration.agents.workspace.checks.tampering import tampering
from orchestration.agents.workspace.diff import diff_stat
from orchestration.agents.workspace.repository import Repository
from orchestration.core.agent.evidence import CheckResult, DiffStat

SECONDS = 900.0


class CannotCheck(Exception):
    """A check cannot be run on this machine, whatever was committed; the message has the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What `orchestration.core.agent.verdict` judges."""

    diff: DiffStat
    checks: tuple[CheckResult, ...]
    tampering: tuple[str, ...]


def examine(
    repository: Repository,
    base: str,
    head: str | None,
    checks: Sequence[str],
    *,
    sandbox: Sandbox,
    timeout: float = SECONDS,
    notes: tuple[str, ...] = (),
    cancelled: threading.Event | None = None,
) -> Evidence:
    """The evidence about the commit `head` on `base`; None for an attempt that changed nothing, which is not checked.

    Every check runs, also after one that did not pass, each in a clean checkout of its own.

    Raises:
        CannotCheck: a command is not there, and was not there in the base either; or the sandbox is required and there
            is none. GitFailed, OSError.
    """
    if head is None:
        return Evidence(diff=DiffStat(notes=notes), checks=(), tampering=())
    git = repository.git
    run = _Runs(repository=repository, base=base, sandbox=sandbox, timeout=timeout, cancelled=cancelled)
    return Evidence(
        diff=diff_stat(git, base, head, notes),
        checks=tuple(run.judged(command, head) for command in checks),
        tampering=tuple(tampering(git, base, head)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    repository: Repository
    base: str
    sandbox: Sandbox
    timeout: float
    cancelled: threading.Event | None

    def judged(self, command: str, head: str) -> CheckResult:
        """The base is asked only where that can change something: tests were skipped, or the command is not there."""
        found = self.one(command, head)
        if found.exit_code in CANNOT_RUN and self.one(command, self.base).exit_code in CANNOT_RUN:
            raise CannotCheck(
                f"the check `{command}` cannot be run by this worker: {found.output_excerpt.strip()[-200:]}; "
                "install what it needs on the workers that serve agents, or change the check"
            )
        if found.exit_code == 0 and found.counts is not None and found.counts.skipped:
            before = self.one(command, self.base).counts
            why = why_not(found.exit_code, found.counts, before.skipped if before else 0)
            found = replace(found, passed=not why, why=why)
        return found

    def one(self, command: str, sha: str) -> CheckResult:
        with checked_out(self.repository, sha, frozen=self.base, also=scripts_of(command)) as (files, caches):
            boxed = self.repository.layout.sandboxed(self.sandbox)
            env, cancelled = self.repository.layout.env, self.cancelled
            try:
                return run_check(command, files, self.timeout, boxed, caches=caches, env=env, cancelled=cancelled)
            except NoSandbox as error:
                raise CannotCheck(f"the check `{command}` is not run: {error}") from None


def scripts_of(command: str) -> list[str]:
    """Shell scripts that the command itself names: the base's copy of them is run, as of all that decides."""
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    return [str(Path(word)) for word in words if word.endswith((".sh", ".bash")) and not word.startswith("/")]
