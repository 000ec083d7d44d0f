"""aider: `aider --message …`, which prints text for people. As of 0.86.2, its last release; treat it as legacy.

It ends with 0 whatever happened, so only what it prints can be read: its errors, and whether it counted tokens for an
answer. It keeps no sessions, so nothing is resumed. It uses no tools: files that it edits are told as edits done.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal

from orchestration.agents.base import SessionSpec
from orchestration.agents.drivers.cli.adapter import Adapter, Reader, dollars, has
from orchestration.agents.drivers.cli.signed_in import aider as signed_in
from orchestration.agents.drivers.over import SessionOver
from orchestration.core.agent.events import Event, Message, Retrying, SessionStarted, ToolDone, ToolStarted
from orchestration.core.agent.session import EndReason, Usage

VERSION = re.compile(r"^Aider v(\S+)")
MODEL = re.compile(r"^(?:Main )?[Mm]odel: (\S+)")
TOKENS = re.compile(
    r"^Tokens: ([\d.,]+[kM]?) sent(?:, ([\d.,]+[kM]?) cache write)?"
    r"(?:, ([\d.,]+[kM]?) cache hit)?, ([\d.,]+[kM]?) received"
)
COST = re.compile(r"Cost: \$([\d.]+) message, \$([\d.]+) session")
ERROR = re.compile(r"^(?:litellm|openai|anthropic)\.\w*Error|^\w+Error: |exceeds the \S+ token limit")
RETRY = re.compile(r"^Retrying in ([\d.]+) seconds")
EDITED = re.compile(r"^Applied edit to (.+)$")
MOST_ERROR = 2_000


class AiderReader(Reader):
    """Reads what it prints with --no-pretty."""

    def __init__(self, spec: SessionSpec) -> None:
        super().__init__(spec)
        self._id, self._version, self._begun = uuid.uuid4().hex, "", False
        self._error, self._in_error, self._answered, self._edits = "", False, False, 0

    def events(self, line: str) -> Iterator[Event]:
        """See `Reader`. Until it names its model it tells about itself."""
        if found := VERSION.search(line):
            self._version = found[1]
        elif not self._begun:
            if found := MODEL.search(line):
                self._begun = True
                yield SessionStarted(session_id=self._id, agent="aider", version=self._version, model=found[1])
        elif found := RETRY.search(line):
            said, self._error, self._in_error = self._error, "", False
            yield Retrying(error=said or "its model failed", wait_seconds=float(found[1]))
        elif ERROR.search(line) or self._in_error:
            self._in_error = True
            self._error = f"{self._error}\n{line}".strip()[:MOST_ERROR]
        else:
            yield from self._told(line)

    def over(self) -> SessionOver | None:
        """See `Reader`. An answer was counted, and no error came after it: it ended its turn."""
        if self._error:
            return SessionOver.by(self._error)
        return SessionOver(EndReason.END_TURN) if self._answered else None

    def _told(self, line: str) -> Iterator[Event]:
        if found := TOKENS.search(line):
            self._count(found, line)
            self._answered = True
        elif found := EDITED.search(line):
            self._edits += 1
            tool_id = f"edit-{self._edits}"
            yield ToolStarted(tool_id=tool_id, name="edit", title=line, paths=(found[1],))
            yield ToolDone(tool_id=tool_id, name="edit", succeeded=True, paths=(found[1],))
        else:
            yield Message(text=f"{line}\n", message_id="output")

    def _count(self, found: re.Match[str], line: str) -> None:
        sent, _, hit, received = (_number(one) for one in found.groups())
        self.usage += Usage(input=max(sent, hit), output=received, cached=hit)
        if cost := COST.search(line):
            self.cost_usd = dollars(cost[2])


def _number(text: str | None) -> int:
    """A count as people read it: 2.1k."""
    if not text:
        return 0
    unit = {"k": 1_000, "M": 1_000_000}.get(text[-1], 1)
    return int(Decimal(text.rstrip("kM").replace(",", "")) * unit)


def arguments(spec: SessionSpec, own: Sequence[str]) -> list[str]:
    """Without git, in which it would write and may not; whoever judges its work commits. It leaves no files behind."""
    words = [
        "--yes-always", "--no-pretty", "--no-stream", "--no-check-update", "--no-show-model-warnings",
        "--no-show-release-notes", "--analytics-disable", "--no-detect-urls", "--no-suggest-shell-commands",
        "--no-fancy-input", "--no-git", "--chat-history-file", "/dev/null",
        "--input-history-file", "/dev/null", "--llm-history-file", "/dev/null",
    ]  # fmt: skip
    if not has(own, "--map-tokens"):
        words += ["--map-tokens", "0"]
    if spec.model:
        words += ["--model", spec.model]
    return [*words, "--message", spec.prompt]


AIDER = Adapter(
    program="aider",
    name="aider",
    arguments=arguments,
    reader=AiderReader,
    signed_in=signed_in,
    sign_in="set the key of its model's provider in the endpoint's env, such as OPENAI_API_KEY",
    by_argument=True,
)
