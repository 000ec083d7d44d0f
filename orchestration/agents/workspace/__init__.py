"""Git for agents' work: a repository for a run, a worktree for a task, our commits, merges and their undoing.

A worktree is hostile. Git is called by its own command line, with our configuration alone: no hook, filter, monitor,
helper or submodule that an agent leaves is run, no link out of the tree is taken, no pipe blocks, no name confuses.
The agent's own `.git` is never read; whatever it commits there is its own affair.

Everything may be repeated, also after kill -9 at any point: a task has one commit, one merge and at most one revert of
it, told by the trailers `Zen-Run, Zen-Task, Zen-Requirement`, and what was left half done is cleared by the next call.

- `repository`, `worktree`, `commit`, `diff`; `merge`, `history`, and `resolving` for conflicts.
- `janitor`, `owned`: nothing is left on this machine, and that is proved.
- `checks`: our own runs in clean checkouts, what was tampered with, which commands a repository has.
- `remote`: which repositories of others may be named, and how git speaks with them.
- `layout`, `locks`, `git`, `sweep`, `snapshot`: where things lie, one writer at a time, how git is called.

Imported by `orchestration.execution`; imports `foundation.errors`, `foundation.outbound` and `orchestration.core`.
"""
