"""Proof by our own run: checks in a clean checkout of the commit, with the base's copy of tests and configuration.

- `file_kinds`: which files are tests and configuration; `checkout`: the clean checkout with the base's copies.
- `run`: one command, whose processes end with it; `counts`: what test runners say they ran. Skipped is not passed.
- `tampering`: what was weakened, skipped or deleted; `tests_by_language`, `runner_settings`: how that is told.
- `commands`: a repository's own test command; `judge`: all of it for one commit.

It judges files and results, never what an agent says. Imported by `orchestration.execution` and `agents.workspace`.
"""
