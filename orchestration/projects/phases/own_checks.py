"""Which commands prove the criteria of a project, as far as its repository tells at a commit."""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.agents.workspace.checks.commands import Files, command_for_coverage, command_for_tests, files_of
from orchestration.agents.workspace.repository import Repository
from orchestration.core.project.criteria import LedgerCriterion

STRICTLY = 0.01
"""Per cent. Commands say "at least"; above 85 % is at least 85.01 %, which is as fine as reports of coverage are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnChecks:
    """What the files of some commits tell, the first that tells anything; those of the base come first, being older
    than any agent's work."""

    seen: tuple[Files, ...]

    @classmethod
    def of(cls, repository: Repository, *commits: str) -> OwnChecks:
        """By the files of these commits."""
        return cls(seen=tuple(files_of(repository.git, commit) for commit in dict.fromkeys(commits)))

    def tests(self) -> str:
        """The command that runs the repository's own tests; '' where nothing tells."""
        return next((command for files in self.seen if (command := command_for_tests(files))), "")

    def command(self, criterion: LedgerCriterion) -> str:
        """The shell command that proves a criterion; '' where a request or people do."""
        if criterion.command or criterion.wanted is None:
            return criterion.command
        least = criterion.wanted.coverage
        if least is None:
            return self.tests()
        percent = min(100.0, least + STRICTLY) if criterion.wanted.is_strict else least
        return next((command for files in self.seen if (command := command_for_coverage(files, percent))), "")

    def shown(self, criterion: LedgerCriterion) -> str:
        """What proves a criterion, in a line; '' where people have to say."""
        if criterion.api_call is not None:
            return f"{criterion.api_call.get('method', 'GET')} {criterion.api_call.get('url', '')}"
        return self.command(criterion)
