"""What the text of a terminal says when an agent waits: agentapi tells it as a message like any other."""

from __future__ import annotations

import re

from orchestration.core.agent.session import Option, Question

OPTION = re.compile(r"^[\s│|]*(?:[\u276f>▶●]\s*)?([1-9])[.)]\s+(\S.*?)[\s│|]*$")
POINTED = re.compile(r"^[\s│|]*[\u276f▶]\s*[1-9][.)]\s", re.MULTILINE)
ALLOWS = re.compile(r"^(?:yes|allow|accept|proceed|approve|run)", re.IGNORECASE)
FOR_GOOD = re.compile(r"always|don.t ask again|this session", re.IGNORECASE)
SIGNED_OUT = re.compile(
    r"please run /login|not logged in|select login method|invalid api key|sign in to continue|log in to continue",
    re.IGNORECASE,
)
LIMITED = re.compile(r"(?:usage|rate) limit (?:reached|exceeded)|hit your (?:usage )?limit", re.IGNORECASE)
END_LINES = 15


def menu(text: str) -> Question | None:
    """A menu at the end of a screen, with a pointer at one of its numbers; None for a list that is only told."""
    lines = [line for line in text.splitlines() if line.strip(" │|╭╰─╮╯")][-END_LINES:]
    found = [(place, match) for place, line in enumerate(lines) if (match := OPTION.match(line))]
    if len(found) < 2 or not POINTED.search("\n".join(lines)):
        return None
    options = tuple(
        Option(
            id=match[1],
            label=match[2],
            allows=ALLOWS.match(match[2]) is not None,
            for_good=FOR_GOOD.search(match[2]) is not None,
        )
        for _, match in found
    )
    said = "\n".join(line.strip(" │|") for line in lines[: found[0][0]])[-2_000:]
    return Question(id="menu", kind="permission", text=said or text[-500:], tool="terminal", options=options)
