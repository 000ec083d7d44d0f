"""A clean checkout of a commit: only what is committed, with the base's copy of tests and of what configures them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from orchestration.agents.workspace.checks.file_kinds import is_frozen
from orchestration.agents.workspace.git import Git
from orchestration.agents.workspace.layout import remove
from orchestration.agents.workspace.repository import Repository
from orchestration.agents.workspace.worktree import private_repository


@contextlib.contextmanager
def checked_out(
    repository: Repository, sha: str, *, frozen: str = "", also: Iterable[str] = ()
) -> Iterator[tuple[Path, Path]]:
    """A clean checkout, and beside it an empty folder for caches; both are removed at the end.

    `frozen`: the commit whose tests and configuration are used; what it does not have stays as it is. `also`: more
    files of which the copy of `frozen` is used. Raises GitFailed.
    """
    repository.layout.checkouts.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="c-", dir=repository.layout.checkouts))
    try:
        caches = place / "caches"
        caches.mkdir()
        yield clean_checkout(repository, sha, place / "files", frozen=frozen, also=also), caches
    finally:
        remove(place)


def clean_checkout(
    repository: Repository, sha: str, folder: Path, *, frozen: str = "", also: Iterable[str] = ()
) -> Path:
    """The files of a commit in `folder`, which must not be there yet; as in `checked_out`. Raises GitFailed."""
    folder.mkdir(parents=True)
    index = folder.with_name(f"{folder.name}.index")
    git = repository.git.on(folder, index)
    git.run("read-tree", f"{sha}^{{commit}}")
    if frozen:
        _put_back(git, frozen, {os.fsencode(name) for name in also})
    git.run("checkout-index", "--all", "--index", "--quiet")
    private_repository(folder, git.git_dir, head=git.out("rev-parse", f"{sha}^{{commit}}"), index=index)
    index.unlink()
    return folder


def _put_back(git: Git, base: str, also: set[bytes]) -> None:
    """Each entry is `mode SP type SP object TAB path`, and goes into the index as it is."""
    entries = [record for record in git.records("ls-tree", "-r", "-z", base) if _is_put_back(record, also)]
    git.run("update-index", "--replace", "-z", "--index-info", stdin=b"".join(record + b"\0" for record in entries))


def _is_put_back(record: bytes, also: set[bytes]) -> bool:
    path = record.partition(b"\t")[2]
    return is_frozen(path) or path in also
