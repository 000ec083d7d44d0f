"""What the scripted agent can do with a task: one function each, in the table `BEHAVIOURS`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from orchestration.agents.scripted.task import Task

ToolKind = Literal["read", "edit", "search", "execute"]
FLOOD_PIECES = 40_000
FLOOD_PIECE = "The same words again and again, which nobody will ever read to their end. " * 4
NEVER = 7 * 24 * 3600.0
SKIP = 'import pytest\n\npytest.skip("does not work on this machine", allow_module_level=True)\n'


class Stop(Exception):
    """The turn ends with this stop reason."""


class Mouth(Protocol):
    """How a behaviour speaks to its client."""

    async def say(self, text: str) -> None:
        """A message of its own."""

    async def think(self, text: str) -> None:
        """A thought."""

    async def tool(self, kind: ToolKind, title: str, *, output: str = "", path: str = "") -> None:
        """A tool that began and is done."""

    async def permission(self, kind: ToolKind, title: str) -> bool:
        """Whether it was allowed."""

    async def question(self, text: str, options: tuple[str, ...]) -> str | None:
        """The answer; None when it was declined."""

    async def cost(self, dollars: float) -> None:
        """What the session has cost so far."""

    async def fail(self, message: str, data: dict[str, object] | None = None) -> None:
        """Answer the prompt with an error. Does not return."""

    async def raw(self, data: bytes) -> None:
        """Bytes on stdout that are no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One prompt: where to work, what to do, and who hears of it. `answer`: what a resumed session was told."""

    cwd: Path
    task: Task
    mouth: Mouth
    answer: str = ""


async def write(work: Work) -> None:
    """The files of the task, and a word about them."""
    for path, text in work.task.files.items():
        await _write(work, path, text)
    await work.mouth.say(f"Wrote {', '.join(work.task.files)}. I am a script: I did what it says, no more.")


async def empty(work: Work) -> None:
    """Claims to be done and has changed nothing."""
    await work.mouth.say("Done. Everything that was asked is in place and all tests pass.")


async def lies(work: Work) -> None:
    """Writes files with nothing of what was asked in them, and claims that all tests pass."""
    for path in work.task.files:
        await _write(work, path, "")
    await work.mouth.say("Done. All tests pass.")


async def weakens_tests(work: Work) -> None:
    """Does the task, and makes every test skip itself; without a test it leaves a configuration that collects
    none."""
    tests = [place for place in sorted(work.cwd.rglob("test_*.py")) if ".git" not in place.parts]
    for place in tests:
        await _write(work, str(place.relative_to(work.cwd)), SKIP + place.read_text())
    if not tests:
        await _write(work, "conftest.py", 'collect_ignore_glob = ["*"]\n')
    await write(work)


async def permission(work: Work) -> None:
    """Writes only if it may; otherwise it says that it could not. A resumed session was told so, or no."""
    told = None if not work.answer else not work.answer.lower().startswith("no")
    if told if told is not None else await work.mouth.permission("edit", f"Write {', '.join(work.task.files)}"):
        await write(work)
    else:
        await work.mouth.say("I was not allowed to write, so I did not.")


async def question(work: Work) -> None:
    """Asks for a word, and writes it below the task's own."""
    answer = work.answer or await work.mouth.question("Which word shall I add?", ("alpha", "omega"))
    await write(work)
    if answer:
        path = next(iter(work.task.files))
        await _write(work, path, f"{(work.cwd / path).read_text()}\nAnswer: {answer}\n")


async def asks_in_words(work: Work) -> None:
    """Asks in a message, as agents without another way do, and ends its turn with nothing done."""
    await work.mouth.say("Before I begin I need to know: which database shall I use?")


async def hangs(work: Work) -> None:
    """Begins, and then says nothing any more."""
    await work.mouth.say("Let me see.")
    await asyncio.sleep(NEVER)


async def deaf(work: Work) -> None:
    """Hangs in a way that hears no cancellation."""
    await work.mouth.say("Let me see.")
    subprocess.run(["sleep", str(int(NEVER))], check=False)


async def crashes(work: Work) -> None:
    """Writes half of its work and dies."""
    path = next(iter(work.task.files))
    await _write(work, path, work.task.files[path][: len(work.task.files[path]) // 2])
    print("scripted agent: told to crash", file=sys.stderr, flush=True)
    os._exit(3)


async def floods(work: Work) -> None:
    """Says many megabytes, then does the task."""
    for _ in range(FLOOD_PIECES):
        await work.mouth.say(FLOOD_PIECE)
    await write(work)


async def garbage(work: Work) -> None:
    """Prints what is no message, again and again."""
    for _ in range(200):
        await work.mouth.raw(b"\xff\xfe{not json} Traceback (most recent call last)\n")
    await asyncio.sleep(NEVER)


async def rate_limited(work: Work) -> None:
    """Its model refuses for 90 seconds."""
    await work.mouth.fail("Rate limit reached", {"retryAfter": 90})


async def unauthorized(work: Work) -> None:
    """Its model refuses the key in the middle of the turn."""
    await work.mouth.fail("401 Unauthorized: invalid api key")


async def over_budget(work: Work) -> None:
    """Works on and on, and each step costs a dollar."""
    for step in range(1, 100_000):
        await work.mouth.tool("read", f"Read everything for the {step}. time")
        await work.mouth.cost(float(step))
        await asyncio.sleep(0.02)


async def many_rounds(work: Work) -> None:
    """Uses a tool in each of many rounds."""
    for step in range(1, 100_000):
        await work.mouth.say(f"Round {step}.")
        await work.mouth.tool("search", "Look again")
        await asyncio.sleep(0.02)


async def refuses(work: Work) -> None:
    """Its model will not."""
    raise Stop("refusal")


async def leaves_processes(work: Work) -> None:
    """Does the task and leaves a daemon behind, in a session of its own."""
    subprocess.Popen(["sleep", "3600"], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    await write(work)


async def tells_secrets(work: Work) -> None:
    """Repeats the values of its environment whose names look secret, in pieces."""
    for name, value in sorted(os.environ.items()):
        if "SECRET" in name or "TOKEN" in name:
            for piece in (f"{name} is {value[:3]}", value[3:], ".\n"):
                await work.mouth.say(piece)
            await work.mouth.tool("execute", f"echo {value}", output=value)
    await write(work)


async def trespasses(work: Work) -> None:
    """Tries to write outside of its folder and into .git, tells what came of it, and does the task."""
    for place in (work.cwd.parent / "trespass", work.cwd / ".git" / "trespass", Path.home() / ".zen-trespass"):
        try:
            place.write_text("was here")
            said = "written"
        except OSError as error:
            said = f"refused ({error.strerror})"
        await work.mouth.tool("edit", f"Write {place}", output=said)
    await write(work)


async def works_slowly(work: Work) -> None:
    """Takes ZEN_SCRIPTED_SECONDS (10), with a word every tenth of a second, and then does the task."""
    for _ in range(int(float(os.environ.get("ZEN_SCRIPTED_SECONDS", "10")) * 10)):
        await work.mouth.think("Still at it. ")
        await asyncio.sleep(0.1)
    await write(work)


BEHAVIOURS: dict[str, Callable[[Work], Coroutine[None, None, None]]] = {
    one.__name__: one
    for one in (
        write,
        empty,
        lies,
        weakens_tests,
        permission,
        question,
        asks_in_words,
        hangs,
        deaf,
        crashes,
        floods,
        garbage,
        rate_limited,
        unauthorized,
        over_budget,
        many_rounds,
        refuses,
        leaves_processes,
        tells_secrets,
        trespasses,
        works_slowly,
    )
}
"""By name. `auth` is none of them: then no session can be opened at all."""


async def _write(work: Work, path: str, text: str) -> None:
    place = work.cwd / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    await work.mouth.tool("edit", f"Write {path}", output=f"{len(text)} characters", path=path)
