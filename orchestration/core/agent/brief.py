"""What an agent is told: its task, how it is judged, and what came of the attempts before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

HOUSE = """\
## How you work here

You are in a copy of the repository that was made for this task alone. Change its files; that is all that counts. Do not
commit, push, stash or switch branches: what you leave in this folder is taken as your work and committed for you. Say
in your last message what you did, in a few sentences."""
NO_CHANGE = """\
## How you work here

You are in a copy of the repository that was made for this task alone. Your last message is what is wanted."""
JUDGED = """\
## What your work is judged by

These commands are run on it in a clean checkout, with the tests and configuration as they are now. Weakened, skipped or
deleted tests count as failed."""
MOST_FACTS = 40
LONGEST_FACT = 1000


def brief(
    prompt: str,
    *,
    context_files: Sequence[str] = (),
    files: Sequence[str] = (),
    checks: Sequence[str] = (),
    facts: Sequence[str] = (),
    changes: bool = True,
    told: str = "",
    goes_on: bool = False,
) -> str:
    """The whole text for the agent. `facts`: what was found wrong with the attempts before, the latest last.

    `told`: what people have said since, which stands first where the session `goes_on`. The task is told again then,
    since the agent may have lost its session.
    """
    parts = [prompt.strip(), HOUSE if changes else NO_CHANGE]
    if told and goes_on:
        parts = [told.strip(), "This is the task, as you were given it before:", *parts]
    elif told:
        parts.append(told.strip())
    if context_files:
        parts.append("## Read first\n\n" + _listed(context_files))
    if files:
        parts.append(f"## Change nothing but these\n\nFiles: {', '.join(files)}")
    if checks:
        parts.append(f"{JUDGED}\n\n" + _listed(f"`{one}`" for one in checks))
    if facts:
        kept = [fact[:LONGEST_FACT] for fact in facts][-MOST_FACTS:]
        parts.append("## An attempt before this one was not accepted\n\n" + _listed(kept))
    return "\n\n".join(parts) + "\n"


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
