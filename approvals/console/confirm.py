"""Ask before something is done, with the words of others spelled out."""

from __future__ import annotations

from approvals.console.preview import Preview
from approvals.console.text import visible
from orchestration.console import confirm as console


def confirm(what: str, shown: Preview, *, yes: bool) -> None:
    console.confirm(visible(what), map(visible, shown.lines), refusal=visible(shown.refusal), yes=yes)
