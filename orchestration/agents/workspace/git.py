"""Git by its own command line, deaf to every configuration but ours: no hook, filter, monitor or helper is ever run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

SECONDS = 600.0
"""Any one git command; those that move a whole history have longer."""
QUOTED = 2000

ATTRIBUTES = "* !filter !diff !merge !eol !ident !working-tree-encoding !export-ignore !export-subst -text\n"
"""In `info/attributes`, which wins over every `.gitattributes`: bytes stay what they are, no driver is named."""

OPTIONS: Mapping[str, str] = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.splitIndex": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.symlinks": "true",
    "core.fileMode": "true",
    "core.trustctime": "true",
    "core.ignoreCase": "false",
    "core.autocrlf": "false",
    "core.safecrlf": "false",
    "core.sparseCheckout": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.logAllRefUpdates": "false",
    "core.packedRefsTimeout": "20000",
    "core.filesRefLockTimeout": "20000",
    "core.fsyncMethod": "batch",
    "core.fsync": "committed,reference",
    "commit.gpgSign": "false",
    "diff.noprefix": "false",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "i18n.commitEncoding": "UTF-8",
    "i18n.logOutputEncoding": "UTF-8",
    "log.showSignature": "false",
    "merge.directoryRenames": "false",
    "protocol.ext.allow": "never",
}
IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Zen"), ("EMAIL", "zen@localhost"))
}
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_EDITOR": "/bin/false",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    **IDENTITY,
}
ALONE = {"HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
"""For all that touches files. What speaks with the user's repository has the operator's own logins and proxies."""


class GitFailed(Exception):
    """Git ended with another code than those that were expected; `code` and `stderr` are its own."""

    def __init__(self, arguments: Sequence[str], code: int | None, stderr: str):
        said = stderr.strip()[-QUOTED:] or "nothing was said"
        super().__init__(f"git {' '.join(arguments)[:200]} ended with {code}: {said}")
        self.code, self.stderr = code, said


class GitMissing(OSError):
    """There is no git on this machine: nothing was done, and the message says how to mend it."""


NO_GIT = (
    "git is not on the PATH of this machine, and agents' work is kept in it; "
    "install it (Debian: apt-get install git), or start the worker with a PATH that has it"
)


@contextmanager
def _found() -> Iterator[None]:
    """A program that is not there is told apart from a folder that is not."""
    try:
        yield
    except FileNotFoundError:
        if is_installed():
            raise
    else:
        return
    raise GitMissing(NO_GIT)


def is_installed() -> bool:
    """Whether this process finds a git."""
    return shutil.which("git") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """How git is called for one repository. `env`: more variables. `keep_open`: locks to be held until git ended."""

    git_dir: Path
    env: Mapping[str, str] = field(default_factory=dict)
    work_tree: Path | None = None
    index: Path | None = None
    keep_open: tuple[int, ...] = ()

    def on(self, work_tree: Path, index: Path) -> Git:
        """The same for the files of a folder, with an index of ours; a `.git` in that folder is never read."""
        return replace(self, work_tree=work_tree, index=index)

    def with_index(self, index: Path) -> Git:
        """The same with an index of ours, without any files."""
        return replace(self, index=index)

    def holding(self, descriptor: int) -> Git:
        """The same under a lock: should this process be killed, the lock lasts until its git has ended."""
        return replace(self, keep_open=(*self.keep_open, descriptor))

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        expected: Iterable[int] = (0,),
        env: Mapping[str, str] | None = None,
        remote: bool = False,
        seconds: float = SECONDS,
    ) -> tuple[int, bytes]:
        """Its exit code and its stdout. `remote`: with the operator's own configuration, for what fetches or pushes.

        Raises:
            GitFailed: another exit code than those expected, or its time was up.
            GitMissing: it is not installed here.
        """
        command = ["git", *(word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")), *arguments]
        try:
            with _found():
                done = subprocess.run(
                    command,
                    cwd=self.work_tree or self.git_dir,
                    env=self._environment(remote=remote) | dict(env or {}),
                    input=stdin,
                    capture_output=True,
                    check=False,
                    timeout=seconds,
                    pass_fds=self.keep_open,
                )
        except subprocess.TimeoutExpired as error:
            raise GitFailed(arguments, None, f"it was ended after {seconds:g} s") from error
        if done.returncode not in tuple(expected):
            raise GitFailed(arguments, done.returncode, done.stderr.decode(errors="replace"))
        return done.returncode, done.stdout

    def beginning(self, *arguments: str, most: int) -> tuple[bytes, bool]:
        """The first bytes of its stdout, and whether that was all; git is ended once these were read.

        Raises:
            GitFailed: it ended with another code than 0. GitMissing.
        """
        command = ["git", *(word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")), *arguments]
        with _found(), subprocess.Popen(
            command, cwd=self.work_tree or self.git_dir, env=self._environment(remote=False), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            assert process.stdout is not None  # noqa: S101 - it was asked for
            found = process.stdout.read(most + 1)
            if len(found) > most:
                process.kill()
                return found[:most], False
        if process.returncode:
            raise GitFailed(arguments, process.returncode, "")
        return found, True

    def out(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Its stdout as text, without blanks around it. Raises GitFailed."""
        return self.run(*arguments, stdin=stdin, env=env)[1].decode(errors="surrogateescape").strip()

    def records(self, *arguments: str, stdin: bytes = b"") -> list[bytes]:
        """Its stdout, cut at each NUL, for the -z of whatever was asked. Raises GitFailed."""
        return self.run(*arguments, stdin=stdin)[1].split(b"\0")[:-1]

    def _environment(self, *, remote: bool) -> dict[str, str]:
        env = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ} | ENVIRONMENT
        if remote:
            kept = ("HOME", "SSH_AUTH_SOCK", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY")
            env |= {name: os.environ[name] for name in kept if name in os.environ}
        else:
            env |= ALONE
        env["GIT_DIR"] = str(self.git_dir)
        if self.work_tree is not None:
            env["GIT_WORK_TREE"] = str(self.work_tree)
        if self.index is not None:
            env["GIT_INDEX_FILE"] = str(self.index)
        return env | dict(self.env)


def shown(path: bytes) -> str:
    """A file's name for people and JSON: bytes that are no UTF-8, and what moves a terminal's cursor, are escaped."""
    text = path.decode("utf-8", errors="backslashreplace")
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
