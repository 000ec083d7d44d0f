"""Removes what a run left on this machine, and proves that it is gone by looking again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestration.agents.workspace import locks, owned
from orchestration.agents.workspace.layout import Layout, RemovalFailed, remove
from orchestration.agents.workspace.repository import Repository

MOST_NAMED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What belongs to a run and is temporary. `unfinished`: what killed gits left in the repository."""

    processes: tuple[int, ...] = ()
    ports: tuple[int, ...] = ()
    worktrees: tuple[str, ...] = ()
    checkouts: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not any(asdict(self).values())

    def to_json(self) -> Mapping[str, object]:
        """The lists by name, each bounded."""
        return {name: list(found[:MOST_NAMED]) for name, found in asdict(self).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`found`: what there was. `left`: what a second look still found, with `faults` that say why."""

    found: Leftovers
    left: Leftovers
    faults: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left."""
        return self.left.is_empty and not self.faults

    def to_json(self) -> Mapping[str, object]:
        """The report as JSON, for the evidence of the run."""
        return {
            "clean": self.is_clean,
            "found": self.found.to_json(),
            "left": self.left.to_json(),
            "faults": list(self.faults),
        }


def janitor(workflow_id: str, *, data_dir: Path | None = None, keep_repository: bool = True) -> Report:
    """Remove the run's processes, worktrees, checkouts and branches; look again, and report both.

    The integration branch stays in a repository that is kept. To be called when nothing of the run works any more; it
    may be called again, and finds nothing then.
    """
    layout = Layout.of(workflow_id, data_dir)
    repository = Repository(layout=layout)
    found = leftovers(layout)
    faults = [f"process {pid} could not be ended" for pid in owned.end(layout)]
    faults += filter(None, map(_removed, layout.temporary))
    if keep_repository and repository.exists:
        _clear(repository)
    else:
        faults += filter(None, [_removed(layout.folder)])
    return Report(found=found, left=leftovers(layout), faults=tuple(faults))


def leftovers(layout: Layout) -> Leftovers:
    """What there is now. Nothing is changed."""
    pids = owned.processes(layout)
    repository = Repository(layout=layout)
    return Leftovers(
        processes=tuple(pids),
        ports=tuple(owned.ports(pids)),
        worktrees=_names(layout.worktrees) + _names(layout.state),
        checkouts=_names(layout.checkouts),
        branches=tuple(repository.branches()) if repository.exists else (),
        unfinished=tuple(str(path.relative_to(layout.folder)) for path in _unfinished(layout)),
    )


def _clear(repository: Repository) -> None:
    repository.opened()
    with repository.writing() as git:
        names = repository.branches()
        git.run("update-ref", "--stdin", stdin="".join(f"delete refs/heads/{name}\n" for name in names).encode())
        for path in _unfinished(repository.layout):
            path.unlink(missing_ok=True)
    _removed(repository.layout.folder / "repository.unfinished")


def _unfinished(layout: Layout) -> list[Path]:
    """Lock files, and files that git had not yet given their names."""
    folder = layout.repository
    named = [path for name in locks.GIT_LOCKS if (path := folder / name).exists()]
    return [
        *named,
        *(folder / "refs").rglob("*.lock"),
        *folder.glob("objects/*/tmp_*"),
        *folder.glob("objects/tmp_*"),
    ]


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()


def _removed(folder: Path) -> str:
    """Why it could not be removed; '' when it is gone."""
    try:
        remove(folder)
    except RemovalFailed as error:
        return str(error)
    return ""
