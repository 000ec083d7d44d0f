"""The bare repository of a run: where agents' work is kept, under names and a configuration that only we write."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from foundation.errors import BadInput
from orchestration.agents.claims import require_current
from orchestration.agents.workspace import locks
from orchestration.agents.workspace.git import ATTRIBUTES, Git, GitFailed
from orchestration.agents.workspace.layout import RUN_FILE, Layout, remove
from orchestration.agents.workspace.remote import Remote, remote_of

INTEGRATION = "main"
"""The branch into which tasks are merged."""
BASE_REF = "refs/zen/base"
"""The commit that the project began with."""
HISTORY_SECONDS = 3600.0
MOST_NAMED = 10
EPOCH = "946684800 +0000"
CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tfilemode = true\n"
EXCLUDED = """\
# What tools leave behind in a worktree, and nobody means to keep.
__pycache__/
*.py[cod]
.pytest_cache/
.mypy_cache/
.ruff_cache/
.hypothesis/
.coverage
.coverage.*
.venv/
node_modules/
.aider*
.DS_Store
"""
OWN_FILES = {"config": CONFIG, "info/attributes": ATTRIBUTES, "info/exclude": EXCLUDED}
REJECTED = re.compile(r"^ ! \[(?:remote )?rejected\]", re.MULTILINE)
"""What git says where a name cannot be had."""
BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A run's repository. Every method may be repeated, also after a kill at any point, and ends in the same state."""

    layout: Layout

    @property
    def git(self) -> Git:
        """Git for this repository."""
        return Git(git_dir=self.layout.repository, env=self.layout.env)

    @classmethod
    def create(cls, layout: Layout, source: str | None = None) -> Repository:
        """The repository with the history of `source` (a path or an address), or with one empty commit.

        Raises:
            BadInput: `source` cannot be read, or has no commit.
        """
        made = cls(layout=layout)
        remote = remote_of(source) if source is not None else None
        layout.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.held(layout.locks / "create"):
            if not made.exists:
                (layout.folder / RUN_FILE).write_text(layout.workflow_id)
                made._make(remote)
        return made.opened()

    @property
    def exists(self) -> bool:
        """Whether it was made completely."""
        return self.layout.repository.is_dir()

    def opened(self) -> Repository:
        """Itself, with its configuration as we wrote it: nothing that was written into it meanwhile is obeyed.

        Raises:
            FileNotFoundError: there is none.
        """
        if not self.exists:
            raise FileNotFoundError(f"run {self.layout.workflow_id!r} has no repository")
        for name, text in OWN_FILES.items():
            path = self.layout.repository / name
            if path.is_symlink() or not path.is_file() or path.read_text(errors="replace") != text:
                remove(path)
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
        remove(self.layout.repository / "hooks")
        return self

    @contextlib.contextmanager
    def writing(self) -> Iterator[Git]:
        """Git under the lock that every change of a branch needs; lock files of killed gits are gone.

        Raises:
            Superseded: the attempt that this is for is another worker's by now.
        """
        with locks.held(self.layout.locks / "references") as descriptor:
            require_current()
            locks.clear_stale(self.layout.repository)
            yield self.git.holding(descriptor)

    def base(self) -> str:
        """The commit that the project began with."""
        return self.git.out("rev-parse", "--verify", BASE_REF)

    def head(self, branch: str = INTEGRATION) -> str | None:
        """The newest commit of a branch; None when there is no such branch."""
        code, out = self.git.run("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}", expected=(0, 1))
        return out.decode().strip() if code == 0 else None

    def branches(self) -> list[str]:
        """All branches but the integration branch."""
        names = self.git.out("for-each-ref", "--format=%(refname:strip=2)", "refs/heads").splitlines()
        return [name for name in names if name != INTEGRATION]

    def push(self, target: str, branch: str, *, at: str) -> str:
        """Put a commit into the user's repository, and return the branch that has it there: `branch`, or one beside it
        where that name has other work, is checked out, or is a folder of names. What is there is never overwritten.

        Raises:
            BadInput: it cannot be reached, or refuses.
        """
        remote, refused = remote_of(target), ""
        for name in (branch, f"{branch}-{at[:12]}", f"{branch.replace('/', '-')}-{at[:12]}"):
            try:
                self.git.run(
                    *remote.options(), "push", "--quiet", "--no-verify", *remote.receiver(), "--", target,
                    f"{at}:refs/heads/{checked_branch(name)}", remote=True, seconds=HISTORY_SECONDS,
                )  # fmt: skip
            except GitFailed as error:
                refused = refused or error.stderr
                if not REJECTED.search(error.stderr):
                    break
            else:
                return name
        raise BadInput(
            f"the branch {branch!r} could not be pushed: {refused}",
            field="repository",
            value=target,
            remedy="make it writable for the worker, and let it take branches of this name",
        )

    def _make(self, source: Remote | None) -> None:
        """In a folder of its own, which gets its name when it is complete."""
        unfinished = self.layout.folder / "repository.unfinished"
        remove(unfinished)
        unfinished.mkdir(parents=True)
        git = Git(git_dir=unfinished, env=self.layout.env)
        git.run("init", "--quiet", "--bare", "--template=", f"--initial-branch={INTEGRATION}", str(unfinished))
        for name, text in OWN_FILES.items():
            (unfinished / name).parent.mkdir(exist_ok=True)
            (unfinished / name).write_text(text)
        base = _empty_commit(git) if source is None else _fetched(git, source)
        git.run("update-ref", BASE_REF, base)
        git.run("update-ref", f"refs/heads/{INTEGRATION}", base)
        unfinished.rename(self.layout.repository)


def checked_branch(branch: str) -> str:
    """The name of a branch itself.

    Raises:
        BadInput: git would refuse it, or it could be read as something else than a name.
    """
    parts = branch.split("/")
    bad = ".." in branch or any(not part or part[0] in ".-" or part.endswith((".lock", ".")) for part in parts)
    if bad or not BRANCH.fullmatch(branch):
        remedy = "use letters, digits, '_', '-', '.' and '/', such as zen/shop/t1"
        raise BadInput("this is no name of a branch", field="branch", value=branch, remedy=remedy)
    return branch


def _empty_commit(git: Git) -> str:
    tree = git.out("mktree")
    date = {"GIT_AUTHOR_DATE": EPOCH, "GIT_COMMITTER_DATE": EPOCH}
    return git.out("commit-tree", tree, stdin=b"Begin\n", env=date)


def _fetched(git: Git, source: Remote) -> str:
    remedy = "name a git repository with at least one commit, which the worker may read"
    try:
        begin = _begin(git, source)
        if not begin:
            names = ", ".join(_branches(git, source)[:MOST_NAMED])
            remedy = f"let its HEAD name one of its branches: {names}" if names else remedy
        git.run(
            *source.options(), "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
            "--no-recurse-submodules", "--update-shallow", "--", source.named, f"+{begin or 'HEAD'}:{BASE_REF}",
            remote=True, seconds=HISTORY_SECONDS,
        )  # fmt: skip
    except GitFailed as error:
        raise BadInput(
            f"the repository cannot be read: {error.stderr}", field="repository", value=source.named, remedy=remedy
        ) from error
    return git.out("rev-parse", "--verify", f"{BASE_REF}^{{commit}}")


def _begin(git: Git, source: Remote) -> str:
    """The reference that the project begins with: HEAD, or the only branch where HEAD names one that nobody has made,
    as in a bare repository that got its first push. '' where that is not clear."""
    if _listed(git, source, "HEAD"):
        return "HEAD"
    branches = _branches(git, source)
    return f"refs/heads/{branches[0]}" if len(branches) == 1 else ""


def _branches(git: Git, source: Remote) -> list[str]:
    return [name.removeprefix("refs/heads/") for name in _listed(git, source, "refs/heads/*")]


def _listed(git: Git, source: Remote, pattern: str) -> list[str]:
    words = (*source.options(), "ls-remote", "--quiet", "--", source.named, pattern)
    out = git.run(*words, remote=True)[1].decode(errors="replace")
    return [line.partition("\t")[2] for line in out.splitlines()]
